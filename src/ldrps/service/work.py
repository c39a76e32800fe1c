"""The work of the service, in the process that restores: that of programs, and that of the page beside it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ldrps.errors import Cancelled, LdrpsError
from ldrps.estimation.damage import Damage
from ldrps.image.formats import ALPHA
from ldrps.image.header import open_file, open_header
from ldrps.masks import Masks
from ldrps.restorer import Restorer
from ldrps.run.batch import Batch, Restored, restorer_batch
from ldrps.run.job import Job, Output
from ldrps.run.restoring import Fault, in_words, told
from ldrps.run.share import Share
from ldrps.run.work import Carry, Report
from ldrps.serve.limits import Limits as PageLimits
from ldrps.serve.task import PageJob, PageOutcome
from ldrps.serve.work import PriorLoader, UploadWork
from ldrps.service.ask import Ask
from ldrps.service.limits import nameless

RESULT = "result"  # the stem of the name of a result's file
_SUFFIXES = {
    **{"PNG": ".png", "JPEG": ".jpg", "MPO": ".jpg", "WEBP": ".webp"},
    **{"TIFF": ".tiff", "BMP": ".bmp", "AVIF": ".avif"},
}


@dataclass(frozen=True)
class ProgramJob:
    """A picture that a program sent, as the pool is given it.

    Attributes:
        files: by the parts of the request: image, and perhaps mask and protect.
        folder: where the result goes.
        ask: how.
    """

    files: dict[str, Path]
    folder: Path
    ask: Ask


@dataclass(frozen=True)
class Made:
    """What became of it.

    Attributes:
        file: the restored picture; None if there is none.
        record: all about the restoration but the pixels and the places of files, see `Result.record`.
        reason: why there is no restored picture; "" if there is one.
        is_fault: whether that is a fault of ours.
    """

    file: Path | None = None
    record: dict[str, Any] | None = None
    reason: str = ""
    is_fault: bool = False


ServiceJob = ProgramJob | PageJob
ServiceOutcome = Made | PageOutcome


@dataclass(frozen=True)
class ServiceWork:
    """Restores what programs send, and what visitors of the page do, with one prior, loaded once. A `Work`.

    Attributes:
        load: loads the prior.
        pixels: of a picture, at most, that programs send.
        page: limits of the page.
    """

    load: PriorLoader
    pixels: int
    page: PageLimits

    @property
    def preload(self) -> tuple[str, ...]:
        return self.load.preload

    @contextlib.contextmanager
    def open(self, share: Share) -> Iterator[Carry[ServiceJob, ServiceOutcome]]:
        """See `Work.open`."""
        restorer = Restorer(self.load())
        uploads = UploadWork(lambda: restorer.prior, self.page)
        output = Output(max_pixels=self.pixels, max_memory=share.bytes, overwrite=True)
        with uploads.open(share) as carry_upload:

            def carry(job: ServiceJob, report: Report) -> ServiceOutcome:
                if not isinstance(job, ProgramJob):
                    return carry_upload(job, report)
                try:
                    return _made(job, _batch(job, restorer, output), report)
                except Cancelled:
                    raise
                except Exception as error:  # memory, a driver, a bug: this picture's failure, not that of the service
                    failure = in_words("the image", error)
                    return Made(reason=_reason(job, failure), is_fault=isinstance(failure, Fault))

            yield carry


def _batch(job: ProgramJob, restorer: Restorer, output: Output) -> Batch:
    ask = job.ask
    damage = None if ask.damage is None else Damage.from_plain(ask.damage)
    mine = Restorer(restorer.prior, ask.settings, estimators=restorer.estimators, damage=damage)
    output = replace(
        output,
        quality=ask.quality,
        keep_metadata=ask.keep_metadata,
        srgb=ask.srgb,
        first_frame=ask.first_frame,
    )
    holes = job.files.get("mask")
    protected = job.files.get("protect")
    masks = Masks(
        ALPHA if ask.alpha else None if holes is None else str(holes), None if protected is None else str(protected)
    )
    return restorer_batch(mine, output, ask.caption, masks=masks)


def _made(job: ProgramJob, batch: Batch, report: Report) -> Made:
    """The picture of a job, restored and written.

    Raises:
        Cancelled: it was stopped.
        LdrpsError: as loading, restoring and writing do.
    """
    source = job.files["image"]
    suffix = job.ask.suffix or _suffix(source)
    target = Job(source, job.folder / f"{RESULT}{suffix}")
    picture = batch.load(target if job.ask.suffix else Job(source, job.folder / "any.png"))  # which has room for all
    made = batch.restore(target, picture, told(report))
    if job.ask.suffix:  # in that format or not at all
        return Made(batch.write(made, overwrite=True)[0], _record(made))
    return Made(batch.write_or_png(made, target.target.with_suffix(".png"), overwrite=True), _record(made))


def _suffix(path: Path) -> str:
    """That of names of files like this one, told by its content; PNG's for what is only read."""
    with open_file(path) as file:
        image = open_header(file, str(path))
        return _SUFFIXES.get("TIFF" if image is None else str(image.format), ".png")


def _record(made: Restored) -> dict[str, Any]:
    """The record, without what only files of this machine tell."""
    result = made.result
    record = result.record()
    del record["source"], record["losses"]
    if result.damage is not None:
        record["damage"] = replace(result.damage, holes=None).plain()
    record["unheeded"] = list(result.findings.unheeded)
    record["result_size"] = list(result.levels.shape[1::-1])
    return record


def _reason(job: ProgramJob, failure: LdrpsError) -> str:
    if isinstance(failure, Fault):
        return "the image could not be restored, for a reason that the server's log tells"
    return nameless(str(failure), {**job.files, "result": job.folder / RESULT})
