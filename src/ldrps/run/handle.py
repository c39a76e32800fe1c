"""A job in a pool, as those see it who wait for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from ldrps.errors import LdrpsError
from ldrps.run.tick import OnTick, Tick

J = TypeVar("J")
R = TypeVar("R")


class WorkerLost(LdrpsError):
    """The process that was at a job ended in the middle of it; the message says how."""


class Handle(Generic[J, R]):
    """A job in a pool: how far it is, how it is stopped, and what became of it.

    Attributes:
        job: which.
        tick: the latest step; None before the first.
        seconds: that it took, or has taken by now.
    """

    def __init__(self, job: J, on_tick: OnTick | None = None, on_cancel: Callable[[], None] | None = None) -> None:
        self.job = job
        self.tick: Tick | None = None
        self._on_tick, self._on_cancel = on_tick, on_cancel
        self._began, self._took = time.perf_counter(), 0.0
        self._is_cancelled, self._is_over = threading.Event(), threading.Event()
        self._result: R | LdrpsError | None = None

    @property
    def is_over(self) -> bool:
        """Whether its result is there."""
        return self._is_over.is_set()

    @property
    def is_cancelled(self) -> bool:
        """Whether somebody wants it to stop."""
        return self._is_cancelled.is_set()

    @property
    def seconds(self) -> float:
        return self._took if self.is_over else time.perf_counter() - self._began

    def cancel(self) -> None:
        """Stop it after the step that is being done. What is over, or has no further step, remains."""
        self._is_cancelled.set()
        if self._on_cancel is not None:
            self._on_cancel()

    def result(self, timeout: float | None = None) -> R:
        """What became of it; waits for that, if another thread moves the pool on.

        Raises:
            Cancelled: it was stopped.
            WorkerLost: the process that was at it is gone.
            TimeoutError: it is not over yet, after so many seconds.
        """
        if not self._is_over.wait(timeout):
            raise TimeoutError(f"{self.job} is not over after {timeout} s: wait longer, or cancel it")
        if isinstance(self._result, LdrpsError):
            raise self._result
        return self._result  # type: ignore[return-value]  # it is over

    def report(self, tick: Tick) -> bool:
        """Take note of a step; whether to go on. For pools."""
        self.tick = tick
        if self._on_tick is not None:
            self._on_tick(tick)
        return not self._is_cancelled.is_set()

    def end(self, result: R | LdrpsError) -> None:
        """Take note of the result. For pools."""
        self._took, self._result = self.seconds, result
        self._is_over.set()
