"""How it stands with a picture: whether it is to be done, and what may be replaced for it."""

from __future__ import annotations

import hashlib
import os
import stat
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from ldrps.errors import InputError
from ldrps.folders.alive import SILENCE, Process
from ldrps.run.fingerprint import Fingerprint
from ldrps.run.job import Job, Output

State = Literal["open", "finished", "busy", "failed"]
_HALF_WRITTEN = ("writing", "torn")
_LATEST = 2**63 - 1
SeenAs = tuple[bytes | None, int | None, int | None]  # path, size in bytes, time of change in ns


@dataclass(frozen=True)
class Status:
    """How it stands with a job.

    Attributes:
        state: "open": to be done; "finished": its result is there; "busy": another process is at it; "failed": it was
            tried during this run, maybe by another process, or its result would replace that of another picture.
        overwrite: whether the files that are there may be replaced: they are ours, or it was asked for.
        reason: of the failure.
        is_torn: whether some of its files were written, and not all.
    """

    state: State
    overwrite: bool = False
    reason: str = ""
    is_torn: bool = False


@dataclass(frozen=True)
class Place:
    """Where the results of a run go, and what it wants there.

    Attributes:
        root: the folder.
        recipe: the fingerprint of all that decides a result beside its picture.
        output: which files there are to be for each picture, and whether finished ones are done again.
        began: when the run began, as `time.time()`: what was done since is not done again.
    """

    root: Path
    recipe: Fingerprint
    output: Output
    began: float

    def mark(self, job: Job) -> str:
        """A hash of all that decides the result of a job beside its picture, as it is now."""
        return self.recipe if isinstance(self.recipe, str) else self.recipe.of(job.source)

    def beside(self, job: Job) -> list[Path]:
        """What counts beside a job's picture: where its caption is, or would be, and its masks, if any are in files."""
        return [] if isinstance(self.recipe, str) else self.recipe.files(job.source)


class Source:
    """A picture to be restored, as it is now.

    Raises:
        InputError: it is not there, cannot be looked at, or is no file: opening a pipe would wait for ever.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            status = path.stat()
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise InputError(f"{path} cannot be found ({reason}): was it moved meanwhile?") from error
        if not stat.S_ISREG(status.st_mode):
            raise InputError(f"{path} is no file but a folder, a pipe or a device: leave it out")
        self.size, self.mtime = status.st_size, _changed(status)

    @property
    def seen_as(self) -> SeenAs:
        """What is compared first."""
        return os.fsencode(os.path.abspath(self.path)), self.size, self.mtime

    @cached_property
    def content(self) -> str:
        """SHA-256 of the file, read when first asked for.

        Raises:
            InputError: it cannot be read.
        """
        try:
            with self.path.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise InputError(f"{self.path} cannot be read ({error.strerror}): check its permissions") from error


@dataclass(frozen=True)
class Row:
    """What is known of a result.

    Attributes:
        state: "working" while a process is at it, or was when it died; "writing" likewise, from when some of its
            files may be there; "done"; "failed"; "torn": failed with some of its files written.
        since: when that began.
        reason: of the failure.
        tried: size and time of change of the picture when it was last begun.
        seen_as, content: the picture that the result is of; None before there was one.
        recipe: the mark of how it was made, see `Place`.
        made: size and time of change of the result.
        holder: the process that is at it.
        seen: when that last said that it was there.
    """

    state: str
    since: float
    reason: str
    tried: tuple[int | None, int | None]
    seen_as: SeenAs
    content: str | None
    recipe: str | None
    made: tuple[int | None, int | None]
    holder: Process | None = None
    seen: float = 0.0

    @property
    def is_held(self) -> bool:
        """Whether a process that is alive is at it."""
        if self.state not in ("working", "writing") or self.holder is None:
            return False
        # A time to come, by however much, is as strange as one long ago: it must not hold a picture for ever.
        return not self.holder.is_gone(abs(time.time() - self.seen))


def judge(job: Job, row: Row | None, source: Source, place: Place) -> Status:
    """How it stands with a job of which `row` is known.

    Raises:
        InputError: the picture cannot be read, where its content has to be compared.
    """
    force = place.output.overwrite
    if not is_within(job.target.parent, place.root):
        return Status("failed", reason=_out_of_folder(job, place))
    if row is None:
        return Status("open", force)
    if row.is_held:
        return Status("busy")
    during = place.began <= row.since <= time.time() + SILENCE  # other machines may be a bit ahead
    if row.state in ("failed", "torn") and during and row.tried == (source.size, source.mtime):
        return Status("failed", reason=row.reason)
    target = signature(job.target)
    if row.content is not None and target is not None:
        same = row.seen_as == source.seen_as or row.content == source.content
        if not same and row.seen_as[0] != source.seen_as[0] and not force and row.state not in _HALF_WRITTEN:
            return Status("failed", reason=_of_another(job, row))
        is_whole = row.state == "done" and same and _is_complete(job, target, row, place.output)
        if is_whole and (during or not force) and row.recipe == place.mark(job):
            return Status("finished")
    # Ours to replace: what is as we left it, and what was being written when a process died or failed. Else others'
    # hands were on it. Where there is no result any more, only what was beside it may be left.
    ours = row.state in _HALF_WRITTEN or (row.content is not None and target in (None, row.made))
    return Status("open", force or ours, is_torn=row.state in _HALF_WRITTEN)


def _is_complete(job: Job, target: tuple[int, int], row: Row, output: Output) -> bool:
    """Whether all that is wanted beside a result is there, and as new: it is written after the result.

    Copies of a folder may have coarser times than were noted.
    """
    made = target[1] if row.made[1] is None else min(row.made[1], target[1])
    beside = [signature(path) for path in output.beside(job)]
    return all(each is not None and each[1] >= made for each in beside)


def signature(path: Path) -> tuple[int, int] | None:
    """Size and time of change of a file; None where there is none."""
    try:
        status = path.lstat()
    except (OSError, ValueError):
        return None
    return status.st_size, _changed(status)


def _changed(status: os.stat_result) -> int:
    """When a file was changed, in ns, as far as SQLite can keep it: from 1677 to 2262."""
    return max(-_LATEST, min(status.st_mtime_ns, _LATEST))


def is_within(folder: Path, root: Path) -> bool:
    """Whether a folder, which need not be there, is one below `root` or `root` itself, once links are followed."""
    return Path(os.path.realpath(folder)).is_relative_to(os.path.realpath(root))


def _out_of_folder(job: Job, place: Place) -> str:
    folder = job.target.parent
    return (
        f"{job.target} would not be in {place.root}, as a link leads from {folder} to {os.path.realpath(folder)}: "
        "put a folder in the place of the link, or give the other one as --out"
    )


def _of_another(job: Job, row: Row) -> str:
    other = os.fsdecode(row.seen_as[0] or b"")
    return f"{job.target} is the result of {other}, not of {job.source}: give another folder, or --force to replace it"
