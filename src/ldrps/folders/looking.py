"""Looking through a folder, wherever it is: which of its files are pictures that are wanted, told by names."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Generic, Protocol, TypeVar

from ldrps.folders.names import CLUSTER, MANIFEST, is_ours, is_picture, matches
from ldrps.folders.passed import Entry, Passed
from ldrps.run.job import Job

E = TypeVar("E", bound=Entry)


class Choice(Protocol):
    """Which pictures are wanted: see `find.Wanted`."""

    @property
    def recursive(self) -> bool: ...
    @property
    def include(self) -> Sequence[str]: ...
    @property
    def exclude(self) -> Sequence[str]: ...


@dataclass
class Noted:
    """What was seen on the way and not taken.

    Attributes:
        notes: what was passed over that somebody may miss, a line each.
        others: how many files are no pictures.
        passed: what else is passed over, counted.
    """

    notes: list[str] = field(default_factory=list)
    others: int = 0
    passed: Passed = field(default_factory=Passed)


class Place(ABC, Generic[E]):
    """A folder, and what only its kind can tell."""

    @abstractmethod
    def entries(self, folder: PurePath) -> Sequence[E]:
        """What lies directly in a folder of it, by name."""

    @abstractmethod
    def called(self, folder: PurePath) -> str:
        """A folder of it, as people know it."""

    @abstractmethod
    def is_out(self, folder: PurePath) -> bool:
        """Whether it is where the results of this very command go."""

    def leads_astray(self, entry: E, is_named: bool) -> bool:
        """Whether a file is a link that is not followed; `is_named`: its name is that of a picture that is wanted."""
        return False

    def is_small(self, entry: E) -> bool:
        """Whether a picture is too small to be restored, as far as that can be told without fetching it."""
        return False


def look(place: Place[E], choice: Choice, noted: Noted) -> Iterator[tuple[PurePath, list[E]]]:
    """Each folder, by its path within the place, with the pictures in it; hidden files, caches and what ldrps wrote
    itself are not taken.
    """
    stack = [PurePath()]
    while stack:
        folder = stack.pop()
        entries = place.entries(folder)
        names = {entry.name for entry in entries}
        if folder.parts and not names.isdisjoint((MANIFEST, CLUSTER)):
            noted.notes.append(f"{place.called(folder)} is passed over: it holds results of ldrps")
            continue
        pictures, within = [], []
        for entry in entries:
            path = folder / entry.name
            if matches(path, choice.exclude) or noted.passed.takes(entry):
                continue
            if not entry.is_dir(follow_symlinks=False):
                if _is_wanted(place, entry, path, names, choice, noted):
                    pictures.append(entry)
            elif not place.is_out(path):
                noted.passed.folders += not choice.recursive
                within += [path] if choice.recursive else []
        yield folder, pictures
        stack += reversed(within)


def _is_wanted(
    place: Place[E], entry: E, path: PurePath, siblings: Collection[str], choice: Choice, noted: Noted
) -> bool:
    """Whether a file is a picture that is wanted; counts what is not."""
    is_named = matches(path, choice.include) if choice.include else is_picture(entry.name)
    if place.leads_astray(entry, is_named):
        return False
    if not is_named:
        if not choice.include and not noted.passed.takes_sidecar(entry.name):
            noted.others += 1  # what patterns leave out was left out on purpose
        return False
    return not is_ours(entry.name, siblings) and not place.is_small(entry)


def parted(jobs: Iterable[Job], key: Callable[[Job], str]) -> Iterator[tuple[Job, list[tuple[Job, str]]]]:
    """One job for each `key` of targets, that of the picture whose name is kept, else the first, in the order of all;
    and the others, each with why it is left out.
    """
    by_target: dict[str, list[Job]] = {}
    ordered = [(job, by_target.setdefault(key(job), [])) for job in jobs]
    for job, some in ordered:
        some.append(job)
    for kept, some in ordered:
        if kept is next((job for job in some if job.source.name == job.target.name), some[0]):
            both = f"and {kept.source} would both become {kept.target}: rename one"
            yield kept, [(job, f"{job.source} {both}") for job in some if job is not kept]
