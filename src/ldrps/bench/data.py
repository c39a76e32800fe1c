"""Data sets: what they are, where a user gets them, and how damaged and clean pictures are paired (by name).

A set is a small TOML file in `sets/`. Its pictures lie below a root of the user's, or one of several (`LDRPS_DATA`);
nothing is downloaded, because most sets come with terms that each user has to accept alone.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from ldrps.degrade import NONE
from ldrps.errors import InputError
from ldrps.printable import printable

logger = logging.getLogger(__name__)

ROOT_VARIABLE = "LDRPS_DATA"
SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp"})
FOLDER = "folder:"
ALL = "all"
DRAWN = "drawn"
# A variant of a set of pairs that damages pictures itself takes the clean ones; what papers print is of the pairs.
_OF_THE_CLEAN = {"input": "target/(?P<id>.+)", "target": "", "published": {}, "ablations": {}}


@dataclass(frozen=True)
class Pair:
    """A picture of a set: the damaged file (or the clean one, if the set damages it itself), its clean side, and the
    mask that tells what is lost of it, if that is in a file.
    """

    name: str
    source: Path
    target: Path | None
    mask: Path | None = None


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
        groups: names under which it is measured together with others.
        enlarge: how many times larger the clean side is, each way: sets above 1 are for methods that enlarge.
        mask: path of the file that tells which pixels are lost, white, without suffix, from the pattern's groups;
            `DRAWN` where the damage done here loses them. Such sets are for methods that are told.
        border: pixels at each side that are not scored.
        shift: pixels by which a result may be shifted before it is scored.
        sha256: digests of the files that are known, by their path below the place.
        published: rows of the papers: method to metric to value, beside them its "source" and, of those that
            `ldrps bench paper` shows, which methods of ours stand for it, "here", with spaces between.
        ablations: PSNR of the LD-RPS paper's ablations: setting of a sweep to value to figure.
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
    groups: Sequence[str] = ()
    enlarge: int = 1
    mask: str = ""
    border: int = 0
    shift: int = 0
    sha256: Mapping[str, str] = field(default_factory=dict, repr=False)
    published: Mapping[str, Mapping[str, float | str]] = field(default_factory=dict, repr=False)
    ablations: Mapping[str, Mapping[str, float]] = field(default_factory=dict, repr=False)

    @property
    def is_clean(self) -> bool:
        """Whether nothing is wrong with its pictures, so that the best result is what was given."""
        return self.degrade == NONE

    def pairs(self, *roots: Path) -> list[Pair]:
        """All pictures that are there, by name.

        Raises:
            InputError: none is there (the message says what to get and where to put it), or a clean side or a mask is
                missing.
        """
        folder = self.folder(*roots)
        files = dict(_files(folder))
        pairs = []
        for path, match in self._inputs(files):
            clean = path if self.degrade else None
            if self.target:
                wanted = match.expand(self.target)
                clean = files.get(wanted)
                if clean is None:
                    raise InputError(f"{path} has no clean side: {folder / wanted}.* is missing; {self._where(folder)}")
            mask = None
            if self.mask and self.mask != DRAWN:
                mask = files.get(wanted := match.expand(self.mask))
                if mask is None:
                    raise InputError(f"{path} has no mask: {folder / wanted}.* is missing; {self._where(folder)}")
            pairs.append(Pair(printable("_".join(match.groups())), path, clean, mask))
        if not pairs:
            raise InputError(f"no picture of {self.name!r} in {folder}; {self._where(folder)}")
        return sorted(pairs, key=lambda pair: natural(pair.name))

    def folder(self, *roots: Path) -> Path:
        """Where the set lies: below the first of the roots that holds a picture of it, else where it should be.

        Args:
            roots: folders of data sets; without any, those that `LDRPS_DATA` names.

        Raises:
            InputError: there are none.
        """
        if Path(self.place).is_absolute():
            return Path(self.place)
        places = [root / self.place for root in roots or _roots()]
        if not places:
            raise InputError(
                f"no folder of data sets: set {ROOT_VARIABLE}, or give --data; {self._where(Path('DATA'))}"
            )
        return next((place for place in places if self._is_in(place)), places[0])

    def is_there(self, *roots: Path) -> bool:
        """Whether there is a picture of it below a root.

        Raises:
            InputError: there is no root.
        """
        return self._is_in(self.folder(*roots))

    def other_files(self, *roots: Path) -> list[str]:
        """Paths, below the set's folder, of files whose digest is known and differs."""
        folder = self.folder(*roots)
        known = ((name, digest) for name, digest in self.sha256.items() if (folder / name).is_file())
        return [n for n, digest in known if hashlib.sha256((folder / n).read_bytes()).hexdigest() != digest]

    def _is_in(self, folder: Path) -> bool:
        return any(self._inputs(dict(_files(folder))))

    def _inputs(self, files: Mapping[str, Path]) -> Iterator[tuple[Path, re.Match[str]]]:
        """Of files by their paths without suffix, those that are damaged, and what their names say."""
        for stem, path in files.items():
            if match := re.fullmatch(self.input, stem, re.DOTALL):  # names may have line breaks
                yield path, match

    def _where(self, folder: Path) -> str:
        get = self.get or "this set is yours to make"
        return f"get it: {get.rstrip('.')}. Put it at {folder}"


