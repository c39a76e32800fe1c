"""One process's way with a job: take it, restore it, write it, say so. Needs torch."""

from __future__ import annotations

import contextlib
import errno
import logging
import time
from dataclasses import replace

from ldrps.batch import Batch, Restored
from ldrps.errors import LdrpsError, PriorError, SettingsError
from ldrps.folders.manifest import Manifest
from ldrps.folders.outcome import OnTick, Outcome, Tick
from ldrps.folders.status import Source
from ldrps.jobs import Job
from ldrps.memory import out_of_memory
from ldrps.printable import printable
from ldrps.progress import Progress

logger = logging.getLogger(__name__)

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}


class Worker:
    """Carries out jobs, one at a time; nothing but the errors that all pictures share leaves it.

    Args:
        batch: how pictures are restored.
        manifest: where it is kept what became of them; None for pictures that were named one by one.
        on_tick: sees every step.
    """

    def __init__(self, batch: Batch, manifest: Manifest | None, on_tick: OnTick) -> None:
        self._batch = batch
        self._manifest = manifest
        self._on_tick = on_tick

    def restore(self, job: Job) -> Outcome:
        """Carry out a job.

        Raises:
            SettingsError, PriorError: what no picture could be restored with.
        """
        began = time.perf_counter()
        try:
            if self._manifest is None:
                overwrite = self._batch.output.overwrite
                outcome = self._write(self._make(job, overwrite), overwrite)
            else:
                outcome = self._claimed(job, self._manifest)
        except (SettingsError, PriorError):
            raise
        except Exception as error:
            reason = _reason(job, error)
            if not isinstance(error, LdrpsError) and not out_of_memory(error):
                logger.exception("%s", reason)  # which must not cost the other thousand pictures
            outcome = Outcome(job, "failed", reason=reason, no_room=_is_about_room(error))
        return replace(outcome, seconds=time.perf_counter() - began)

    def _claimed(self, job: Job, manifest: Manifest) -> Outcome:
        source = Source(job.source)
        status = manifest.claim(job, source)
        if status.state != "open":
            return Outcome(job, status.state, reason=status.reason)
        is_torn = False
        try:
            # Before the picture and its text are read: should they change meanwhile, it is done again.
            mark, _ = manifest.place.mark(job), source.content
            made = self._make(job, status.overwrite)
            self._batch.check(job, overwrite=status.overwrite)  # for what came while the picture was restored
            manifest.writing(job)
            is_torn = True
            outcome = self._write(made, status.overwrite)
            manifest.finished(job, source, mark)
            return outcome
        except (SettingsError, PriorError):
            manifest.release(job)
            raise
        except Exception as error:
            # Some of the files may be there: they are ours, unless they are why it failed.
            is_torn = status.is_torn or (is_torn and not isinstance(error.__cause__, FileExistsError))
            with contextlib.suppress(LdrpsError):  # the same full disk; that this process ends tells as much
                manifest.failed(job, _reason(job, error), is_torn=is_torn)
            raise
        except BaseException:  # stopped
            manifest.release(job)
            raise

    def _make(self, job: Job, overwrite: bool) -> Restored:
        self._batch.check(job, overwrite=overwrite)
        return self._batch.make(job, self._show)

    def _write(self, made: Restored, overwrite: bool) -> Outcome:
        written = self._batch.write(made, overwrite=overwrite)
        return Outcome(made.job, "done", tuple(written), made.result.words, made.result.unchanged)

    def _show(self, job: Job, step: Progress) -> None:
        terms = [value for name, value in step.losses.items() if name.startswith("posterior/")]
        self._on_tick(job, Tick(step.number, step.total, step.round, sum(terms) if terms else None))


def _is_about_room(error: BaseException) -> bool:
    cause = error.__cause__
    if isinstance(cause, OSError) and cause.errno in _NO_ROOM:
        return True
    return "disk is full" in str(cause)  # as SQLite says it


def _reason(job: Job, error: Exception) -> str:
    if isinstance(error, LdrpsError):
        return error.on_command_line
    if out_of_memory(error):
        remedy = "make it smaller, close other programs, or give fewer --jobs"
        return printable(f"{job.source} does not fit into memory: {remedy}")
    return printable(f"{job.source}: a fault of ldrps ({type(error).__name__}: {error}): please report it")
