"""The work of the page: an upload is restored, with a preview at every step, and becomes a file to download."""

from __future__ import annotations

import contextlib
import functools
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Protocol

from ldrps.caption.base import Captioner
from ldrps.caption.chain import make_captioner
from ldrps.errors import Cancelled, InputError, LdrpsError
from ldrps.estimation.damage import Damage
from ldrps.image.picture import to_image
from ldrps.printable import printable
from ldrps.prior import AUTO, EMBEDDED, load_prior, precision_of
from ldrps.prior.base import Prior
from ldrps.progress import Progress
from ldrps.restorer import Restorer
from ldrps.result import Result
from ldrps.run.batch import Batch, restorer_batch
from ldrps.run.job import Job, Output
from ldrps.run.restoring import Fault, in_words, told
from ldrps.run.share import Share
from ldrps.run.work import Carry, Report
from ldrps.serve.limits import Limits, for_visitors
from ldrps.serve.names import result_name
from ldrps.serve.order import OFFLINE
from ldrps.serve.previews import Preview, save_marks, save_shown
from ldrps.serve.task import Abilities, PageJob, PageOutcome, Question, UploadJob, UploadOutcome

_PREVIEW_EVERY = 0.25  # seconds: more often than an eye follows, it would only cost


def captioner_for(spec: str) -> Captioner:
    """Who is asked for a caption, as `make_captioner`; the packaged tagger is loaded once."""
    return _tagger() if spec == OFFLINE else make_captioner(spec)


@functools.cache
def _tagger() -> Captioner:
    return make_captioner(OFFLINE)


class PriorLoader(Protocol):
    """Loads the prior of the page, in the process that restores with it: plain data that can be sent there."""

    @property
    def preload(self) -> tuple[str, ...]:
        """See `Work.preload`."""
        ...

    def __call__(self) -> Prior: ...


@dataclass(frozen=True)
class Loader(PriorLoader):
    """Loads a prior by name; see `ldrps.load_prior`.

    Attributes:
        name: of the prior.
        device: where its networks run.
        dtype: the name of their precision; see `precision_of`.
    """

    name: str = EMBEDDED
    device: str = "cpu"
    dtype: str = AUTO

    def __call__(self) -> Prior:
        return load_prior(self.name, device=self.device, dtype=precision_of(self.name, self.dtype, self.device))

    @property
    def preload(self) -> tuple[str, ...]:
        """See `Work.preload`."""
        return ("ldrps.run.batch",) if self.device == "cpu" else ()


@dataclass(frozen=True)
class UploadWork:
    """Restores uploads with one prior, loaded once, and says what it can do. A `Work`; what goes wrong with an upload
    is in its outcome.

    Attributes:
        load: loads the prior, such as a `Loader`.
        limits: those of the page.
        captioner_for: who is asked for a caption.
        preload: see `Work.preload`.
    """

    load: Callable[[], Prior]
    limits: Limits
    captioner_for: Callable[[str], Captioner] = captioner_for
    preload: tuple[str, ...] = ()

    @contextlib.contextmanager
    def open(self, share: Share) -> Iterator[Carry[PageJob, PageOutcome]]:
        """See `Work.open`."""
        restorer = Restorer(self.load())

        def carry(job: PageJob, report: Report) -> PageOutcome:
            if isinstance(job, Question):
                prior = restorer.prior
                return Abilities(prior.has_text, self._has_tagger(), prior.terms)
            try:
                return _restored(job, self._batch(job, restorer, share), report)
            except Cancelled:
                raise
            except Exception as error:  # memory, a driver, a bug: this picture's failure, not that of the page
                reason = _reason(job, in_words(job.upload.name, error))
                return UploadOutcome(job.upload.name, job.order, job.upload.shown, job.upload, error=reason)

        yield carry

    def _batch(self, job: UploadJob, restorer: Restorer, share: Share) -> Batch:
        """What restores the picture of a job, with the networks of `restorer`."""
        damage = None if job.damage is None else Damage.from_plain(job.damage)
        settings, prior, estimators = job.order.settings(), restorer.prior, restorer.estimators
        output = Output(max_pixels=self.limits.pixels, max_memory=share.bytes)
        captioner = self.captioner_for(job.order.captioner())
        mine = Restorer(prior, settings, estimators=estimators, damage=damage)
        return restorer_batch(mine, output, captioner, masks=job.masks)

    def _has_tagger(self) -> bool:
        try:
            self.captioner_for(OFFLINE)
        except InputError:
            return False
        return True


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
    png = job.folder / result_name(f"{job.name}.png", job.taken)
    file = batch.write_or_png(made, png, overwrite=False)
    result, before = made.result, upload.shown
    after = save_shown(result.image, job.folder / f".{job.number}.after.jpg")
    if result.picture.scale != 1:  # as large as the result, to lie beside it
        shown = to_image(result.picture, result.picture.rgb)
        before = save_shown(shown, job.folder / f".{job.number}.before.jpg")
    return UploadOutcome(
        name=file.name,
        order=job.order,
        before=before,
        upload=upload,
        after=after,
        file=file,
        words=result.words,
        parts=result.findings.parts(),
        doubt=result.findings.doubt(),
        damage=_without_holes(result.damage),
        **_masks(result, job),
        caption=result.caption.text,
        seconds=time.monotonic() - began,
    )


def _without_holes(damage: Damage | None) -> dict[str, Any] | None:
    """The damage as plain data, but for holes, of which the masks tell."""
    return None if damage is None else replace(damage, holes=None).plain()


def _masks(result: Result, job: UploadJob) -> dict[str, Any]:
    """The masks of a result, one of marks that were found as a file now, and where they are seen."""
    lost, kept, masks = result.picture.lost, result.picture.protected, job.masks
    if lost is None and kept is None:
        return {"masks": masks}
    if lost is not None and lost.found:
        place = job.folder / f".{job.number}.mask.png"
        lost.image().save(place)
        masks = replace(masks, holes=str(place))
    red, blue = (None if mask is None else mask.image() for mask in (lost, kept))
    return {"masks": masks, "marks": save_marks(red, blue, job.folder / f".{job.number}.marks.png")}


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


def _reason(job: UploadJob, failure: LdrpsError) -> str:
    """What a visitor is told. Where files lie is nobody's business, nor what is wrong with the program."""
    if isinstance(failure, Fault):
        return f"{job.upload.name} could not be restored, for a reason that the server's log tells"
    places = {printable(job.upload.path): job.upload.name, f"{printable(job.folder)}{os.sep}": ""}
    text = for_visitors(str(failure))
    for place, shown in places.items():
        text = text.replace(place, shown)
    return text
