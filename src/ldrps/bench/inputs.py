"""What goes into a row: a pair's pictures as contenders get them, and a hash that tells these inputs from others."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
from PIL import Image

from ldrps.bench.data import DataSet, Pair
from ldrps.degrade import apply, parse, seed_of
from ldrps.errors import InputError

DAMAGE_SEED = 0  # the same damage for all contenders and seeds


def prepare(dataset: DataSet, pair: Pair) -> tuple[Image.Image, Image.Image | None]:
    """The damaged picture, and the clean one where there is one.

    Raises:
        InputError: a file cannot be read.
    """
    source = _read(pair.source)
    if not dataset.degrade:
        return source, None if pair.target is None else _read(pair.target)
    chain = parse(dataset.degrade)
    truth = Image.fromarray(chain.crop(np.asarray(source)))  # what a reduction by 3 leaves out has no counterpart
    return apply(truth, chain, seed_of(DAMAGE_SEED, pair.name)), truth


def mask_of(dataset: DataSet, pair: Pair, damaged: Image.Image) -> Image.Image | None:
    """Which pixels of a damaged picture are lost, white; None for a set whose methods are not told.

    Raises:
        InputError: its file cannot be read.
    """
    if pair.mask is not None:
        return _read(pair.mask).convert("L")
    if not dataset.mask:
        return None
    lost = parse(dataset.degrade).lost(damaged.size[::-1], seed_of(DAMAGE_SEED, pair.name))
    return Image.fromarray(lost.astype(np.uint8) * 255)


def _read(path: Path) -> Image.Image:
    try:
        with Image.open(path) as image:
            return image.convert("RGB")
    except (OSError, SyntaxError, ValueError) as error:
        raise InputError(f"{path} cannot be read ({error}): get it again") from error


class InputMarks:
    """Hashes of what goes into rows. Each file is read once in the life of this object."""

    def __init__(self) -> None:
        self._files: dict[Path, str] = {}

    def mark(self, dataset: DataSet, pair: Pair, caption: str = "", finished: Path | None = None) -> str:
        """A hash of the bytes of a pair's files, the damage and the scoring of its set, the caption and, of what is
        restored already, the `finished` file.
        """
        files = [self._file(path) for path in (pair.source, pair.target, finished)]
        facts = [*files, dataset.degrade, DAMAGE_SEED, dataset.border, dataset.shift, caption]
        if dataset.enlarge != 1:
            facts.append(dataset.enlarge)
        if dataset.mask:
            facts += [dataset.mask, self._file(pair.mask)]
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]

    def _file(self, path: Path | None) -> str:
        """A file's digest; "" for none, and for one that cannot be read, of which the row will tell."""
        if path is None:
            return ""
        if path not in self._files:
            try:
                self._files[path] = hashlib.sha256(path.read_bytes()).hexdigest()
            except OSError:
                self._files[path] = ""
        return self._files[path]
