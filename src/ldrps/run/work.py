"""What is done with jobs, as pools and their processes see it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from ldrps.errors import Cancelled
from ldrps.run.share import Share
from ldrps.run.tick import Tick

J = TypeVar("J")
R = TypeVar("R")
J_contra = TypeVar("J_contra", contravariant=True)
R_co = TypeVar("R_co", covariant=True)
Report = Callable[[Tick], bool]  # tells of a step; False: stop, which raises Cancelled
Carry = Callable[[J, Report], R]


class Work(Protocol[J_contra, R_co]):
    """What is done with jobs: plain data, which each worker is sent once, and opens."""

    @property
    def preload(self) -> Sequence[str]:
        """Modules that take long to load, and may be before a process is forked; none where it must not be forked, as
        what it computes on is no CPU.
        """
        ...

    def open(self, share: Share) -> AbstractContextManager[Carry[J_contra, R_co]]:
        """Load all that it takes, for a worker with so much of the machine; gives what carries a job out.

        That returns what became of the job, failures too; what it raises but `Cancelled` is wrong with all jobs.

        Raises:
            LdrpsError: something cannot be loaded.
        """
        ...


@dataclass(frozen=True)
class Ended(Generic[R]):
    """What a process sends when it is done with a job: what became of it, or that it was stopped."""

    result: R | Cancelled


READY = "ready"  # what a process sends when it is
