"""Carrying out a job of the service: it goes to the pool, is watched, and the store is told what became of it."""

from __future__ import annotations

import time

from ldrps.errors import Cancelled
from ldrps.run.handle import WorkerLost
from ldrps.run.pool import Pool, until_over
from ldrps.service.limits import Limits
from ldrps.service.live import Live, Stoppable
from ldrps.service.metrics import Metrics
from ldrps.service.problems import Problem
from ldrps.service.store import Store
from ldrps.service.work import Made, ProgramJob, ServiceJob, ServiceOutcome

_LEARNING = 0.3  # how much a job counts for what the next are expected to take


def carried(
    pool: Pool[ServiceJob, ServiceOutcome], job: ProgramJob, live: Stoppable, limits: Limits
) -> Made | Problem | None:
    """Have a pool of one carry a job out; its picture, or why there is none, or None if it was stopped.

    Raises:
        LdrpsError: what is wrong with all jobs.
    """
    live.began = time.monotonic()
    handle = pool.submit(job, live.note)
    live.at_work(handle)
    until_over(pool, handle, lambda: _is_overdue(live, limits))  # the next job has a new worker then
    try:
        made = handle.result()
    except Cancelled:
        late = f"this took longer than the {limits.work:g} s that this service gives to it"
        return Problem(504, late) if live.why == "late" else None
    except WorkerLost as lost:
        return Problem(500, f"{lost} Send a smaller picture")
    assert isinstance(made, Made)
    if live.why == "forgotten":
        return None
    return Problem(500 if made.is_fault else 422, made.reason) if made.file is None else made


def _is_overdue(live: Stoppable, limits: Limits) -> bool:
    """Whether a job that was to stop has not; one that takes too long is to stop."""
    if live.began is not None and time.monotonic() - live.began > limits.work and not live.why:
        live.stop("late")
    return live.is_overdue


class Carrier:
    """Carries jobs out, one at a time, for the one who has the turn.

    Args:
        store: where jobs are kept.
        pool: who restores.
        limits: how long a job may take.
        metrics: where what happens is counted.

    Attributes:
        speed: seconds that a second of what a picture is said to cost takes here, as far as was seen.
    """

    def __init__(self, store: Store, pool: Pool[ServiceJob, ServiceOutcome], limits: Limits, metrics: Metrics) -> None:
        self._store, self._pool, self._limits, self._metrics = store, pool, limits, metrics
        self.speed = 1.0

    def __call__(self, live: Live) -> None:
        """Carry out a job, and say in the store what became of it.

        Raises:
            LdrpsError: what is wrong with all jobs, or with the store.
        """
        row, now = live.row, time.time()
        self._store.update(row.id, state="running", began=now, tries=row.tries + 1)
        self._metrics.job_wait_seconds.observe(now - row.created)
        job = ProgramJob(self._store.files(row), self._store.place(row.id), live.ask)
        made = carried(self._pool, job, live, self._limits)
        if made is None:
            self._stopped(live)
        elif isinstance(made, Problem):
            self.fail(live, made.status, str(made))
        else:
            self._done(live, made)

    def fail(self, live: Live, status: int, reason: str) -> None:
        """Say that a job failed, with the status of the answer and why."""
        self._store.finish(live.row.id, "failed", status=status, reason=reason)
        self._metrics.jobs.labels("failed").inc()

    def _done(self, live: Live, made: Made) -> None:
        assert made.file is not None and live.began is not None
        seconds = time.monotonic() - live.began
        self._store.finish(live.row.id, "done", file=made.file.name, record=made.record)
        self.speed += _LEARNING * (seconds / max(live.row.cost, 0.1) - self.speed)
        self._metrics.job_seconds.observe(seconds)
        self._metrics.jobs.labels("done").inc()

    def _stopped(self, live: Live) -> None:
        """What becomes of a job that was stopped before it was late, by why it was."""
        if live.why == "forgotten":
            self._store.delete(live.row.id)
            self._metrics.jobs.labels("cancelled").inc()
        else:  # the next server does it
            self._store.update(live.row.id, state="waiting", began=None, tries=live.row.tries)
