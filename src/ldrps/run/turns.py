"""One pool for several who want it: they take turns, a job at a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection
from typing import TypeVar

from ldrps.errors import Cancelled, LdrpsError
from ldrps.run.handle import Handle
from ldrps.run.pool import OneAtATime, Pool

J = TypeVar("J")
R = TypeVar("R")


class Turns:
    """Who is next: of the parties that wait, the one whose last turn is longest ago. One has the turn at a time."""

    def __init__(self) -> None:
        self._change = threading.Condition()
        self._waiting: dict[object, tuple[str, ...]] = {}  # in the order in which they came
        self._last: dict[str, int] = {}  # of each party, which turn it had last, counted from 1
        self._given = 0
        self._is_taken = False

    def take(self, parties: Collection[str], timeout: float) -> str | None:
        """Wait for the turn of one of some parties, for whom the caller stands; which, or None after so many seconds.

        Who has taken one gives it back.
        """
        with self._change:
            me = object()
            self._waiting[me] = tuple(parties)
            self._change.notify_all()
            try:
                self._change.wait_for(lambda: self._next()[0] is me, timeout)
                who, party = self._next()
            finally:
                del self._waiting[me]
            if who is not me:
                return None
            self._given += 1
            self._last[party] = self._given
            self._is_taken = True
            return party

    def give_back(self) -> None:
        """Let the next one have it."""
        with self._change:
            self._is_taken = False
            self._change.notify_all()

    def before(self, first: str, second: str) -> bool:
        """Whether, if both wait, the first party comes before the second."""
        with self._change:
            return self._last.get(first, 0) < self._last.get(second, 0)

    def _next(self) -> tuple[object, str]:
        """Who stands for the party that is next, and that; nobody while the turn is taken."""
        if self._is_taken:
            return None, ""
        waiting = [(who, party) for who, parties in self._waiting.items() for party in parties]
        return min(waiting, key=lambda pair: self._last.get(pair[1], 0), default=(None, ""))


class InTurn(OneAtATime[J, R]):
    """A pool that several share, as one party sees it: a job is begun when it is that party's turn.

    Args:
        pool: that is shared; who made it closes it.
        turns: those of all who share it.
        party: who this one is.
    """

    def __init__(self, pool: Pool[J, R], turns: Turns, party: str) -> None:
        self._pool, self._turns, self._party = pool, turns, party
        self._begun: Handle[J, R] | None = None  # the job that it has, in the pool

    def start(self) -> None:
        """Nothing: it is seen to at the end of each turn."""

    def wait(self, timeout: float) -> list[Handle[J, R]]:
        handle = self._handle
        if handle is None:
            time.sleep(timeout)
            return []
        if self._begun is None:
            if handle.is_cancelled:
                return self._end(Cancelled("stopped before it was begun"))
            if self._turns.take([self._party], timeout) is None:
                return []
            self._begun = self._pool.submit(handle.job, handle.report)
            if handle.is_cancelled:  # meanwhile
                self._begun.cancel()
        try:
            self._pool.wait(timeout)
        except LdrpsError as error:
            self._end(error)
            raise
        if not self._begun.is_over:
            return []
        self._pool.start()  # another process in the place of one that is lost
        outcome: R | LdrpsError = _outcome(self._begun)
        return self._end(outcome)

    def close(self) -> None:
        if self._begun is not None:
            self._pool.close()
            self._pool.start()
            outcome: R | LdrpsError = _outcome(self._begun)
            self._end(outcome)
        elif self._handle is not None:
            self._end(Cancelled("stopped before it was begun"))

    def _end(self, outcome: R | LdrpsError) -> list[Handle[J, R]]:
        """Pass on what became of the job, and the turn."""
        handle, begun = self._handle, self._begun
        assert handle is not None
        self._handle, self._begun = None, None
        handle.end(outcome)
        if begun is not None:
            self._turns.give_back()
        return [handle]

    def _cancel(self) -> None:
        begun = self._begun
        if begun is not None:
            begun.cancel()


def _outcome(handle: Handle[J, R]) -> R | LdrpsError:
    """What became of a job that is over."""
    try:
        return handle.result()
    except LdrpsError as error:
        return error
