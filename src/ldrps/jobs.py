"""What is to be restored, and where the results go. Free of torch, so that a mistake is told at once."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ldrps.errors import InputError, SettingsError
from ldrps.image.formats import FORMATS
from ldrps.image.limits import MAX_PIXELS


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
        return self.target.with_name(f"{self.target.name}.json")

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

    def __post_init__(self) -> None:
        if self.samples == 1 or self.samples < 0:
            raise SettingsError(f"samples is {self.samples}; it must be at least 2, to see where they differ, or 0")

    def beside(self, job: Job) -> list[Path]:
        """The files that are written beside the result of a job, in the order in which they are told."""
        drawn = [job.sample(number) for number in range(1, self.samples + 1)]
        spread = [job.spread] if self.samples else []
        return [job.sheet] * self.compare + [job.record] * self.trace + drawn + spread


def result_name(source: Path) -> str:
    """What the result of a picture is called: formats that are only read become PNG."""
    return source.name if source.suffix.lower() in FORMATS else f"{source.name}.png"


def is_file_name(out: Path) -> bool:
    """Whether `out` means one file, not a folder: it has a suffix that is written, and is no folder already."""
    return out.suffix.lower() in FORMATS and not os.path.isdir(out)


def plan_jobs(sources: Sequence[Path], out: Path) -> list[Job]:
    """Pair pictures with places: `out` is a file for one picture if it has a suffix, else a folder.

    In a folder each keeps its name; formats that are only read become PNG.

    Raises:
        InputError: several pictures for one file, or two that would have the same name.
    """
    as_file = is_file_name(out)
    if as_file and len(sources) > 1:
        raise InputError(f"{len(sources)} pictures cannot go into one file, {out}: give a folder")
    if as_file:
        return [Job(sources[0], out)]
    jobs: dict[Path, Job] = {}
    for source in sources:
        target = out / result_name(source)
        if target in jobs:
            raise InputError(f"{jobs[target].source} and {source} would both become {target}: restore them apart")
        jobs[target] = Job(source, target)
    return list(jobs.values())
