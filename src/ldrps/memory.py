"""Memory: how much this process has used, and whether an error means that there was too little."""

from __future__ import annotations

import re
import sys
from pathlib import Path

_CLEAR, _STATUS, _MEMORY = Path("/proc/self/clear_refs"), Path("/proc/self/status"), Path("/proc/meminfo")


_NONE_LEFT = re.compile(r"out of memory|not enough memory|allocate memory", re.IGNORECASE)  # CUDA, and the CPU's two


def out_of_memory(error: BaseException) -> bool:
    """Whether an error of Python, torch or a library below it says that memory ran out, here or on the device."""
    return isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and bool(_NONE_LEFT.search(str(error))))


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


def available_bytes() -> int | None:
    """What this process may take in all without pushing others out: its own and what is free. None but on Linux."""
    if not _MEMORY.exists():
        return None
    lines = _MEMORY.read_text().splitlines()
    free = next((int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")), None)
    return None if free is None else 1024 * free + int(resident_mib() * 2**20)


def _status(name: str) -> float | None:
    """An entry of this process's status on Linux, in MiB."""
    if not _STATUS.exists():
        return None
    lines = (line for line in _STATUS.read_text().splitlines() if line.startswith(f"{name}:"))
    return next((int(line.split()[1]) / 1024 for line in lines), None)
