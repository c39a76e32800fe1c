"""Who carries jobs out: this process, or several others. Nothing is loaded before the first job.

    pool = ProcessPool(work, 2)
    handle = pool.submit(job, on_tick=print)
    while not handle.is_over:
        pool.wait(1.0)  # moves all of them on, and returns those that ended
    result = handle.result()

A pool belongs to the thread that submits and waits. Of its handles, any thread may look at the tick, cancel, and wait
for the result.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from multiprocessing import connection
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from ldrps.errors import Cancelled, LdrpsError, PriorError
from ldrps.run.handle import Handle, WorkerLost
from ldrps.run.share import Share
from ldrps.run.tick import OnTick, Tick
from ldrps.run.work import Carry, Ended, Work

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerContext, SpawnContext  # Windows has but the second

PAUSE = 0.25  # seconds between looks at whether a step that is to stop takes too long; what happens ends it
_GRACE = 10.0  # seconds that a worker has to leave in order

J = TypeVar("J")
R = TypeVar("R")


class Pool(Protocol[J, R]):
    """Carries out jobs, as many at a time as it has room for."""

    @property
    def has_room(self) -> bool:
        """Whether a job can be submitted."""
        ...

    @property
    def is_busy(self) -> bool:
        """Whether one is not over, or was not told of yet."""
        ...

    def start(self) -> None:
        """Begin to load what is missing, so that the next job waits for less of it.

        Raises:
            LdrpsError: as `wait`.
        """
        ...

    def submit(self, job: J, on_tick: OnTick | None = None) -> Handle[J, R]:
        """Begin with a job, if there is room. `on_tick` sees every step, while somebody waits."""
        ...

    def wait(self, timeout: float) -> list[Handle[J, R]]:
        """The jobs that are over since the last time, after at most so many seconds if none is.

        Raises:
            LdrpsError: what is wrong with all jobs.
        """
        ...

    def close(self) -> None:
        """Stop what is at work, within a step, and leave nothing half done."""
        ...


def until_over(pool: Pool[J, R], handle: Handle[J, R], is_overdue: Callable[[], bool] = lambda: False) -> None:
    """Wait for a job of a pool of one. One that was to stop and is overdue ends within its step: the pool is closed.

    Raises:
        LdrpsError: as `Pool.wait`.
    """
    while not handle.is_over:
        pool.wait(PAUSE)
        if is_overdue() and not handle.is_over:
            pool.close()


class OneAtATime(Pool[J, R]):
    """What pools have in common that have room for one job."""

    _handle: Handle[J, R] | None = None

    @property
    def has_room(self) -> bool:
        return self._handle is None

    @property
    def is_busy(self) -> bool:
        return self._handle is not None

    def submit(self, job: J, on_tick: OnTick | None = None) -> Handle[J, R]:
        assert self._handle is None
        self._handle = Handle(job, on_tick, self._cancel)
        return self._handle

    def _cancel(self) -> None:
        """What the handle does beside taking note."""


class ThisProcess(OneAtATime[J, R]):
    """The process itself does it, one after the other. `wait` does the work, whatever its time-out."""

    def __init__(self, work: Work[J, R]) -> None:
        self._work = work
        self._open = ExitStack()
        self._carry: Carry[J, R] | None = None

    def start(self) -> None:
        self._opened()

    def wait(self, timeout: float) -> list[Handle[J, R]]:
        if self._handle is None:
            time.sleep(timeout)
            return []
        carry = self._opened()
        handle, self._handle = self._handle, None
        try:
            handle.end(carry(handle.job, handle.report))
        except LdrpsError as error:
            handle.end(error)
            if not isinstance(error, Cancelled):
                raise
        return [handle]

    def close(self) -> None:
        self._open.close()
        self._carry = None

    def _opened(self) -> Carry[J, R]:
        if self._carry is None:
            self._carry = self._open.enter_context(self._work.open(Share.of(1)))
        return self._carry


@dataclass
class _Member(Generic[J, R]):
    """A process, the way to it, and what it is at."""

    process: BaseProcess
    line: Connection
    handle: Handle[J, R] | None = None
    number: int = 0  # of the jobs that it was sent
    is_ready: bool = False

    def send(self, message: object) -> None:
        with contextlib.suppress(OSError):  # it is dead, as will be found
            self.line.send(message)


class ProcessPool(Pool[J, R]):
    """Processes of their own, each with all loaded once. One that dies costs its own job, and is replaced.

    Args:
        work: what they do; it and the jobs, ticks and results are sent between processes.
        size: how many. They share the cores and the memory of the machine.
        grace: seconds that they have to leave in order when the pool is closed.
    """

    def __init__(self, work: Work[J, R], size: int, grace: float = _GRACE) -> None:
        self._work, self._size, self._grace = work, size, grace
        self._share = Share.of(size)
        self._members: list[_Member[J, R]] = []
        self._sending = threading.Lock()  # who cancels is another thread than who submits

    @property
    def has_room(self) -> bool:
        return len(self._members) < self._size or any(member.handle is None for member in self._members)

    @property
    def is_busy(self) -> bool:
        return any(member.handle is not None for member in self._members)

    def start(self) -> None:
        for member in [each for each in self._members if each.handle is None and not each.process.is_alive()]:
            self._bury(member)  # it died of something else than a job
        while len(self._members) < self._size:
            self._hire()

    def submit(self, job: J, on_tick: OnTick | None = None) -> Handle[J, R]:
        member = next((each for each in self._members if each.handle is None), None) or self._hire()
        member.number += 1
        handle: Handle[J, R] = Handle(job, on_tick, partial(self._cancel, member, member.number))
        member.handle = handle
        with self._sending:
            member.send((member.number, job))
        return handle

    def wait(self, timeout: float) -> list[Handle[J, R]]:
        lines = {member.line: member for member in self._members}
        over = []
        for ready in connection.wait(list(lines), timeout):
            assert isinstance(ready, Connection)
            member = lines[ready]
            try:
                message = ready.recv()
            except (EOFError, OSError):
                over += self._bury(member)
                continue
            member.is_ready = True
            if isinstance(message, Tick) and member.handle is not None:
                member.handle.report(message)
            elif isinstance(message, Ended) and member.handle is not None:
                handle, member.handle = member.handle, None
                handle.end(message.result)
                over.append(handle)
            elif isinstance(message, LdrpsError):
                if member.handle is not None:
                    member.handle.end(message)
                raise message
        return over

    def close(self) -> None:
        for member in self._members:
            member.process.terminate()  # which it takes as a wish: it lets go of what it is at, and leaves
            member.line.close()
            if member.handle is not None:
                member.handle.end(Cancelled("stopped, as all that was at work"))
        until = time.monotonic() + self._grace
        for member in self._members:
            member.process.join(max(0.0, until - time.monotonic()))
            if member.process.is_alive():
                member.process.kill()
                member.process.join()
        self._members.clear()

    def _hire(self) -> _Member[J, R]:
        from ldrps.run.process import serve

        context = _context(self._work.preload)
        ours, theirs = context.Pipe()
        process = context.Process(target=serve, args=(self._work, self._share, theirs), daemon=True)
        process.start()
        theirs.close()  # so that its end is seen here
        member: _Member[J, R] = _Member(process, ours)
        self._members.append(member)
        return member

    def _bury(self, member: _Member[J, R]) -> list[Handle[J, R]]:
        """Take a dead process off the list; its job, which is over with it."""
        self._members.remove(member)
        member.process.join()
        member.line.close()
        if member.handle is None:
            return []
        code = member.process.exitcode
        how = f"by signal {-code}" if code is not None and code < 0 else f"with code {code}"
        if not member.is_ready:  # nor would the next be
            why = f"a process of its own ended {how} while it loaded the prior"
            remedy = "close other programs"
            raise PriorError(f"{why}: {remedy}", on_command_line=f"{why}: {remedy}, or give fewer --jobs")
        member.handle.end(WorkerLost(f"the process that was at it ended {how}; was it out of memory?"))
        return [member.handle]

    def _cancel(self, member: _Member[J, R], number: int) -> None:
        with self._sending:
            member.send(number)


def _context(preload: Sequence[str]) -> SpawnContext | ForkServerContext:
    """How processes are made: each anew, or by a server that has loaded those modules once and is forked."""
    if not preload or sys.platform != "linux":
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(preload))  # which counts until the first process is made
    return context
