"""The largest memory that this process has used since it was last asked."""

from __future__ import annotations

import sys
from pathlib import Path

_CLEAR, _STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")


def reset_peak() -> None:
    """Forget the peak so far, where the system can (Linux)."""
    if _CLEAR.exists():
        _CLEAR.write_text("5")


def resident_mib() -> float:
    """The resident set in MiB on Linux; 0 where the system does not tell."""
    return _status("VmRSS") or 0.0


def peak_mib() -> float | None:
    """Peak of the resident set in MiB, since `reset_peak` on Linux and since the start elsewhere; None on Windows."""
    peak = _status("VmHWM")
    if peak is not None:
        return peak
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10


def _status(name: str) -> float | None:
    """An entry of this process's status on Linux, in MiB."""
    if not _STATUS.exists():
        return None
    lines = (line for line in _STATUS.read_text().splitlines() if line.startswith(f"{name}:"))
    return next((int(line.split()[1]) / 1024 for line in lines), None)
