"""What is done with the picture of a job: it is checked, loaded, restored and written."""

from __future__ import annotations

import io
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from ldrps.caption.base import Caption, Captioner, Hints
from ldrps.caption.none import NoCaptioner
from ldrps.caption.text import TextCaptioner, literal
from ldrps.captioning import ask
from ldrps.cost import affordable, check_reading
from ldrps.errors import SettingsError
from ldrps.image.encode import refuse_alpha
from ldrps.image.files import replace_file
from ldrps.image.formats import FORMATS
from ldrps.image.header import read_size
from ldrps.image.picture import Picture, load_picture, to_image
from ldrps.image.sheet import before_after
from ldrps.image.write import write_image
from ldrps.jobs import Job, Output, check_files
from ldrps.progress import Progress
from ldrps.restorer import Restorer
from ldrps.result import Result
from ldrps.samples import Samples, draw_samples

if TYPE_CHECKING:
    from ldrps.baselines.rival import Rival

logger = logging.getLogger(__name__)

OnStep = Callable[[Job, Progress], None]


@dataclass(frozen=True)
class Made:
    """All that was computed for a job, and nothing of it written yet."""

    job: Job
    result: Result
    samples: Samples | None = None


class Batch(ABC):
    """Restores the pictures of jobs, all in one way; subclasses say which. Keeps nothing of them.

    Args:
        output: what is written for each.
    """

    def __init__(self, output: Output) -> None:
        self.output = output

    def check(self, job: Job, *, overwrite: bool) -> None:
        """As `check_files`, of what this batch writes."""
        check_files(job, self.output, overwrite=overwrite)

    def load(self, job: Job) -> Picture:
        """The picture of a job.

        Raises:
            InputError: as `load_picture`.
            OutputError: it has alpha, for which its result's format has no room.
        """
        picture = load_picture(job.source, max_pixels=self.output.max_pixels)
        if picture.alpha is not None:
            refuse_alpha(FORMATS.get(job.target.suffix.lower(), ""), str(job.target))
        return picture

    @abstractmethod
    def make(self, job: Job, on_step: OnStep | None = None) -> Made:
        """Restore the picture of a job, in memory.

        Raises:
            LdrpsError: as loading, captioning and restoring a picture do.
        """

    def write(self, made: Made, *, overwrite: bool) -> list[Path]:
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
        return [job.target, *self.output.beside(job)]

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


class RestorerBatch(Batch):
    """Restores them with one restorer.

    Args:
        restorer: how.
        output: what is written for each.
        caption: the text for all of them, or who is asked for that of each: with a prior that knows no text, nobody is.
        recaption: ask again about the cleaner picture before each recurrence.
    """

    def __init__(
        self, restorer: Restorer, output: Output, caption: str | Captioner = "", *, recaption: bool = False
    ) -> None:
        super().__init__(output)
        self.restorer = restorer
        self._caption = _known(caption, restorer)
        self._recaption = recaption

    def make(self, job: Job, on_step: OnStep | None = None) -> Made:
        size = read_size(job.source, self.output.max_pixels)
        settings = affordable(size, self.restorer.settings, self.output.max_memory)
        picture = self.load(job)
        show = None if on_step is None else partial(on_step, job)
        told, again = self._caption, None
        if not isinstance(told, Caption):
            again = partial(told.describe, hints=Hints(path=job.source)) if self._recaption else None
            told = ask(told, picture, self.restorer.estimators, job.source)
        result = self.restorer.with_settings(settings)(picture, told, on_step=show, recaption=again)
        if not self.output.samples:
            return Made(job, result)
        # The result's settings, as the caption's negative is in them.
        alike = self.restorer.with_settings(result.settings)
        return Made(job, result, draw_samples(alike, picture, self.output.samples, told.text, on_step=show))


class RivalBatch(Batch):
    """Restores them with a rival; nobody asks for a prior or a caption.

    Args:
        rival: how.
        output: what is written for each.

    Raises:
        SettingsError: samples are wanted, which no rival draws.
    """

    def __init__(self, rival: Rival, output: Output) -> None:
        if output.samples:
            raise SettingsError(f"samples is {output.samples}; {rival.facts.name} draws none: leave --samples out")
        super().__init__(output)
        self.rival = rival

    def make(self, job: Job, on_step: OnStep | None = None) -> Made:
        check_reading(read_size(job.source, self.output.max_pixels), self.output.max_memory)
        picture = self.load(job)
        show = None if on_step is None else partial(on_step, job)
        return Made(job, self.rival(picture, on_step=show))


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
