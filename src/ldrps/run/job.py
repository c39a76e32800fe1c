"""What is to be restored, and where the results go. Free of torch, so that a mistake is told at once."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ldrps.errors import InputError, LdrpsError, OutputError, SettingsError
from ldrps.image.files import MARKS, RECORD, check_output, format_of, is_there, key_of_places, taken
from ldrps.image.formats import FORMATS
from ldrps.image.limits import MAX_PIXELS

_LIKE_A_FILE = re.compile(r"\.(?=\d*[a-z])[a-z\d]{1,4}", re.IGNORECASE)  # .gif, .jp2; not .5 or .photos


@dataclass(frozen=True)
class Job:
    """One picture to restore: where it is, and where the result goes."""

    source: Path
    target: Path

    @property
    def sheet(self) -> Path:
        """Where the sheet of before and after goes."""
        return self.target.with_name(f"{self.target.name}.compare.png")

    @property
    def record(self) -> Path:
        """Where the record of the restoration goes."""
        return self.target.with_name(self.target.name + RECORD)

    @property
    def marks(self) -> Path:
        """Where the mask of the marks goes that are found on it, if there are any."""
        return self.target.with_name(self.target.name + MARKS)

    def sample(self, number: int) -> Path:
        """Where sample `number`, from 1, goes."""
        return self.target.with_name(f"{self.target.stem}.sample{number}{self.target.suffix}")

    @property
    def spread(self) -> Path:
        """Where the map of the samples' spread goes."""
        return self.target.with_name(f"{self.target.name}.spread.png")


@dataclass(frozen=True)
class Output:
    """What is written for each picture, the same for all.

    Attributes:
        overwrite: replace files that exist.
        compare: also write a sheet of before and after.
        trace: also write settings, losses and timings as JSON.
        samples: also draw and write so many likely restorations, and a map of where they differ; 0 or at least 2.
        max_pixels: larger pictures are refused.
        max_memory: bytes that this process may take; windows shrink to stay within it. None for what is free.
        quality: of JPEG, WEBP and AVIF, 1 to 100; None for the writers' own.
        keep_metadata: carry EXIF and XMP data over.
        srgb: convert results to sRGB instead of keeping the colour space of their pictures.
        first_frame: take the first of files of several pictures, which are refused else.

    Raises:
        SettingsError: one sample, which differs from nothing.
    """

    overwrite: bool = False
    compare: bool = False
    trace: bool = False
    samples: int = 0
    max_pixels: int = MAX_PIXELS
    max_memory: int | None = None
    quality: int | None = None
    keep_metadata: bool = True
    srgb: bool = False
    first_frame: bool = False

    def __post_init__(self) -> None:
        if self.samples == 1 or self.samples < 0:
            raise SettingsError(f"samples is {self.samples}; it must be at least 2, to see where they differ, or 0")

    def beside(self, job: Job) -> list[Path]:
        """The files that are written beside the result of a job, in the order in which they are told."""
        drawn = [job.sample(number) for number in range(1, self.samples + 1)]
        spread = [job.spread] if self.samples else []
        return [job.sheet] * self.compare + [job.record] * self.trace + drawn + spread


def check_files(job: Job, output: Output, *, overwrite: bool) -> None:
    """Find out before the work, not after it, whether the files of a job could be written. Touches nothing.

    Raises:
        OutputError: one of them cannot, or exists and may not be overwritten.
    """
    check_output(job.target, overwrite=overwrite)
    for path in [*output.beside(job), *[job.marks] * output.trace]:
        if is_there(path) and not overwrite:
            raise taken(path)


def part_hopeless(
    jobs: Sequence[Job], output: Output, check: Callable[[tuple[int, int]], object] | None = None
) -> tuple[list[Job], list[tuple[Job, str]]]:
    """Jobs that may be begun, and those whose names or headers tell that they would fail, each with the reason.

    Nothing is loaded for that, and nothing touched. `check` raises an LdrpsError for a width and height that are too
    much to ask.
    """
    from ldrps.image.header import read_size

    good: list[Job] = []
    hopeless: list[tuple[Job, str]] = []
    for job in jobs:
        try:
            check_files(job, output, overwrite=output.overwrite)
            size = read_size(job.source, output.max_pixels, first_frame=output.first_frame)
            if check is not None:
                check(size)
        except LdrpsError as error:
            hopeless.append((job, error.on_command_line))
        else:
            good.append(job)
    return good, hopeless


def result_name(source: Path) -> str:
    """What the result of a picture is called: formats that are only read become PNG."""
    return source.name if source.suffix.lower() in FORMATS else f"{source.name}.png"


def is_file_name(out: Path, *, as_folder: bool = False) -> bool:
    """Whether `out` means one file, not a folder: it ends as names of files do, was not called a folder by a slash
    behind it, and is none already.
    """
    return not as_folder and _LIKE_A_FILE.fullmatch(out.suffix) is not None and not os.path.isdir(out)


def no_folder(what: str, out: Path) -> InputError:
    """The error for an `out` that means one file, where `what` needs a folder."""
    return InputError(
        f"{what} cannot go into one file, {out}: give a folder; to have one of such a name made, end it with /"
    )


def plan_jobs(sources: Sequence[Path], out: Path, *, as_folder: bool = False) -> list[Job]:
    """Pair pictures with places: `out` is a file for one picture, or a folder, see `is_file_name`.

    In a folder each keeps its name; formats that are only read become PNG.

    Raises:
        InputError: several pictures for one file, or two that would have the same name.
        OutputError: one file of a format that is not written.
    """
    as_file = is_file_name(out, as_folder=as_folder)
    if as_file and len(sources) > 1:
        raise no_folder(f"{len(sources)} pictures", out)
    if as_file:
        try:
            format_of(out)
        except OutputError as error:
            raise OutputError(f"{error}, or end it with / if a folder is meant") from None
        return [Job(sources[0], out)]
    jobs: dict[str, Job] = {}
    key = key_of_places(out)
    for source in sources:
        target = out / result_name(source)
        if (other := jobs.get(key(target))) is not None:
            raise InputError(f"{other.source} and {source} would both become {other.target}: restore them apart")
        jobs[key(target)] = Job(source, target)
    return list(jobs.values())
