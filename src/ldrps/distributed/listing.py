"""The pictures of a folder, wherever it is, each with what tells it from others, by the rules of `ldrps.folders`."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from ldrps.distributed.store import Store
from ldrps.errors import InputError
from ldrps.folders.find import Wanted, find
from ldrps.folders.names import CLUSTER, MANIFEST, is_ours, is_picture, matches
from ldrps.run.job import result_name

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

    Of a folder of this machine they are those that `ldrps restore` takes. Elsewhere names alone tell: hidden files are
    passed over, and so are sheets and samples beside their results. No more than one folder is held in memory then.

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
    stack, is_first, passed = [""], True, 0
    while stack:
        folder = stack.pop()
        entries = source.entries(folder)
        if is_first and not entries:
            raise InputError(f"{source.url} holds nothing, or is not there: check the address")
        is_first, within = False, []
        if folder and any(str(each["name"]).rstrip("/").endswith((f"/{MANIFEST}", f"/{CLUSTER}")) for each in entries):
            listing.notes.append(f"{source.url_of(folder)} is passed over: it holds results of ldrps")
            continue
        by_name = {str(each["name"]).rstrip("/").rpartition("/")[2]: each for each in entries}
        names = []
        for name, each in by_name.items():
            key = f"{folder}/{name}" if folder else name
            if name.startswith(".") or matches(PurePosixPath(key), asked.exclude):
                continue
            if each["type"] == "directory":
                passed += not asked.recursive
                if asked.recursive and source.url_of(key) != out.url:
                    within.append(key)
            elif _is_wanted(name, key, by_name.keys(), asked, listing):
                names.append(name)
        yield from _apart(folder, names, by_name.__getitem__, listing)
        stack += reversed(within)
    if passed:
        listing.notes.append(f"{passed} folders within {source.url} passed over: --recursive takes them")


def _is_wanted(name: str, key: str, siblings: Collection[str], asked: Asked, listing: Listing) -> bool:
    wanted = matches(PurePosixPath(key), asked.include) if asked.include else is_picture(name)
    listing.others += not wanted and not asked.include
    return wanted and not is_ours(name, siblings)


def _apart(folder: str, names: list[str], about: Callable[[str], dict[str, Any]], listing: Listing) -> Iterator[Listed]:
    """The pictures of one folder; of two that would have the same result, the one whose name is kept."""
    taken = {name for name in names if result_name(Path(name)) == name}
    prefix = f"{folder}/" if folder else ""
    for name in names:
        target = result_name(Path(name))
        if target != name and target in taken:
            listing.clashes.append(
                f"{prefix}{name} and {prefix}{target} would both become {prefix}{target}: rename one"
            )
            continue
        taken.add(target)
        entry = about(name)
        stamp = next((entry[each] for each in _STAMPS if entry.get(each) is not None), "")
        yield Listed(prefix + name, prefix + target, f"{entry.get('size', '')} {stamp}")
