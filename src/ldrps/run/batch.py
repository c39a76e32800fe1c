"""What is done with the picture of a job: it is checked, loaded, restored and written."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from PIL import Image

from ldrps.caption.base import Caption, Captioner, Hints
from ldrps.caption.none import NoCaptioner
from ldrps.caption.text import TextCaptioner, literal
from ldrps.captioning import ask
from ldrps.errors import OutputError, SettingsError
from ldrps.image.encode import refuse_alpha
from ldrps.image.files import replace_file
from ldrps.image.formats import FORMATS
from ldrps.image.header import read_size
from ldrps.image.limits import refuse_enlarged
from ldrps.image.picture import Picture, load_picture, to_image
from ldrps.image.sheet import before_after
from ldrps.image.write import write_image
from ldrps.masks import Masks
from ldrps.progress import OnStep, PictureRestorer, Recaption
from ldrps.restorer import Restorer
from ldrps.result import Result
from ldrps.run.job import Job, Output, check_files
from ldrps.samples import Samples, draw_samples

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Restored:
    """All that was computed for a job, and nothing of it written yet."""

    job: Job
    result: Result
    samples: Samples | None = None


@dataclass(frozen=True)
class Description:
    """What a picture shows, and who is asked again before each recurrence; None for nobody."""

    caption: Caption = field(default_factory=Caption)
    recaption: Recaption | None = None


Describe = Callable[[Picture, Path], Description]  # of a picture, and of the file that it is from
Draw = Callable[[Picture, Result, Description, OnStep | None], Samples]  # more like the result


class Batch:
    """Restores the pictures of jobs, all in one way. Keeps nothing of them.

    Args:
        restorer: how; `restorer_batch` makes a batch of one that listens to captions and draws samples.
        output: what is written for each.
        describe: who is asked what each shows; None for nobody.
        draw: who draws the samples that the output has room for; None for nobody.
        scale: how many times larger than its picture a result is, each way.
        masks: of the pictures.

    Raises:
        SettingsError: samples are wanted, and nobody draws them.
    """

    def __init__(
        self,
        restorer: PictureRestorer,
        output: Output,
        describe: Describe | None = None,
        draw: Draw | None = None,
        scale: float = 1.0,
        masks: Masks | None = None,
    ) -> None:
        if output.samples and draw is None:
            raise SettingsError(f"samples is {output.samples}; this method draws none: leave --samples out")
        self.restorer = restorer
        self.output = output
        self._describe = describe
        self._draw = draw
        self._scale = scale
        self._masks = masks or Masks()

    def check(self, job: Job, *, overwrite: bool) -> None:
        """As `check_files`, of what this batch writes."""
        check_files(job, self.output, overwrite=overwrite)

    def load(self, job: Job) -> Picture:
        """The picture of a job, with its masks, once its header tells that it can be restored in the memory there is.

        Raises:
            InputError: as `load_picture` and `Masks.on`; there is too little memory, or the result has too many pixels.
            OutputError: it has alpha, for which its result's format has no room.
        """
        output = self.output
        size = read_size(job.source, output.max_pixels, first_frame=output.first_frame)
        refuse_enlarged(str(job.source), *size, self._scale, output.max_pixels)
        self.restorer.within(size, output.max_memory)
        picture = load_picture(job.source, max_pixels=output.max_pixels, first_frame=output.first_frame)
        picture = self._masks.on(picture, job.source)
        if picture.alpha is not None:
            refuse_alpha(FORMATS.get(job.target.suffix.lower(), ""), str(job.target))
        return picture

    def restore(self, job: Job, picture: Picture, on_step: OnStep | None = None) -> Restored:
        """Restore the picture of a job, as it was loaded, in memory. `on_step` sees every step, of samples too.

        Raises:
            Cancelled: `on_step` returned False.
            LdrpsError: as captioning and restoring a picture do.
        """
        restorer = self.restorer.within(picture.size, self.output.max_memory)
        description = Description() if self._describe is None else self._describe(picture, job.source)
        result = restorer(picture, description.caption, on_step=on_step, recaption=description.recaption)
        samples = None
        if self._draw is not None and self.output.samples:
            samples = self._draw(picture, result, description, on_step)
        return Restored(job, result, samples)

    def write(self, made: Restored, *, overwrite: bool) -> list[Path]:
        """Write what was made, each file whole or not at all; returns their paths, the restored picture first.

        Raises:
            OutputError: as `Result.save`.
        """
        job, result = made.job, made.result
        self._save(result, job.target, overwrite, trace=self.output.trace)
        if made.samples is not None:
            for number, sample in enumerate(made.samples.results, 1):
                self._save(sample, job.sample(number), overwrite, trace=False)
            write_image(made.samples.spread, job.spread, overwrite=overwrite)
        if self.output.compare:
            before = to_image(result.picture, result.picture.rgb)
            _save_sheet(before_after(before, result.image), job.sheet, overwrite)
        marks = [job.marks] if self.output.trace and result.marks is not None else []
        return [job.target, *self.output.beside(job), *marks]

    def write_or_png(self, made: Restored, png: Path, *, overwrite: bool) -> Path:
        """Write the restored picture, or as a PNG at another place where the format of its own has no room for it, such
        as for transparency; returns where it is.

        Raises:
            OutputError: as `Result.save`.
        """
        try:
            return self.write(made, overwrite=overwrite)[0]
        except OutputError:
            if made.job.target.suffix.lower() == ".png":
                raise
            as_png = replace(made, job=replace(made.job, target=png))
            return self.write(as_png, overwrite=overwrite)[0]

    def _save(self, result: Result, path: Path, overwrite: bool, *, trace: bool) -> None:
        output = self.output
        result.save(
            path,
            overwrite=overwrite,
            trace=trace,
            quality=output.quality,
            keep_metadata=output.keep_metadata,
            srgb=output.srgb,
        )


def restorer_batch(
    restorer: Restorer,
    output: Output,
    caption: str | Captioner = "",
    *,
    recaption: bool = False,
    masks: Masks | None = None,
) -> Batch:
    """A batch with one of ours, which listens to captions and draws samples.

    Args:
        restorer: how.
        output: what is written for each.
        caption: the text for all of them, or who is asked for that of each: with a prior that knows no text, nobody is.
        recaption: ask again about the cleaner picture before each recurrence.
        masks: of the pictures.
    """
    known = _known(caption, restorer)

    def describe(picture: Picture, path: Path) -> Description:
        if isinstance(known, Caption):
            return Description(known)
        again = partial(known.describe, hints=Hints(path=path)) if recaption else None
        return Description(ask(known, picture, restorer.estimators, path), again)

    def draw(picture: Picture, result: Result, description: Description, on_step: OnStep | None) -> Samples:
        alike = restorer.with_settings(result.settings)  # in which the caption's negative and the windows' size are
        return draw_samples(alike, picture, output.samples, description.caption.text, on_step=on_step)

    return Batch(restorer, output, describe, draw, restorer.settings.scale, masks)


def _known(caption: str | Captioner, restorer: Restorer) -> Caption | Captioner:
    """The caption of all pictures, or the captioner if it must be asked about each."""
    if isinstance(caption, NoCaptioner):
        return Caption()
    if isinstance(caption, str | TextCaptioner):
        return literal(caption if isinstance(caption, str) else caption.text)
    if restorer.prior.has_text:
        return caption
    note = f"{restorer.prior.name} knows no text: {caption.name} is not asked for captions"
    logger.warning("%s", note)
    return Caption(note=note)


def _save_sheet(sheet: Image.Image, path: Path, overwrite: bool) -> None:
    data = io.BytesIO()
    sheet.save(data, "PNG")
    replace_file(path, lambda file: file.write(data.getvalue()), overwrite=overwrite)
