"""What of this machine each of several workers may take: cores and memory."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from dataclasses import dataclass

from ldrps.memory import share_bytes


@dataclass(frozen=True)
class Share:
    """The part of a worker.

    Attributes:
        threads: of torch; None for as many as torch takes by itself, which is all cores.
        bytes: resident; None for what is free when a picture is begun.
    """

    threads: int | None = None
    bytes: int | None = None

    @classmethod
    def of(cls, workers: int) -> Share:
        """The share of each of so many workers that will be started now. One alone has all, as long as it is there."""
        if workers < 2:
            return cls()
        return cls(max(1, _cores() // workers), share_bytes(workers))

    def take(self) -> None:
        """Let torch keep to it in this process, unless the user has decided, by OMP_NUM_THREADS."""
        if self.threads is not None and "OMP_NUM_THREADS" not in os.environ:
            import torch

            torch.set_num_threads(self.threads)


_SPIN = "GOMP_SPINCOUNT"  # of GNU's OpenMP: how often a thread that waits looks before it sleeps


def wait_briefly() -> None:
    """Have threads that wait for each other spin for a moment and then sleep, in this process and its children, unless
    the user has decided.

    By default GNU's OpenMP has them spin for long, for which two threads need two cores of their own: on two cores and
    beside six busy programs, a picture of 128 pixels did not end within half a minute; with this it takes 5 s, and with
    threads that sleep at once 2. Those need 0.45 to 0.54 s for 256 pixels where nothing else is to be done, and this
    0.28 to 0.42. It counts only before torch is loaded.
    """
    if not any(name in os.environ for name in (_SPIN, "OMP_WAIT_POLICY")):
        os.environ[_SPIN] = "30000"


# glibc's names of what it can be told, the numbers it knows them by, and bytes: what is larger is asked of the system
# by itself, and given back at once; of the others so much is kept.
_MALLOC = {"MALLOC_MMAP_THRESHOLD_": (-3, 64 * 2**20), "MALLOC_TRIM_THRESHOLD_": (-1, 512 * 2**20)}


def keep_memory() -> None:
    """Have this process and its children keep memory that the networks give back and want again at once, unless the
    user has decided: by default the system clears each page of it anew, a sixth of the time of a network call.

    Only glibc can be told, and only within a process that has just begun is it worth it.
    """
    if not sys.platform.startswith("linux") or any(name in os.environ for name in _MALLOC):
        return
    with contextlib.suppress(OSError, AttributeError):  # another C library
        mallopt = ctypes.CDLL(None).mallopt
        for name, (number, size) in _MALLOC.items():
            mallopt(number, size)
            os.environ[name] = str(size)


def _cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
