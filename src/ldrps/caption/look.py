"""What a picture looks like in a few words: colours, brightness, contrast, layout, orientation."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from ldrps.image.space import LUMA

_CELLS = 16  # the picture is looked at as this many cells each way
_COLOURS = (
    "black", "grey", "white", "beige", "brown", "red", "orange", "yellow", "green", "turquoise", "blue", "purple",
    "pink",
)  # fmt: skip
# Hues from 0 to 360 degrees: the name up to each limit.
_HUES = ((15, "red"), (42, "orange"), (68, "yellow"), (165, "green"), (195, "turquoise"), (258, "blue"),
         (292, "purple"), (342, "pink"), (360, "red"))  # fmt: skip
_SHARE = 0.18  # of the cells that a second colour needs to be named


def describe_look(image: Tensor) -> list[str]:
    """Words and phrases for an image [3, H, W] in [0, 1], the most telling first; the same for any size of it."""
    cells = F.interpolate(image[None], (_CELLS, _CELLS), mode="area")[0].permute(1, 2, 0).double().numpy()
    luma = cells @ LUMA
    names = _name(cells)
    words = [_colours(names, cells)]
    mean, deviation = luma.mean(), luma.std()
    words += _first((mean < 0.22, "very dark"), (mean < 0.36, "dark"))
    words += _first((mean > 0.75, "very bright"), (mean > 0.58, "bright"))
    words += _first((deviation < 0.09, "low contrast"), (deviation > 0.25, "high contrast"))
    top, bottom = (_commonest(names[rows]) for rows in (slice(0, 5), slice(11, 16)))
    if top != bottom:
        words.append(f"{_COLOURS[top]} above {_COLOURS[bottom]}")
    middle, border = (
        names[4:12, 4:12],
        np.concatenate([names[:2].ravel(), names[-2:].ravel(), names[:, 0], names[:, -1]]),
    )
    if _commonest(middle) != _commonest(border):
        words.append(f"{_COLOURS[_commonest(middle)]} in the middle")
    height, width = image.shape[-2:]
    return words + _first((width > 1.15 * height, "landscape format"), (height > 1.15 * width, "portrait format"))


def compose_caption(words: Iterable[str]) -> str:
    """One line of text: the subject first, then what it looks like; empty words are left out."""
    return ", ".join(word for word in words if word)


def _colours(names: NDArray[np.int64], cells: NDArray[np.float64]) -> str:
    if np.abs(cells - cells.mean(2, keepdims=True)).mean() < 0.008:
        return "black and white"
    counts = np.bincount(names.ravel(), minlength=len(_COLOURS))
    first, second = np.argsort(-counts, kind="stable")[:2]
    return _COLOURS[first] if counts[second] < _SHARE * names.size else f"{_COLOURS[first]} and {_COLOURS[second]}"


def _name(cells: NDArray[np.float64]) -> NDArray[np.int64]:
    """The index of the colour of each cell [..., 3], by hue, saturation and value."""
    value, low = cells.max(-1), cells.min(-1)
    chroma = value - low
    saturation = chroma / np.maximum(value, 1e-6)
    red, green, blue = np.moveaxis(cells, -1, 0)
    safe = np.maximum(chroma, 1e-6)
    sextant = np.select(
        [value == red, value == green], [((green - blue) / safe) % 6, (blue - red) / safe + 2], (red - green) / safe + 4
    )
    hue = 60 * sextant
    name = np.full(hue.shape, _COLOURS.index("red"))
    for limit, colour in reversed(_HUES):
        name[hue <= limit] = _COLOURS.index(colour)
    warm = (hue > 8) & (hue < 62)
    name[warm & (value < 0.62)] = _COLOURS.index("brown")
    name[warm & (value >= 0.62) & (saturation < 0.45)] = _COLOURS.index("beige")
    name[(saturation < 0.14) | (chroma < 0.05)] = _COLOURS.index("grey")
    name[(saturation < 0.14) & (value > 0.82)] = _COLOURS.index("white")
    name[value < 0.16] = _COLOURS.index("black")
    return name


def _commonest(names: NDArray[np.int64]) -> int:
    return int(np.bincount(names.ravel(), minlength=len(_COLOURS)).argmax())


def _first(*cases: tuple[bool | np.bool_, str]) -> list[str]:
    """The word of the first case that holds, if any."""
    return next(([word] for holds, word in cases if holds), [])
