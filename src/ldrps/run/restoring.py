"""The work of a file and of a folder: the picture of a job is restored and written, and what fails is told in words."""

from __future__ import annotations

import contextlib
import errno
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ldrps.errors import Cancelled, InputError, LdrpsError, PriorError, SettingsError
from ldrps.memory import out_of_memory
from ldrps.run.job import Job
from ldrps.run.outcome import Outcome
from ldrps.run.recipe import Recipe
from ldrps.run.share import Share
from ldrps.run.tick import Tick
from ldrps.run.work import Carry, Report

if TYPE_CHECKING:
    from ldrps.progress import OnStep, Progress
    from ldrps.run.batch import Batch, Restored

logger = logging.getLogger(__name__)

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}


@dataclass(frozen=True)
class Restoring:
    """Restores pictures that were named one by one. A `Work`."""

    recipe: Recipe

    @property
    def preload(self) -> list[str]:
        return self.recipe.preload

    @contextlib.contextmanager
    def open(self, share: Share) -> Iterator[Carry[Job, Outcome]]:
        """See `Work.open`; what is raised beside `Cancelled` is what no picture could be restored with."""
        yield carrying(self.recipe.within(share).build())


def carrying(batch: Batch) -> Carry[Job, Outcome]:
    """What restores and writes the pictures of jobs by a batch."""

    def carry(job: Job, report: Report) -> Outcome:
        overwrite = batch.output.overwrite
        return tried(job, lambda: write(batch, make(batch, job, report, overwrite), overwrite))

    return carry


def make(batch: Batch, job: Job, report: Report, overwrite: bool) -> Restored:
    """Check a job and restore its picture, in memory; `report` hears of every step.

    Raises:
        LdrpsError: as checking and making do.
    """
    batch.check(job, overwrite=overwrite)
    return batch.restore(job, batch.load(job), told(report))


def write(batch: Batch, made: Restored, overwrite: bool) -> Outcome:
    """Write what was made; what became of it.

    Raises:
        OutputError: as `Batch.write`.
    """
    written, result = batch.write(made, overwrite=overwrite), made.result
    unheeded = result.findings.unheeded
    return Outcome(made.job, "done", tuple(written), result.words, unheeded, unchanged=result.unchanged)


def told(report: Report, preview: Callable[[Progress], bytes | None] | None = None) -> OnStep:
    """What shows the steps of a restoration to who reports them, and stops it where nobody wants more of them."""

    def on_step(step: Progress) -> bool:
        terms = [value for name, value in step.losses.items() if name.startswith("posterior/")]
        shown = None if preview is None else preview(step)
        return report(Tick(step.number, step.total, step.round, sum(terms) if terms else None, shown))

    return on_step


def tried(job: Job, do: Callable[[], Outcome]) -> Outcome:
    """What `do` makes of a job, and its time; that it failed is an outcome too.

    Raises:
        Cancelled: it was stopped.
        SettingsError, PriorError: what no picture could be restored with.
    """
    began = time.perf_counter()
    try:
        outcome = do()
    except (Cancelled, SettingsError, PriorError):
        raise
    except Exception as error:
        failure = in_words(str(job.source), error)  # which must not cost the other thousand pictures
        outcome = Outcome(job, "failed", reason=failure.on_command_line, no_room=_is_about_room(error))
    return replace(outcome, seconds=time.perf_counter() - began)


class Fault(LdrpsError):
    """What went wrong is a fault of ours, or of a library's; the log has where."""


def in_words(name: str, error: Exception) -> LdrpsError:
    """Why the picture of that name could not be restored, to be told; a fault of ours is logged with its traceback."""
    if isinstance(error, LdrpsError):
        return error
    if out_of_memory(error):
        problem = f"{name} does not fit into memory: make it smaller"
        return InputError(
            f"{problem}, or close other programs",
            on_command_line=f"{problem}, close other programs, or give fewer --jobs",
        )
    problem = f"{name}: a fault of ldrps ({type(error).__name__}: {error}): please report it"
    logger.error("%s", problem, exc_info=error)
    return Fault(problem)


def _is_about_room(error: BaseException) -> bool:
    cause = error.__cause__
    if isinstance(cause, OSError) and cause.errno in _NO_ROOM:
        return True
    return "disk is full" in str(cause)  # as SQLite says it
