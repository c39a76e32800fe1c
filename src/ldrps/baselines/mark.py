"""By what a rival is told from what it was before: its weights and its code. Reads no gigabytes, loads no torch."""

from __future__ import annotations

import hashlib
import os
from functools import cache
from pathlib import Path

from ldrps.baselines.registry import WEIGHTS_VARIABLE, facts_of, own_weights

_EDGE = 1 << 16  # bytes at each end of a file
_SHARED = ("rival", "published", "terms", "chance", "weights")  # modules
_SUFFIXES = {".pth", ".pt", ".ckpt", ".safetensors", ".bin", ".json"}


def weights_mark(name: str, given: Path | None) -> str:
    """A hash of the weights that the rival `name` could load; "" if it needs none, or they are nowhere.

    Of a folder, all files of weights in it count.
    """
    prefix, _, rest = name.partition(":")
    facts = facts_of(name)
    places: list[Path] = []
    if prefix == "spandrel":
        places = [Path(rest)]
    elif prefix != "command" and (facts.needs or facts.takes):
        variable = os.environ.get(WEIGHTS_VARIABLE)
        places = [given] if given is not None else [Path(variable)] if variable else []
    if facts.own:
        places.append(own_weights(facts))
    files = [file for place in places for file in _files(place.expanduser())]
    return hashlib.sha256("\n".join(edges(file) for file in files).encode()).hexdigest() if files else ""


def _files(place: Path) -> list[Path]:
    return [place] if place.is_file() else sorted(path for path in place.rglob("*") if path.suffix in _SUFFIXES)


@cache
def code_mark(name: str) -> str:
    """A hash of the code of the rival `name`: its own module or package, and what rivals share."""
    home = Path(__file__).parent
    module = facts_of(name).place.partition(":")[0].removeprefix("ldrps.baselines.")
    own = home / module.partition(".")[0]
    files = sorted(own.rglob("*.py")) if own.is_dir() else [own.with_suffix(".py")]
    digest = hashlib.sha256()
    for file in [*files, *(home / f"{shared}.py" for shared in _SHARED)]:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def edges(path: Path) -> str:
    """A hash of a file's size and its two ends: gigabytes need not be read to see that weights are others."""
    size = path.stat().st_size
    with path.open("rb") as file:
        digest = hashlib.sha256(b"%d:" % size + file.read(_EDGE))
        file.seek(max(_EDGE, size - _EDGE))
        digest.update(file.read(_EDGE))
    return digest.hexdigest()
