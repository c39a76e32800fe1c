"""Whether the process that said it was at a picture is still there."""

from __future__ import annotations

import os
import platform
import sys
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

# How often a process says that it is there, and after what silence it is not: for those we cannot look at.
BEAT, SILENCE = 20.0, 90.0  # seconds

_DEAD = "ZX"  # states of processes that are not collected yet
_SLACK = 1.0  # seconds by which two clocks of a machine may differ


@dataclass(frozen=True)
class Process:
    """A process for others to find again.

    Attributes:
        host: the name of its machine, or container.
        machine: which start of that machine, and which set of process numbers on it.
        pid: its number there.
        born: when it began, as the system counts; "" where it does not tell. A number is given to others later.
    """

    host: str
    machine: str
    pid: int
    born: str

    @classmethod
    def this(cls) -> Process:
        """The one that we are."""
        pid = os.getpid()
        return cls(platform.node(), _machine(), pid, _born(pid))

    def is_gone(self, silence: float) -> bool:
        """Whether it has ended, as far as can be told from here; `silence` is for how many seconds it said nothing."""
        if self.host == platform.node() and self.machine == _machine():
            if sys.platform == "win32":  # where asking for a process with a signal of 0 would end it
                return silence > SILENCE
            return not _runs(self.pid) or _born(self.pid) != self.born
        # Elsewhere, or before the machine was started anew: only its silence can tell.
        return silence > SILENCE


def ran(pid: int, ago: float) -> bool:
    """Whether a process of this machine runs, and did so `ago` seconds before; where that cannot be told, it is so."""
    if sys.platform == "win32":
        return True
    if not _runs(pid):
        return False
    state = _state(pid)
    if sys.platform != "linux" or not state:
        return True
    age = time.clock_gettime(time.CLOCK_BOOTTIME) - int(state[19]) / os.sysconf("SC_CLK_TCK")
    return state[0] not in _DEAD and age > ago - _SLACK


def _runs(pid: int) -> bool:
    if pid <= 0:  # which would be a group of processes
        return False
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # it is another user's
        return True
    return True


def _born(pid: int) -> str:
    """The clock tick at which a process began (Linux); "" where unknown, and for one that is dead but not collected."""
    state = _state(pid)
    return "" if not state or state[0] in _DEAD else state[19]


def _state(pid: int) -> list[str]:
    """What Linux tells of a process, from its state on; nothing elsewhere, and for one that may not be looked at."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


@cache
def _machine() -> str:
    """Which start of which machine this is, and which set of process numbers: two containers may share a folder."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return platform.system()
