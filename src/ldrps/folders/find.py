"""The pictures of folders, and where the result of each goes: the same tree again, below another folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ldrps.errors import InputError
from ldrps.folders.names import CLUSTER, MANIFEST, is_ours, is_picture, matches
from ldrps.folders.passed import Passed
from ldrps.image.files import key_of_places
from ldrps.run.job import Job, is_file_name, no_folder, result_name


@dataclass(frozen=True)
class Wanted:
    """What is taken from folders.

    Attributes:
        sources: folders, and files that are taken whatever their names.
        out: the folder of results.
        recursive: go into folders within folders.
        include: patterns, see `names.matches`; none means every file with the suffix of a picture.
        exclude: patterns of files and folders that are left out.
        as_folder: whether `out` was called a folder, by a slash behind it.
    """

    sources: Sequence[Path]
    out: Path
    recursive: bool = False
    include: Sequence[str] = ()
    exclude: Sequence[str] = ()
    as_folder: bool = False


@dataclass
class Found:
    """What was found.

    Attributes:
        jobs: the pictures, in the order of their names.
        clashes: pictures whose results would have the name of another's, and why each is left out.
        notes: what was passed over that somebody may miss, a line each.
        others: how many files are no pictures.
        passed: what else is passed over, counted.
    """

    jobs: list[Job] = field(default_factory=list)
    clashes: list[tuple[Job, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    others: int = 0
    passed: Passed = field(default_factory=Passed)


def find(wanted: Wanted) -> Found:
    """Look through the folders. Hidden files, caches, icons and what ldrps wrote itself are not taken.

    Links to files are followed within a folder that was named, never out of it; links to folders never, as what they
    lead to within is found at its own place, and rings have no end.

    Raises:
        InputError: the results would go into a file, or into a folder of pictures itself; a source is missing.
    """
    _check(wanted)
    found = Found()
    for source in wanted.sources:
        if source.is_dir():
            root = Path(os.path.realpath(source))
            for relative in _walk(source, root, wanted, found):
                _add(found, source / relative, wanted.out / relative)
        else:
            _add(found, source, wanted.out / source.name)
    _part_clashes(found, key_of_places(wanted.out))
    found.notes += found.passed.notes()
    return found


def _check(wanted: Wanted) -> None:
    out = wanted.out
    if is_file_name(out, as_folder=wanted.as_folder) or (os.path.lexists(out) and not out.is_dir()):
        raise no_folder("a folder of pictures", out)
    for source in wanted.sources:
        if not source.exists():
            raise InputError(f"{source} does not exist: check the name and the folder")
        if source.is_dir() and out.exists() and out.samefile(source):
            raise InputError(f"{out} is the folder of the pictures themselves: give another one for the results")


def _walk(folder: Path, root: Path, wanted: Wanted, found: Found) -> Iterator[Path]:
    """The pictures below `folder`, relative to it. `root` is where it really lies."""
    out = os.path.realpath(wanted.out)
    stack = [Path()]
    while stack:
        relative = stack.pop()
        try:
            with os.scandir(folder / relative) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            found.notes.append(f"{folder / relative} cannot be looked into ({error.strerror})")
            continue
        files = {entry.name for entry in entries}
        within = []
        for entry in entries:
            path = relative / entry.name
            if matches(path, wanted.exclude) or found.passed.takes(entry):
                continue
            if entry.is_dir(follow_symlinks=False):
                if not wanted.recursive:
                    found.passed.folders += os.path.realpath(folder / path) != out
                elif _may_enter(folder / path, out, found):
                    within.append(path)
            elif _is_wanted(entry, path, files, root, wanted, found):
                yield path
        stack += reversed(within)


def _may_enter(folder: Path, out: str, found: Found) -> bool:
    if os.path.realpath(folder) == out:
        return False  # the results of this very command
    if os.path.lexists(folder / MANIFEST) or os.path.lexists(folder / CLUSTER):
        found.notes.append(f"{folder} is passed over: it holds results of ldrps")
        return False
    return True


def _is_wanted(
    entry: os.DirEntry[str], path: Path, siblings: set[str], root: Path, wanted: Wanted, found: Found
) -> bool:
    """Whether a file, or a link to whatever, is a picture that is wanted; notes and counts what is not."""
    name = matches(path, wanted.include) if wanted.include else is_picture(entry.name)
    if entry.is_symlink():
        end = Path(os.path.realpath(entry.path))
        if end.is_dir():
            if wanted.recursive:
                found.notes.append(f"{entry.path} is passed over: it is a link to a folder; name that folder")
            return False
        if name and not end.is_relative_to(root):
            found.notes.append(f"{entry.path} is passed over: it leads out of the folder; name {end}")
            return False
        if name and not end.exists():
            found.notes.append(f"{entry.path} is passed over: it is a link that leads nowhere")
            return False
    if not name:
        if not wanted.include and not found.passed.takes_sidecar(entry.name):
            found.others += 1  # what patterns leave out was left out on purpose
        return False
    return not is_ours(entry.name, siblings) and not found.passed.takes_small(entry)


def _add(found: Found, source: Path, place: Path) -> None:
    found.jobs.append(Job(source, place.with_name(result_name(place))))


def _part_clashes(found: Found, key: Callable[[Path], str]) -> None:
    """Leave one job for each target, that of the picture whose name is kept, else the first; none whose target is
    itself a picture to be restored, as where the results go into a folder above.
    """
    pictures = {os.path.abspath(job.source) for job in found.jobs}
    by_target: dict[str, list[Job]] = {}
    for job in found.jobs:
        if os.path.abspath(job.target) in pictures:
            reason = f"the result of {job.source} would be {job.target}, another picture to restore"
            found.clashes.append((job, f"{reason}: give another folder for the results"))
        else:
            by_target.setdefault(key(job.target), []).append(job)
    found.jobs = []
    for jobs in by_target.values():
        kept = next((job for job in jobs if job.source.name == job.target.name), jobs[0])
        found.jobs.append(kept)
        for job in jobs:
            if job is not kept:
                reason = f"{job.source} and {kept.source} would both become {kept.target}: rename one"
                found.clashes.append((job, reason))
