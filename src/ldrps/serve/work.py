"""The work of the page: an upload is restored, with a preview at every step, and becomes a file to download."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from ldrps.caption.base import Captioner
from ldrps.errors import Cancelled, LdrpsError, OutputError
from ldrps.image.picture import to_image
from ldrps.printable import printable
from ldrps.prior.base import Prior
from ldrps.progress import Progress
from ldrps.restorer import Restorer
from ldrps.run.batch import Batch, Restored, restorer_batch
from ldrps.run.job import Job, Output
from ldrps.run.restoring import Fault, in_words, told
from ldrps.run.share import Share
from ldrps.run.work import Carry, Report
from ldrps.serve.limits import Limits
from ldrps.serve.names import result_name
from ldrps.serve.previews import Preview, save_shown
from ldrps.serve.task import UploadJob, UploadOutcome

_PREVIEW_EVERY = 0.25  # seconds: more often than an eye follows, it would only cost


@dataclass(frozen=True)
class UploadWork:
    """Restores uploads with one prior, loaded once. A `Work`; what goes wrong with an upload is in its outcome.

    Attributes:
        load: loads the prior, see `ldrps.load_prior`.
        limits: those of the page.
        captioner_for: who is asked for a caption, as `make_captioner`.
        preload: see `Work.preload`.
    """

    load: Callable[[], Prior]
    limits: Limits
    captioner_for: Callable[[str], Captioner]
    preload: tuple[str, ...] = ()

    @contextlib.contextmanager
    def open(self, share: Share) -> Iterator[Carry[UploadJob, UploadOutcome]]:
        """See `Work.open`."""
        restorer = Restorer(self.load())
        output = Output(max_pixels=self.limits.pixels, max_memory=share.bytes)

        def carry(job: UploadJob, report: Report) -> UploadOutcome:
            try:
                captioner = self.captioner_for(job.order.captioner())
                batch = restorer_batch(restorer.with_settings(job.order.settings()), output, captioner)
                return _restored(job, batch, report)
            except Cancelled:
                raise
            except Exception as error:  # memory, a driver, a bug: this picture's failure, not that of the page
                reason = _reason(job, in_words(job.upload.name, error))
                return UploadOutcome(job.upload.name, job.order, job.upload.shown, error=reason)

        yield carry


def _restored(job: UploadJob, batch: Batch, report: Report) -> UploadOutcome:
    """An upload, restored and written.

    Raises:
        Cancelled: it was stopped.
        LdrpsError: as loading, restoring and writing do.
    """
    upload, began = job.upload, time.monotonic()
    picture = batch.load(Job(upload.path, job.folder / "any.png"))  # which has room for all
    preview = _now_and_then(Preview(picture, job.order.settings().working_size, job.order.scale))
    made = batch.restore(Job(upload.path, job.folder / job.name), picture, told(report, preview))
    file = _write(batch, made, job)
    result, before = made.result, upload.shown
    after = save_shown(result.image, job.folder / f".{job.number}.after.jpg")
    if result.picture.scale != 1:  # as large as the result, to lie beside it
        shown = to_image(result.picture, result.picture.rgb)
        before = save_shown(shown, job.folder / f".{job.number}.before.jpg")
    return UploadOutcome(
        name=file.name,
        order=job.order,
        before=before,
        after=after,
        file=file,
        words=result.words,
        caption=result.caption.text,
        seconds=time.monotonic() - began,
    )


def _now_and_then(preview: Preview) -> Callable[[Progress], bytes | None]:
    """The previews of steps; None of those that come so soon that no eye would follow."""
    shown = float("-inf")

    def show(step: Progress) -> bytes | None:
        nonlocal shown
        if time.monotonic() - shown < _PREVIEW_EVERY:
            return None
        shown = time.monotonic()
        return preview.show(step)

    return show


def _write(batch: Batch, made: Restored, job: UploadJob) -> Path:
    """Write the result in the upload's format, or as PNG if that has no room for it, such as for transparency."""
    try:
        return batch.write(made, overwrite=False)[0]
    except OutputError:
        if job.name.lower().endswith(".png"):
            raise
        target = job.folder / result_name(f"{job.name}.png", job.taken)
        return batch.write(replace(made, job=replace(made.job, target=target)), overwrite=False)[0]


def _reason(job: UploadJob, failure: LdrpsError) -> str:
    """What a visitor is told. Where files lie is nobody's business, nor what is wrong with the program."""
    if isinstance(failure, Fault):
        return f"{job.upload.name} could not be restored, for a reason that the server's log tells"
    places = {printable(job.upload.path): job.upload.name, f"{printable(job.folder)}{os.sep}": ""}
    text = str(failure)
    for place, shown in places.items():
        text = text.replace(place, shown)
    return text
