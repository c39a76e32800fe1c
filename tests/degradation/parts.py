"""Parts of the forward model with random parameters, for tests of what holds for all of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from ldrps.degradation import (
    Blur,
    Compose,
    Curve,
    Degradation,
    Exposure,
    GaussianBlur,
    Jpeg,
    LocalLight,
    Luma,
    Mask,
    Rounding,
    Sampling,
    Streaks,
    Tone,
    UncertainTone,
    Veil,
    WhiteBalance,
)
from ldrps.degradation.kernels import disk, gaussian, line
from ldrps.degradation.sampling import Filter

Size = tuple[int, int]
Make = Callable[[Size, np.random.Generator], Degradation]


def pictures(size: Size, random: np.random.Generator, count: int = 2, low: float = 0.05, high: float = 0.95) -> Tensor:
    return torch.from_numpy(random.uniform(low, high, (count, 3, *size)))


def field(size: Size, random: np.random.Generator, low: float, high: float) -> Tensor:
    return torch.from_numpy(random.uniform(low, high, (1, 1, *size)))


def each(random: np.random.Generator, low: float, high: float, *shape: int) -> Tensor:
    return torch.from_numpy(random.uniform(low, high, (2, *shape)))


def _curve(size: Size, random: np.random.Generator) -> Curve:
    steps = torch.from_numpy(random.uniform(0.2, 1, (2, 3, 9)))
    return Curve(0.9 * steps.cumsum(-1) / steps.sum(-1, keepdim=True))


def _uncertain(size: Size, random: np.random.Generator) -> UncertainTone:
    """Of three tones that leave all of what is undone in [0, 1] to be undone to."""
    gain, offset, gamma = (torch.from_numpy(random.uniform(*span, (3, 3))) for span in ((0.3, 0.7), (0, 0.2), (0.6, 2)))
    return UncertainTone(gain, offset, gamma, torch.from_numpy(random.uniform(0.1, 1, 3)))


def _sampling(how: Filter, factor: float) -> Make:
    return lambda size, random: Sampling(size, factor, how)


POINTWISE: dict[str, Make] = {
    "tone": lambda size, random: Tone(each(random, 0.2, 1.5), each(random, -0.1, 0.2, 3), each(random, 0.5, 2)),
    "line": lambda size, random: Tone(float(random.uniform(0.2, 2)), float(random.uniform(-0.2, 0.3))),
    "tone of light": lambda size, random: Tone(each(random, 0.3, 1.5, 3), gamma=1.3, domain="linear"),
    "exposure": lambda size, random: Exposure(each(random, -3, 1.5)),
    "white balance": lambda size, random: WhiteBalance(each(random, 0.5, 1.6, 3)),
    "curve": _curve,
    "uncertain tone": _uncertain,
    "veil": lambda size, random: Veil(field(size, random, 0.2, 0.9), each(random, 0.6, 1, 3)),
    "veil of light": lambda size, random: Veil(each(random, 0.2, 0.9), 0.8, "linear"),
    "streaks": lambda size, random: Streaks(field(size, random, 0, 0.8)),
    "local light": lambda size, random: LocalLight(field(size, random, -1.5, 0.5)),
}
LINEAR: dict[str, Make] = {
    "gaussian": lambda size, random: GaussianBlur(each(random, 0.3, 2)),
    "mirrored": lambda size, random: Blur(line(float(random.uniform(1, 7)), float(random.uniform(0, 180)))),
    "circular": lambda size, random: Blur(torch.stack([gaussian(1, 0.5, 30), gaussian(0.6, 1)]), "circular"),
    "valid": lambda size, random: Blur(disk(1.6), "valid"),
    "bicubic": _sampling("bicubic", 2),
    "area": _sampling("area", 3),
    "any factor": _sampling("bicubic", 1.7),
    "enlargement": _sampling("bicubic", 0.5),
    "mask": lambda size, random: Mask(field(size, random, 0, 1).round()),
    "soft mask": lambda size, random: Mask(field(size, random, 0, 1)),
    "luma": lambda size, random: Luma(),
}
PROJECTIONS: dict[str, Make] = {
    "rounding": lambda size, random: Rounding(),
    "4:4:4": lambda size, random: Jpeg.of_quality(each(random, 10, 90), (1, 1)),
    "4:2:0": lambda size, random: Jpeg.of_quality(float(random.integers(10, 90))),
    "4:2:2, cut": lambda size, random: Jpeg(Jpeg.of_quality(40).quantisation, (1, 2), (3, 5)),
}
COMPOSED: dict[str, Make] = {
    "all tones": lambda size, random: Compose(
        tuple(POINTWISE[name](size, random) for name in ("veil", "exposure", "white balance", "tone"))
    ),
    "both separable": lambda size, random: Compose((GaussianBlur(1.0), Sampling(size, 2))),
    "blur and holes": lambda size, random: Compose((Blur(gaussian(1, 2, 40)), LINEAR["mask"](size, random))),
    "dark and blurred": lambda size, random: Compose((Tone(0.4, 0.05, 1.3), Veil(0.7), GaussianBlur(0.8))),
}
