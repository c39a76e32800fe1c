"""The pictures of folders, and where the result of each goes: the same tree again, below another folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from ldrps.errors import InputError
from ldrps.folders.looking import Noted, Place, look, parted
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


@dataclass(kw_only=True)
class Found(Noted):
    """What was found, and what was not taken.

    Attributes:
        jobs: the pictures, in the order of their names.
        clashes: pictures whose results would have the name of another's, and why each is left out.
    """

    jobs: list[Job] = field(default_factory=list)
    clashes: list[tuple[Job, str]] = field(default_factory=list)


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
            for folder, pictures in look(_Folder(source, wanted, found), wanted, found):
                for name in (entry.name for entry in pictures):
                    _add(found, source / folder / name, wanted.out / folder / name)
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


class _Folder(Place["os.DirEntry[str]"]):
    """A folder of this machine."""

    def __init__(self, folder: Path, wanted: Wanted, found: Found) -> None:
        self._folder, self._root = folder, Path(os.path.realpath(folder))
        self._out, self._recursive, self._found = os.path.realpath(wanted.out), wanted.recursive, found

    def entries(self, folder: PurePath) -> Sequence[os.DirEntry[str]]:
        try:
            with os.scandir(self._folder / folder) as listing:
                return sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            self._found.notes.append(f"{self.called(folder)} cannot be looked into ({error.strerror})")
            return []

    def called(self, folder: PurePath) -> str:
        return str(self._folder / folder)

    def is_out(self, folder: PurePath) -> bool:
        return os.path.realpath(self._folder / folder) == self._out

    def leads_astray(self, entry: os.DirEntry[str], is_named: bool) -> bool:
        if not entry.is_symlink():
            return False
        end, why = Path(os.path.realpath(entry.path)), ""
        if end.is_dir():
            if not self._recursive:
                return True
            why = "it is a link to a folder; name that folder"
        elif is_named and not end.is_relative_to(self._root):
            why = f"it leads out of the folder; name {end}"
        elif is_named and not end.exists():
            why = "it is a link that leads nowhere"
        if why:
            self._found.notes.append(f"{entry.path} is passed over: {why}")
        return bool(why)

    def is_small(self, entry: os.DirEntry[str]) -> bool:
        return self._found.passed.takes_small(entry)


def _add(found: Found, source: Path, place: Path) -> None:
    found.jobs.append(Job(source, place.with_name(result_name(place))))


def _part_clashes(found: Found, key: Callable[[Path], str]) -> None:
    """Leave one job for each target, that of the picture whose name is kept, else the first; none whose target is
    itself a picture to be restored, as where the results go into a folder above.
    """
    pictures, jobs = {os.path.abspath(job.source) for job in found.jobs}, []
    for job in found.jobs:
        if os.path.abspath(job.target) in pictures:
            reason = f"the result of {job.source} would be {job.target}, another picture to restore"
            found.clashes.append((job, f"{reason}: give another folder for the results"))
        else:
            jobs.append(job)
    found.jobs = []
    for kept, others in parted(jobs, lambda job: key(job.target)):
        found.jobs.append(kept)
        found.clashes += others
