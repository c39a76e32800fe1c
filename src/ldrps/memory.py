"""Memory: how much this process has used, and whether an error means that there was too little."""

from __future__ import annotations

import re
import sys
from pathlib import Path

_CLEAR, _STATUS, _MEMORY = Path("/proc/self/clear_refs"), Path("/proc/self/status"), Path("/proc/meminfo")
_CONTROL_GROUP = Path("/sys/fs/cgroup")  # in a container, its own
# Of version 2 and of version 1: the limit, what is used, the statistics, and what these call the cache of files that
# lies idle. Without a limit, version 2 says "max" and version 1 a number that is larger than any memory.
_CONTROLS = (
    ("memory.max", "memory.current", "memory.stat", "inactive_file"),
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "memory/memory.stat", "total_inactive_file"),
)

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
    free = _free_bytes()
    return None if free is None else free + int(resident_mib() * 2**20)


def share_bytes(processes: int) -> int | None:
    """What each of several processes yet to be started may take without pushing others out. None but on Linux."""
    free = _free_bytes()
    return None if free is None else free // processes


def _free_bytes() -> int | None:
    """What is free on this machine, or in its container if that is less."""
    kibibytes = _entry(_MEMORY, "MemAvailable:")
    if kibibytes is None:
        return None
    within = _free_in_control_group()
    return 1024 * kibibytes if within is None else min(1024 * kibibytes, within)


def _free_in_control_group() -> int | None:
    """What the control group may still take, with the cache of files that lies idle in it; None without a limit."""
    for *files, statistics, idle in _CONTROLS:
        try:
            limit, used = (int((_CONTROL_GROUP / name).read_text()) for name in files)
        except (OSError, ValueError):  # of the other version, or without a limit
            continue
        return max(0, limit - used + (_entry(_CONTROL_GROUP / statistics, idle) or 0))
    return None


def _status(name: str) -> float | None:
    """An entry of this process's status on Linux, in MiB."""
    kibibytes = _entry(_STATUS, f"{name}:")
    return None if kibibytes is None else kibibytes / 1024


def _entry(file: Path, key: str) -> int | None:
    """The number behind a key that begins a line; None without it or the file."""
    if not file.exists():
        return None
    lines = (line.split() for line in file.read_text().splitlines())
    return next((int(words[1]) for words in lines if words and words[0] == key), None)
