"""The pictures of a folder, wherever it is, each with what tells it from others, by the rules of `ldrps.folders`."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any

from ldrps.distributed.store import Store
from ldrps.errors import InputError
from ldrps.folders.find import Wanted, find
from ldrps.folders.looking import Noted, Place, look, parted
from ldrps.run.job import Job, result_name

# What stores tell by which a file that was changed can be told from what it was; the first that there is.
_STAMPS = ("ETag", "etag", "md5Hash", "mtime", "LastModified", "updated", "created")


@dataclass(frozen=True)
class Asked:
    """Which pictures are wanted; see `ldrps.folders.find.Wanted`."""

    recursive: bool = False
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True)
class Listed:
    """A picture: its key below the folder of pictures, that of its result below the folder of results, and its stamp,
    which is another once the file was changed.
    """

    key: str
    target: str
    stamp: str

    def id(self, attempt: int = 0) -> int:
        """By which the ledger knows it, from 0 to 2^63 - 1; another one for each attempt at the same file.

        Ray holds the ids of all that is done in memory, where numbers take 8 bytes and texts ten times as much. Of ten
        million pictures, two have the same with a chance of 1 in 200,000: the product of their pairs and of 2^-63.
        """
        about = json.dumps([self.key, self.target, self.stamp, attempt]).encode("utf-8", "surrogateescape")
        return int.from_bytes(hashlib.sha256(about).digest()[:8], "big") >> 1


@dataclass
class Listing:
    """What was found on the way.

    Attributes:
        notes: what was passed over that somebody may miss, a line each.
        others: how many files are no pictures.
        clashes: why pictures are left out whose results would have the name of another's.
    """

    notes: list[str] = field(default_factory=list)
    others: int = 0
    clashes: list[str] = field(default_factory=list)


def listed(source: Store, out: Store, asked: Asked, listing: Listing) -> Iterator[Listed]:
    """The pictures of a folder, in the order of their names; what is passed over is noted in `listing`.

    Of a folder of this machine they are those that `ldrps restore` takes. Elsewhere names alone tell, by the same
    rules. No more than one folder is held in memory then.

    Raises:
        InputError: the folder is not there or cannot be listed; or the results would go into it.
    """
    if source.url == out.url:
        raise InputError(f"{out.url} is the folder of the pictures themselves: give another one for the results")
    yield from _local(source.path, out, asked, listing) if source.path else _elsewhere(source, out, asked, listing)


def _local(folder: Path, out: Store, asked: Asked, listing: Listing) -> Iterator[Listed]:
    if not os.path.isdir(folder):
        raise InputError(f"{folder} is no folder: give one of pictures to --ray")
    results = out.path or Path("/", "results")  # of which only what follows counts
    found = find(Wanted([folder], results, asked.recursive, asked.include, asked.exclude, as_folder=True))
    listing.notes, listing.others = found.notes, found.others
    listing.clashes = [reason for _, reason in found.clashes]
    for job in found.jobs:
        try:
            status = job.source.stat()
            stamp = f"{status.st_size} {status.st_mtime_ns}"
        except OSError:  # of which restoring will tell
            stamp = ""
        yield Listed(job.source.relative_to(folder).as_posix(), job.target.relative_to(results).as_posix(), stamp)


def _elsewhere(source: Store, out: Store, asked: Asked, listing: Listing) -> Iterator[Listed]:
    noted = Noted()
    for folder, pictures in look(_Elsewhere(source, out), asked, noted):
        by_name = {entry.name: entry for entry in pictures}
        jobs = (Job(path, path.with_name(result_name(path))) for path in (Path(folder, name) for name in by_name))
        for job, others in parted(jobs, lambda job: job.target.name):
            yield Listed(job.source.as_posix(), job.target.as_posix(), by_name[job.source.name].stamp)
            listing.clashes += [reason for _, reason in others]
    listing.notes, listing.others = [*noted.notes, *noted.passed.notes()], noted.others


class _Entry:
    """What lies in a folder of a store, as it tells of it: name, type, size and more."""

    def __init__(self, about: Mapping[str, Any]) -> None:
        self._about = about
        self.name = str(about["name"]).rstrip("/").rpartition("/")[2]

    def is_dir(self, *, follow_symlinks: bool = True) -> bool:
        return bool(self._about["type"] == "directory")

    def is_file(self) -> bool:
        return not self.is_dir()

    @property
    def stamp(self) -> str:
        stamp = next((self._about[each] for each in _STAMPS if self._about.get(each) is not None), "")
        return f"{self._about.get('size', '')} {stamp}"


class _Elsewhere(Place[_Entry]):
    """A folder of which names alone are known."""

    def __init__(self, source: Store, out: Store) -> None:
        self._source, self._out = source, out

    def entries(self, folder: PurePath) -> Sequence[_Entry]:
        found = self._source.entries(_key(folder))
        if not found and not folder.parts:
            raise InputError(f"{self._source.url} holds nothing, or is not there: check the address")
        return [*{entry.name: entry for entry in map(_Entry, found)}.values()]  # a folder may have a file of its name

    def called(self, folder: PurePath) -> str:
        return self._source.url_of(_key(folder))

    def is_out(self, folder: PurePath) -> bool:
        return self.called(folder) == self._out.url


def _key(folder: PurePath) -> str:
    return folder.as_posix() if folder.parts else ""
