"""Several pictures, one after the other: a bad one is reported and does not stop the rest."""

from __future__ import annotations

import io
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from ldrps.caption.base import Caption, Captioner
from ldrps.caption.none import NoCaptioner
from ldrps.caption.text import TextCaptioner, literal
from ldrps.captioning import ask
from ldrps.errors import InputError, LdrpsError, PriorError, SettingsError
from ldrps.image.files import replace_file, taken
from ldrps.image.limits import MAX_PIXELS
from ldrps.image.picture import Picture, load_picture, to_image
from ldrps.image.sheet import before_after
from ldrps.image.write import FORMATS, check_output, write_image
from ldrps.restorer import Progress, Restorer
from ldrps.result import Result
from ldrps.samples import check_count, draw_samples

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """One picture to restore: where it is, and where the result goes."""

    source: Path
    target: Path

    @property
    def sheet(self) -> Path:
        """Where the sheet of before and after goes."""
        return self.target.with_name(f"{self.target.name}.compare.png")

    def sample(self, number: int) -> Path:
        """Where sample `number`, from 1, goes."""
        return self.target.with_name(f"{self.target.stem}.sample{number}{self.target.suffix}")

    @property
    def spread(self) -> Path:
        """Where the map of the samples' spread goes."""
        return self.target.with_name(f"{self.target.name}.spread.png")


@dataclass(frozen=True)
class Done:
    """What became of a job: the result, or the error."""

    job: Job
    result: Result | None = None
    error: LdrpsError | None = None
    written: Sequence[Path] = field(default_factory=list)


def plan_jobs(sources: Sequence[Path], out: Path) -> list[Job]:
    """Pair pictures with places: `out` is a file for one picture if it has a suffix, else a folder.

    In a folder each keeps its name; formats that are only read become PNG.

    Raises:
        InputError: several pictures for one file, or two that would have the same name.
    """
    as_file = out.suffix.lower() in FORMATS and not out.is_dir()
    if as_file and len(sources) > 1:
        raise InputError(f"{len(sources)} pictures cannot go into one file, {out}: give a folder")
    if as_file:
        return [Job(sources[0], out)]
    jobs: dict[Path, Job] = {}
    for source in sources:
        writable = source.suffix.lower() in FORMATS
        target = out / (source.name if writable else f"{source.name}.png")
        if target in jobs:
            raise InputError(f"{jobs[target].source} and {source} would both become {target}: restore them apart")
        jobs[target] = Job(source, target)
    return list(jobs.values())


def run_jobs(
    jobs: Sequence[Job],
    restorer: Restorer,
    *,
    caption: str | Captioner = "",
    overwrite: bool = False,
    compare: bool = False,
    trace: bool = False,
    samples: int = 0,
    max_pixels: int = MAX_PIXELS,
    on_step: Callable[[Job, Progress], None] | None = None,
) -> Iterator[Done]:
    """Restore each and write it at once, yielding what became of it. The caller's own errors pass through.

    `caption` is the text for all of them, or who is asked for that of each: with a prior that knows no text, nobody is.
    `samples`, if not 0, is how many further restorations of each are drawn and written, with the map of their spread.

    Raises:
        SettingsError, PriorError: what no picture could be restored with.
    """
    if samples:
        check_count(samples)
    told = _known(caption, restorer)
    for job in jobs:
        try:
            yield _run(job, restorer, told, overwrite, compare, trace, samples, max_pixels, on_step)
        except (SettingsError, PriorError):
            raise  # would be the same for every picture
        except LdrpsError as error:
            yield Done(job, error=error)


def _run(
    job: Job,
    restorer: Restorer,
    caption: Caption | Captioner,
    overwrite: bool,
    compare: bool,
    trace: bool,
    samples: int,
    max_pixels: int,
    on_step: Callable[[Job, Progress], None] | None,
) -> Done:
    extra = [job.sheet] * compare + [job.target.with_name(job.target.name + ".json")] * trace
    drawn = [job.sample(number) for number in range(1, samples + 1)]
    extra += [*drawn, job.spread] if samples else []
    check_output(job.target, overwrite=overwrite)  # before the work, not after it
    for path in extra:
        if not overwrite and os.path.lexists(path):
            raise taken(path)
    picture = load_picture(job.source, max_pixels=max_pixels)
    show = None if on_step is None else partial(on_step, job)
    told = caption if isinstance(caption, Caption) else ask(caption, picture, restorer.prior, job.source)
    result = restorer(picture, told, on_step=show)
    result.save(job.target, overwrite=overwrite, trace=trace)
    if samples:
        alike = Restorer(restorer.prior, result.settings, features=restorer.features)  # the caption's negative in them
        likely = draw_samples(alike, picture, samples, told.text, on_step=show)
        for sample, path in zip(likely.results, drawn, strict=True):
            sample.save(path, overwrite=overwrite, trace=False)
        write_image(likely.spread, job.spread, overwrite=overwrite)
    if compare:
        _save_sheet(picture, result, job.sheet, overwrite)
    return Done(job, result, written=[job.target, *extra])


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


def _save_sheet(picture: Picture, result: Result, path: Path, overwrite: bool) -> None:
    sheet = before_after(to_image(picture, picture.rgb), result.image)
    data = io.BytesIO()
    sheet.save(data, "PNG")
    replace_file(path, lambda file: file.write(data.getvalue()), overwrite=overwrite)
