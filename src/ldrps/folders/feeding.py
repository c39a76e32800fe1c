"""The jobs of a run, handed out one by one until each is settled."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from functools import partial

from ldrps.errors import LdrpsError, OutputError
from ldrps.folders.manifest import Manifest
from ldrps.run.handle import Handle, WorkerLost
from ldrps.run.job import Job
from ldrps.run.outcome import Outcome
from ldrps.run.pool import Pool
from ldrps.run.tick import Tick

_PAUSE = 0.5  # seconds between two looks at what others do
_HOPELESS = 2  # failures for want of room, in a row, after which the rest would fail likewise


def restore_all(
    feed: Iterable[Job | None],
    pool: Pool[Job, Outcome],
    manifest: Manifest | None = None,
    on_tick: Callable[[Job, Tick], object] | None = None,
) -> Generator[Outcome, None, None]:
    """What became of each job, as soon as it is known. The pool is closed at the end, whatever the end is.

    Args:
        feed: the jobs; None for none at present.
        pool: who carries them out.
        manifest: tells what is settled already and what other processes are at; those are waited for. None for pictures
            that were named one by one.
        on_tick: sees every step.

    Raises:
        OutputError: the disk is full.
        SettingsError, PriorError, InputError: what no picture could be restored with.
    """
    jobs, elsewhere = iter(feed), deque[Job]()
    is_fed, failures = True, 0

    def start(job: Job) -> None:
        pool.submit(job, None if on_tick is None else partial(on_tick, job))

    if manifest is not None:
        manifest.sweep()  # after a run that was killed
    try:
        while is_fed or elsewhere or pool.is_busy:
            is_idle = False
            while is_fed and pool.has_room and not is_idle:
                job = next(jobs, _END)
                if isinstance(job, _End):
                    is_fed = False
                elif job is None:
                    is_idle = True
                else:
                    yield from _hand_out(job, start, manifest, elsewhere)
            if pool.has_room and elsewhere and (is_idle or not is_fed):
                for _ in range(len(elsewhere)):
                    if pool.has_room:
                        yield from _hand_out(elsewhere.popleft(), start, manifest, elsewhere)
            for handle in pool.wait(_PAUSE if pool.is_busy or elsewhere or is_idle else 0.0):
                outcome = _outcome(handle)
                if outcome.state == "busy":  # another process was quicker
                    elsewhere.append(outcome.job)
                    continue
                yield outcome
                failures = failures + 1 if outcome.no_room else 0
                if failures == _HOPELESS:
                    raise OutputError(
                        f"stopped after {failures} failures in a row for want of room: make room on the disk of the "
                        "results, or give another folder, then run the same command again"
                    )
    finally:
        pool.close()
    if manifest is not None:
        manifest.sweep()  # after a worker that died


class _End:
    """There are no more jobs."""


_END = _End()


def _outcome(handle: Handle[Job, Outcome]) -> Outcome:
    """What became of a job; that its process died is a failure of its picture."""
    try:
        return handle.result()
    except WorkerLost as lost:
        reason = f"{handle.job.source}: {lost} Give fewer --jobs"
        return Outcome(handle.job, "failed", reason=reason, seconds=handle.seconds)


def _hand_out(
    job: Job, start: Callable[[Job], None], manifest: Manifest | None, elsewhere: deque[Job]
) -> Iterator[Outcome]:
    """Start a job, or tell that it is settled, or put it off until another process is done with it."""
    if manifest is not None:
        try:
            status = manifest.look(job)
        except OutputError:
            raise
        except LdrpsError as error:
            yield Outcome(job, "failed", reason=error.on_command_line)
            return
        if status.state == "busy":
            elsewhere.append(job)
            return
        if status.state != "open":
            yield Outcome(job, status.state, reason=status.reason)
            return
    start(job)
