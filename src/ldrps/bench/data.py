"""Data sets: what they are, where a user gets them, and how damaged and clean pictures are paired (by name).

A set is a small TOML file in `sets/`. Its pictures lie below a root of the user's (`LDRPS_DATA`); nothing is
downloaded, because most sets come with terms that each user has to accept alone.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from ldrps.errors import InputError
from ldrps.printable import printable

logger = logging.getLogger(__name__)

ROOT_VARIABLE = "LDRPS_DATA"
SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp"})
FOLDER = "folder:"


@dataclass(frozen=True)
class Pair:
    """A picture of a set: the damaged file (or the clean one, if the set damages it itself) and its clean side."""

    name: str
    source: Path
    target: Path | None


@dataclass(frozen=True)
class DataSet:
    """One line of the benchmark's tables.

    Attributes:
        name: as on the command line; also the folder below the root, unless `place` says otherwise.
        title: what it is.
        place: folder below the root.
        input: pattern of the damaged files' paths below the place, without suffix; its groups name the pair.
        target: path of the clean file, without suffix, from the pattern's groups; empty where there is no clean side.
        count: how many pictures the whole set has; 0 where that is not fixed.
        get: where and how a user gets it.
        licence: its terms, in short.
        degrade: the damage done to clean pictures with a seed, in the words of `ldrps degrade --kind`; the clean
            side is then the file itself. Empty for pairs.
        border: pixels at each side that are not scored.
        shift: pixels by which a result may be shifted before it is scored.
        sha256: digests of the files that are known, by their path below the place.
        published: rows of the papers: method to metric to value.
    """

    name: str
    title: str
    place: str
    input: str = "input/(?P<id>.+)"
    target: str = r"target/\g<id>"
    count: int = 0
    get: str = ""
    licence: str = ""
    degrade: str = ""
    border: int = 0
    shift: int = 0
    sha256: Mapping[str, str] = field(default_factory=dict, repr=False)
    published: Mapping[str, Mapping[str, float | str]] = field(default_factory=dict, repr=False)

    def pairs(self, root: Path | None = None) -> list[Pair]:
        """All pictures that are there, by name.

        Raises:
            InputError: none is there (the message says what to get and where to put it), or a clean side is missing.
        """
        folder = self.folder(root)
        files = dict(_files(folder)) if folder.is_dir() else {}
        pairs = []
        for stem, path in files.items():
            match = re.fullmatch(self.input, stem, re.DOTALL)  # names may have line breaks
            if match is None:
                continue
            clean = path if self.degrade else None
            if self.target:
                wanted = match.expand(self.target)
                clean = files.get(wanted)
                if clean is None:
                    raise InputError(f"{path} has no clean side: {folder / wanted}.* is missing; {self._where(folder)}")
            pairs.append(Pair(printable("_".join(match.groups())), path, clean))
        if not pairs:
            raise InputError(f"no picture of {self.name!r} in {folder}; {self._where(folder)}")
        if self.count and len(pairs) != self.count:
            logger.warning("%s: %d of the set's %d pictures are here", self.name, len(pairs), self.count)
        return sorted(pairs, key=lambda pair: natural(pair.name))

    def folder(self, root: Path | None = None) -> Path:
        """Where the set lies below `root`, or below `LDRPS_DATA`.

        Raises:
            InputError: neither is given.
        """
        if Path(self.place).is_absolute():
            return Path(self.place)
        given = os.environ.get(ROOT_VARIABLE)
        if root is None and not given:
            raise InputError(
                f"no folder of data sets: set {ROOT_VARIABLE}, or give --data; {self._where(Path('DATA'))}"
            )
        return (root if root is not None else Path(str(given))) / self.place

    def other_files(self, root: Path | None = None) -> list[str]:
        """Paths, below the set's folder, of files whose digest is known and differs."""
        folder = self.folder(root)
        known = ((name, digest) for name, digest in self.sha256.items() if (folder / name).is_file())
        return [n for n, digest in known if hashlib.sha256((folder / n).read_bytes()).hexdigest() != digest]

    def _where(self, folder: Path) -> str:
        get = self.get or "this set is yours to make"
        return f"get it: {get.rstrip('.')}. Put it at {folder}"


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in SUFFIXES:
            yield path.relative_to(folder).with_suffix("").as_posix(), path


def natural(name: str) -> list[tuple[int, str]]:
    """A key that sorts im2 before im10."""
    return [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", name) if part]


@cache
def data_sets() -> dict[str, DataSet]:
    """The sets that ldrps knows, by name."""
    sets: dict[str, DataSet] = {}
    for file in sorted(resources.files("ldrps.bench").joinpath("sets").iterdir(), key=lambda file: file.name):
        if not file.name.endswith(".toml"):
            continue
        fields: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
        variants: dict[str, dict[str, Any]] = fields.pop("variants", {"": {}})
        for suffix, changes in variants.items():
            name = file.name.removesuffix(".toml") + suffix
            given: dict[str, Any] = {"name": name, **fields, **changes}
            sets[name] = DataSet(**given)
    return sets


def data_set(name: str) -> DataSet:
    """The set of that name, or `folder:PATH`: pairs in `input/` and `target/`, or pictures without a clean side.

    Raises:
        InputError: there is none.
    """
    if name.startswith(FOLDER):
        place = Path(name.removeprefix(FOLDER)).resolve()
        if not place.is_dir():
            raise InputError(f"{place} is not a folder: give one with input/ and target/, or with pictures")
        both = (place / "input").is_dir() and (place / "target").is_dir()
        pattern, target = ("input/(?P<id>.+)", r"target/\g<id>") if both else ("(?P<id>.+)", "")
        name = printable(place.name)
        return DataSet(name, name, str(place), pattern, target)
    sets = data_sets()
    if name not in sets:
        raise InputError(f"set is {name!r}; there are {', '.join(sets)}, and folder:PATH")
    return sets[name]
