"""The work of a folder: a job is claimed, restored and written, and the manifest is told what became of it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ldrps.errors import Cancelled, LdrpsError, PriorError, SettingsError
from ldrps.folders.manifest import Manifest
from ldrps.folders.status import Place, Source
from ldrps.run.job import Job
from ldrps.run.outcome import Outcome
from ldrps.run.recipe import Recipe
from ldrps.run.restoring import in_words, make, tried, write
from ldrps.run.share import Share
from ldrps.run.work import Carry, Report

if TYPE_CHECKING:
    from ldrps.run.batch import Batch


@dataclass(frozen=True)
class Claiming:
    """Restores pictures of folders, each once, whoever else is at them. A `Work`.

    Attributes:
        recipe: how pictures are restored.
        place: where the manifest is.
    """

    recipe: Recipe
    place: Place

    @property
    def preload(self) -> list[str]:
        return self.recipe.preload

    @contextlib.contextmanager
    def open(self, share: Share) -> Iterator[Carry[Job, Outcome]]:
        """See `Work.open`; what is raised beside `Cancelled` is what no picture could be restored with."""
        batch = self.recipe.within(share).build()
        with contextlib.closing(Manifest(self.place)) as manifest:
            yield lambda job, report: tried(job, lambda: claimed(job, batch, manifest, report))


def claimed(job: Job, batch: Batch, manifest: Manifest, report: Report) -> Outcome:
    """Take a job, if it is open, carry it out, and say so.

    Raises:
        LdrpsError: it failed, or was stopped; the manifest was told.
    """
    source = Source(job.source)
    status = manifest.claim(job, source)
    if status.state != "open":
        return Outcome(job, status.state, reason=status.reason)
    is_torn = False
    try:
        # Before the picture and its text are read: should they change meanwhile, it is done again.
        mark, _ = manifest.place.mark(job), source.content
        made = make(batch, job, report, status.overwrite)
        batch.check(job, overwrite=status.overwrite)  # for what came while the picture was restored
        manifest.writing(job)
        is_torn = True
        outcome = write(batch, made, status.overwrite)
        manifest.finished(job, source, mark)
        return outcome
    except (Cancelled, SettingsError, PriorError):
        manifest.release(job)
        raise
    except Exception as error:
        # Some of the files may be there: they are ours, unless they are why it failed.
        is_torn = status.is_torn or (is_torn and not isinstance(error.__cause__, FileExistsError))
        with contextlib.suppress(LdrpsError):  # the same full disk; that this process ends tells as much
            manifest.failed(job, in_words(str(job.source), error).on_command_line, is_torn=is_torn)
        raise
    except BaseException:  # stopped
        manifest.release(job)
        raise
