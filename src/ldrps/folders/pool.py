"""Who carries out the jobs: this process, or several others. Nothing is loaded before the first job."""

from __future__ import annotations

import contextlib
import multiprocessing
import time
from dataclasses import dataclass
from multiprocessing import connection
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import TYPE_CHECKING, Protocol

from ldrps.errors import LdrpsError, PriorError
from ldrps.folders.outcome import OnTick, Outcome, Tick
from ldrps.folders.recipe import Recipe
from ldrps.jobs import Job

if TYPE_CHECKING:
    from ldrps.folders.manifest import Manifest
    from ldrps.folders.status import Place
    from ldrps.folders.worker import Worker

_GRACE = 10.0  # seconds that a worker has to leave in order


class WorkerPool(Protocol):
    """Carries out jobs, as many at a time as it has room for."""

    @property
    def has_room(self) -> bool:
        """Whether a job can be started."""
        ...

    @property
    def is_busy(self) -> bool:
        """Whether one has not been told of yet."""
        ...

    def start(self, job: Job) -> None:
        """Begin with a job."""
        ...

    def poll(self, timeout: float) -> list[Outcome]:
        """What became of jobs, after at most so many seconds if nothing did.

        Raises:
            SettingsError, PriorError, InputError: what no picture could be restored with.
        """
        ...

    def close(self) -> None:
        """Stop what is at work, within a step, and leave nothing half done."""
        ...


class ThisProcess:
    """The process itself does it, one after the other. `poll` does the work, whatever its time-out."""

    def __init__(self, recipe: Recipe, manifest: Manifest | None, on_tick: OnTick) -> None:
        self._recipe, self._manifest, self._on_tick = recipe, manifest, on_tick
        self._worker: Worker | None = None
        self._job: Job | None = None

    @property
    def has_room(self) -> bool:
        return self._job is None

    @property
    def is_busy(self) -> bool:
        return self._job is not None

    def start(self, job: Job) -> None:
        self._job = job

    def poll(self, timeout: float) -> list[Outcome]:
        if self._job is None:
            time.sleep(timeout)
            return []
        if self._worker is None:
            from ldrps.folders.worker import Worker  # torch

            self._worker = Worker(self._recipe.build(), self._manifest, self._on_tick)
        job, self._job = self._job, None
        return [self._worker.restore(job)]

    def close(self) -> None:
        """Nothing is at work between two calls."""


@dataclass
class _Member:
    """A process, the way to it, and what it is at."""

    process: SpawnProcess
    line: Connection
    job: Job | None = None
    began: float = 0.0
    is_ready: bool = False


class ProcessPool:
    """Processes of their own, each with the prior loaded once. One that dies costs its own picture, and is replaced.

    Args:
        recipe: how pictures are restored.
        place: where the manifest is; None for pictures that were named one by one.
        size: how many processes.
        on_tick: sees every step.
    """

    def __init__(self, recipe: Recipe, place: Place | None, size: int, on_tick: OnTick) -> None:
        self._recipe, self._place, self._size, self._on_tick = recipe, place, size, on_tick
        self._members: list[_Member] = []

    @property
    def has_room(self) -> bool:
        return len(self._members) < self._size or any(member.job is None for member in self._members)

    @property
    def is_busy(self) -> bool:
        return any(member.job is not None for member in self._members)

    def start(self, job: Job) -> None:
        member = next((each for each in self._members if each.job is None), None) or self._hire()
        member.job, member.began = job, time.perf_counter()
        with contextlib.suppress(OSError):  # it is dead, as poll will find
            member.line.send(job)

    def poll(self, timeout: float) -> list[Outcome]:
        lines = {member.line: member for member in self._members}
        outcomes = []
        for ready in connection.wait(list(lines), timeout):
            assert isinstance(ready, Connection)
            member = lines[ready]
            try:
                message = ready.recv()
            except (EOFError, OSError):
                outcomes += self._bury(member)
                continue
            if isinstance(message, LdrpsError):
                raise message
            member.is_ready = True
            if isinstance(message, Outcome):
                member.job = None
                outcomes.append(message)
            elif isinstance(message, Tick) and member.job is not None:
                self._on_tick(member.job, message)
        return outcomes

    def close(self) -> None:
        for member in self._members:
            member.process.terminate()  # which it takes as a wish: it lets go of what it is at, and leaves
            member.line.close()
        until = time.monotonic() + _GRACE
        for member in self._members:
            member.process.join(max(0.0, until - time.monotonic()))
            if member.process.is_alive():
                member.process.kill()
                member.process.join()
        self._members.clear()

    def _hire(self) -> _Member:
        from ldrps.folders.serve import serve

        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=serve, args=(self._recipe, self._place, self._size, theirs), daemon=True)
        process.start()
        theirs.close()  # so that its end is seen here
        member = _Member(process, ours)
        self._members.append(member)
        return member

    def _bury(self, member: _Member) -> list[Outcome]:
        """Take a dead process off the list; what became of its job."""
        self._members.remove(member)
        member.process.join()
        member.line.close()
        if member.job is None:
            return []
        code = member.process.exitcode
        how = f"by signal {-code}" if code is not None and code < 0 else f"with code {code}"
        if not member.is_ready:  # nor would the next be
            raise PriorError(f"a process for --jobs ended {how} while it loaded the prior: give fewer --jobs")
        reason = f"{member.job.source}: the process that restored it ended {how}; was it out of memory?"
        seconds = time.perf_counter() - member.began
        return [Outcome(member.job, "failed", reason=f"{reason} Give fewer --jobs", seconds=seconds)]
