"""From a clean picture to a damaged one of 8 bits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ldrps.degrade.base import Pixels
from ldrps.degrade.chain import Chain, parse
from ldrps.errors import InputError


def to_8bit(x: Pixels) -> NDArray[np.uint8]:
    """Values, nominally in [0, 1], rounded and clipped to 0 .. 255."""
    return np.clip(np.rint(x * 255.0), 0, 255).astype(np.uint8)


def seed_of(seed: int, name: str) -> int:
    """The seed of one picture of several, told by its name: a part of a set is damaged as the whole would be."""
    return int(np.random.SeedSequence([seed, *name.encode("utf-8", "surrogateescape")]).generate_state(1)[0])


def apply(image: Image.Image | NDArray[Any], chain: Chain | str, seed: int | Sequence[int] = 0) -> Image.Image:
    """Damage a picture: a PIL image of mode RGB or L, or an array [H, W, 3] of bytes or of floats in [0, 1].

    The result has mode RGB and 8 bits; no damage gives the same pixels.

    Raises:
        InputError: another mode, or an array that breaks the contract of `Kind.apply`.
        SettingsError: `chain` is a text that `parse` refuses, or the seed is negative.
    """
    if isinstance(chain, str):
        chain = parse(chain)
    if isinstance(image, Image.Image):
        if image.mode not in {"RGB", "L"}:
            raise InputError(f"the image has mode {image.mode}: give RGB or L, for example image.convert('RGB')")
        image = np.asarray(image.convert("RGB"))
    x = image / 255.0 if image.dtype == np.uint8 else image
    return Image.fromarray(to_8bit(chain.apply(x, seed)))
