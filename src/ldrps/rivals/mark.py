"""By what a result is told from what it was before: weights and code. Reads no gigabytes, loads no torch."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from ldrps.prior import prior_folder
from ldrps.rivals.facts import Facts
from ldrps.rivals.registry import all_facts, facts_of, given_weights, own_weights

_EDGE = 1 << 16  # bytes at each end of a file
_SUFFIXES = {".pth", ".pt", ".ckpt", ".safetensors", ".bin", ".json"}
_TRAINING = "training"  # the folder of a prior that holds checkpoints, which nothing loads
_VGG16 = "vgg16.safetensors"  # read from beside the weights by those whose facts name it
_PACKAGE = Path(__file__).parents[1]
# Rooms on which no row of the benchmark depends.
_IDLE = {"cli", "serve", "folders", "run", "train", "doctor.py", "database.py", "log.py", "printable.py"}
_BENCH = {"contenders.py", "inputs.py", "scores.py"}  # of the benchmark's own, those on which rows depend


def weights_mark(name: str, given: Path | None) -> str:
    """A hash of the weights that the rival `name` could load; "" if it needs none, or they are nowhere.

    Of a folder, all files of weights in it count; beside a file, those that the rival looks for there.
    """
    prefix, _, rest = name.partition(":")
    facts = facts_of(name)
    place = None
    if prefix == "spandrel":
        place = Path(rest)
    elif prefix != "command" and (facts.needs or facts.takes):
        place = given_weights(given)
    files = [] if place is None else _given_files(prior_folder(str(place)), facts)
    if facts.own:
        files += weight_files(own_weights(facts))
    return hashlib.sha256("\n".join(edges(file) for file in files).encode()).hexdigest() if files else ""


def _given_files(place: Path, facts: Facts) -> list[Path]:
    beside = place.parent / _VGG16
    is_read = _VGG16 in facts.takes and place.is_file() and beside.is_file()
    return [*weight_files(place), *[beside] * is_read]


def weight_files(place: Path) -> list[Path]:
    """The files of weights and their descriptions in a folder, in order, but for checkpoints; a file is its own."""
    if place.is_file():
        return [place]
    files = (path for path in sorted(place.rglob("*")) if path.suffix in _SUFFIXES and path.is_file())
    return [path for path in files if _TRAINING not in path.relative_to(place).parts]


@cache
def code_mark(name: str, root: Path = _PACKAGE) -> str:
    """A hash of the code on which rows of the rival `name` depend; of ldrps, the plain tools and the oracles for "".

    All of the package counts, the metrics too, whose values are in the rows. Other rivals do not, nor do the rooms that
    only talk, train or carry files about.
    """
    own = _home(facts_of(name)) if name else ""
    others = {_home(facts) for facts in all_facts()} - {own}
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*")):
        parts = path.relative_to(root).parts
        if path.suffix in {".py", ".txt"} and _counts(parts, others):
            digest.update(f"{'/'.join(parts)} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


def _home(facts: Facts) -> str:
    """The module or package of a rival in `rivals/`."""
    return facts.place.partition(":")[0].removeprefix("ldrps.rivals.").partition(".")[0]


def _counts(parts: tuple[str, ...], others: set[str]) -> bool:
    room = parts[0]
    if room == "rivals":
        return Path(parts[1]).stem not in others
    return parts[1] in _BENCH if room == "bench" else room not in _IDLE


def edges(path: Path) -> str:
    """A hash of a file's size and its two ends: gigabytes need not be read to see that weights are others."""
    size = path.stat().st_size
    with path.open("rb") as file:
        digest = hashlib.sha256(b"%d:" % size + file.read(_EDGE))
        file.seek(max(_EDGE, size - _EDGE))
        digest.update(file.read(_EDGE))
    return digest.hexdigest()
