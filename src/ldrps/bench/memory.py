"""The largest memory that this process has used since it was last asked."""

from __future__ import annotations

import sys
from pathlib import Path

_CLEAR, _STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")


def reset_peak() -> None:
    """Forget the peak so far, where the system can (Linux)."""
    if _CLEAR.exists():
        _CLEAR.write_text("5")


def peak_mib() -> float | None:
    """Peak of the resident set in MiB, since `reset_peak` on Linux and since the start elsewhere; None on Windows."""
    if _STATUS.exists():
        for line in _STATUS.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10
