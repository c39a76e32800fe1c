"""The queue of programs' jobs: kept in the store, done one at a time, in turn with other owners and with the page."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections import deque
from collections.abc import Iterator

from ldrps.errors import LdrpsError
from ldrps.run.pool import PAUSE, Pool
from ldrps.run.turns import Turns
from ldrps.serve.task import Question
from ldrps.service.ask import Ask
from ldrps.service.carrying import Carrier
from ldrps.service.limits import Limits
from ldrps.service.live import Live
from ldrps.service.metrics import Metrics
from ldrps.service.problems import Problem
from ldrps.service.rows import Row
from ldrps.service.store import Store
from ldrps.service.work import ServiceJob, ServiceOutcome

logger = logging.getLogger(__name__)


class JobQueue:
    """Carries out the jobs of a store in a thread of its own, from `start` on.

    Args:
        store: where they are kept; those that are not over there wait from the beginning.
        pool: who restores; it is shared with whoever takes a turn.
        turns: of all who share the pool.
        limits: what is refused.
        metrics: where what happens is counted.
    """

    def __init__(
        self,
        store: Store,
        pool: Pool[ServiceJob, ServiceOutcome],
        turns: Turns,
        limits: Limits,
        metrics: Metrics,
    ) -> None:
        self._store, self._pool, self._turns, self._limits, self._metrics = store, pool, turns, limits, metrics
        self._change = threading.Condition()
        self._owners: dict[str, deque[Live]] = {}  # those that wait; no owner without any
        self._running: Live | None = None
        self._live: dict[str, Live] = {}
        self._promised = 0  # places that jobs have which are about to join
        self._closed = False
        self._carry_out = Carrier(store, pool, limits, metrics)
        self.is_ready = threading.Event()  # all is loaded, or cannot be
        self.failure: LdrpsError | None = None  # why it cannot
        self._thread = threading.Thread(target=self._run, name="ldrps-service", daemon=True)
        for row in store.waiting():
            self._take_up(row)

    @property
    def speed(self) -> float:
        """See `Carrier`."""
        return self._carry_out.speed

    def start(self) -> None:
        """Begin to load, and to carry out."""
        self._thread.start()

    @property
    def waiting(self) -> int:
        """How many jobs wait."""
        return sum(len(jobs) for jobs in list(self._owners.values()))

    @property
    def is_running(self) -> bool:
        """Whether one is being carried out."""
        return self._running is not None

    @property
    def is_full(self) -> bool:
        """Whether no other job may wait beside the one that is being carried out, or will be."""
        return self.waiting + self._promised + self.is_running > self._limits.waiting

    def refuse_full(self) -> None:
        """Refuse a job for which there is no room.

        Raises:
            Problem: there is none, or the server is about to end; it says when there may be.
        """
        if self._closed:
            raise Problem(503, "the server is about to end: try again when it is back", retry_after=10)
        if self.is_full:
            self._metrics.refused.labels("full").inc()
            raise Problem(
                429,
                f"{self._limits.waiting} jobs are waiting already, which is the most: try again later",
                retry_after=self.seconds_to_room(),
            )

    @contextlib.contextmanager
    def place(self) -> Iterator[None]:
        """A place for a job that is looked at before it joins, so that nobody looks in vain.

        Raises:
            Problem: there is no room.
        """
        with self._change:
            self.refuse_full()
            self._promised += 1
        try:
            yield
        finally:
            with self._change:
                self._promised -= 1

    def join(self, row: Row, ask: Ask) -> Live:
        """Keep a new job, which has a `place`, and put it at the end of its owner's queue.

        Raises:
            KeyError: its owner has another with the same key.
        """
        live = Live(self._store.add(row), ask)  # the disk may take its time: nobody waits for it with the lock
        with self._change:
            self._put(live)
            self._change.notify_all()
        return live

    def live(self, name: str) -> Live | None:
        """A job that is not over; None if it is, or there is none."""
        return self._live.get(name)

    def forget(self, name: str) -> None:
        """Stop a job, at once if it waits, else within a step, and delete all that is kept of it."""
        with self._change:
            live = self._live.get(name)
            is_running = live is not None and live is self._running
            if live is not None and is_running:
                live.stop("forgotten")
            elif live is not None:
                self._owners[live.row.owner].remove(live)
                self._tidy(live.row.owner)
                self._end(live)
                self._metrics.jobs.labels("cancelled").inc()
        if is_running:
            self._store.disown(name)
        else:
            self._store.delete(name)

    def ahead(self, live: Live) -> list[Live]:
        """The jobs of programs that will be carried out before this one, the one that is at work among them."""
        with self._change:
            running = [] if self._running in (None, live) else [self._running]
            mine = self._owners.get(live.row.owner, deque())
            if live not in mine:
                return []
            place, owner = mine.index(live), live.row.owner
            before = [*running, *list(mine)[:place]]
            for other, jobs in self._owners.items():
                if other != owner:
                    before += list(jobs)[: place + self._turns.before(other, owner)]
        return [each for each in before if each is not None]

    def seconds_left(self, live: Live) -> float:
        """Until the end of a job, as far as can be told."""
        return live.seconds_left(self.speed) + sum(each.seconds_left(self.speed) for each in self.ahead(live))

    def seconds_to_room(self) -> float:
        """Until another job may join, as far as can be told."""
        running = self._running
        return 1.0 if running is None else running.seconds_left(self.speed)

    def seconds_of_all(self) -> float:
        """Until all that wait are done, as far as can be told."""
        return sum(live.seconds_left(self.speed) for live in list(self._live.values()))

    def close(self, patience: float = 10.0) -> None:
        """Carry out no more. What is at work stops within a step, and waits for the next server, as the rest does."""
        with self._change:
            self._closed = True
            if self._running is not None:
                self._running.stop("closed", patience=0.5)
            self._change.notify_all()
        if self._thread.is_alive():
            self._thread.join(patience)
        for live in list(self._live.values()):  # which nobody waits for in vain
            live.is_over.set()

    def _take_up(self, row: Row) -> None:
        """Let a job wait that an earlier server left."""
        try:
            ask = Ask.read(row.ask, mask="mask" in row.parts, protect="protect" in row.parts)
        except Problem as problem:  # of a setting that this ldrps has no more
            self._store.update(row.id, state="failed", status=problem.status, reason=str(problem), ended=time.time())
            return
        self._put(Live(row, ask))

    def _put(self, live: Live) -> None:
        self._owners.setdefault(live.row.owner, deque()).append(live)
        self._live[live.row.id] = live

    def _tidy(self, owner: str) -> None:
        if not self._owners[owner]:
            del self._owners[owner]

    def _end(self, live: Live) -> None:
        self._live.pop(live.row.id, None)
        live.is_over.set()

    def _run(self) -> None:
        try:
            self._load()
        except LdrpsError as error:
            self.failure = error
            return
        finally:
            self.is_ready.set()
        while True:
            with self._change:
                self._change.wait_for(lambda: self._closed or self._owners)
                if self._closed:
                    return
                parties = list(self._owners)
            if (party := self._turns.take(parties, PAUSE)) is None:
                continue
            try:
                self._turn_of(party)
            except Exception:  # the thread serves everybody after this one too
                logger.exception("a job could not be carried out")
            finally:
                self._turns.give_back()

    def _load(self) -> None:
        """Wait until all is loaded.

        Raises:
            LdrpsError: something cannot be.
        """
        while self._turns.take(["loading"], PAUSE) is None:
            if self._closed:
                return
        try:
            handle = self._pool.submit(Question())
            while not handle.is_over and not self._closed:
                self._pool.wait(PAUSE)
        finally:
            self._turns.give_back()

    def _turn_of(self, party: str) -> None:
        """Carry out the next job of an owner."""
        with self._change:
            if self._closed or party not in self._owners:
                return
            live = self._running = self._owners[party].popleft()
            self._tidy(party)
        try:
            self._carry_out(live)
        except LdrpsError as error:  # wrong with all jobs, or the store's
            self._carry_out.fail(live, 500, str(error))
            raise
        finally:
            with self._change:
                self._running = None
                self._end(live)
            self._pool.start()  # another process in the place of one that is lost