def _roots() -> list[Path]:
    """The folders that `LDRPS_DATA` names, as `PATH` names those of programs."""
    return [Path(each) for each in os.environ.get(ROOT_VARIABLE, "").split(os.pathsep) if each]


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """All pictures below a folder, by their paths without suffix; of one that does not exist, none."""
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in SUFFIXES:
            yield path.relative_to(folder).with_suffix("").as_posix(), path


def tell_parts(found: Iterable[tuple[DataSet, int]]) -> None:
    """Log, in one line, which sets are not whole, of some sets and how many pictures of them are there."""
    parts = {d.place: f"{d.place} ({count} of {d.count} pictures)" for d, count in found if d.count not in (0, count)}
    if parts:
        logger.warning("only parts of sets are here: %s", ", ".join(parts.values()))


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
            is_damaged_here = "degrade" in changes and "target" not in fields
            given: dict[str, Any] = {"name": name, **fields, **(_OF_THE_CLEAN if is_damaged_here else {}), **changes}
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
        raise InputError(f"set is {name!r}; there are {', '.join([*sets, *groups()])}, and folder:PATH")
    return sets[name]


def groups() -> dict[str, list[str]]:
    """The names under which several sets are measured, and those of the sets; `all` is every set but those of reduced
    pictures, which are for methods that enlarge, `scale`, and of pictures with holes that are told, `holes`.
    """
    plain = [name for name, dataset in data_sets().items() if dataset.enlarge == 1 and not dataset.mask]
    together: dict[str, list[str]] = {ALL: plain}
    for name, dataset in data_sets().items():
        for group in dataset.groups:
            together.setdefault(group, []).append(name)
    return together


def resolved(names: Sequence[str], *roots: Path) -> list[str]:
    """The names of sets that some names of sets and groups stand for, each once; what a group lacks is left out.

    The sets that were left out are logged, in one line.

    Raises:
        InputError: nothing of a group is there, or there is no folder of data sets.
    """
    known = groups()
    wanted: list[str] = []
    absent: list[str] = []
    for name in names:
        if name not in known:
            wanted.append(name)
            continue
        there = [each for each in known[name] if data_set(each).is_there(*roots)]
        if not there:
            members = ", ".join(known[name])
            raise InputError(
                f"no set of the group {name!r} is there: give --data a folder that holds one; a set named alone "
                f"says where to get it: {members}"
            )
        wanted += there
        absent += [each for each in known[name] if each not in there]
    if absent:
        logger.warning(
            "left out, as they are not there (named alone, a set says where to get it): %s",
            ", ".join(dict.fromkeys(absent)),
        )
    return list(dict.fromkeys(wanted))
