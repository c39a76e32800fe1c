"""Degradations that are known beforehand, for GDP, with the published strength of its guidance by each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ldrps.degradation import Blur, Degradation, Luma, Mask, Sampling
from ldrps.errors import InputError
from ldrps.image.tiles import Window


@dataclass(frozen=True, eq=False)
class Operator:
    """y = D(x), and how strongly GDP holds on to it.

    Attributes:
        degradation: D, of pictures [B, 3, H, W] in [0, 1].
        observed: what a picture y that is as large as x tells of D(x), shaped as that.
        scale: published, of the guidance by the mean square of D(x) - y over 256x256 pixels.
        colour: published, of the guidance by the distance of the channel means of x in [-1, 1].
    """

    degradation: Degradation
    observed: Callable[[Tensor], Tensor]
    scale: float
    colour: float = 0.0

    def at(self, place: Window) -> Operator:
        """The operator of a part of the picture."""
        part = self.degradation.at(place)
        return replace(self, degradation=part, observed=part if self.observed is self.degradation else self.observed)


def pooled(height: int, width: int, factor: int = 4) -> Operator:
    """Every `factor` x `factor` pixels became their mean; y is that, enlarged to blocks.

    Raises:
        InputError: the sides are no multiples of it.
    """
    if height % factor or width % factor:
        raise InputError(f"a picture of {width}x{height} has no whole blocks of {factor} pixels: crop or pad it")
    means = Sampling((height, width), factor, "area")
    return Operator(means, means, 2000.0)


def masked(known: Tensor) -> Operator:
    """Pixels are missing: `known` [1, 1, H, W] is 1 where a pixel is known and 0 where it is not."""
    mask = Mask(known)
    return Operator(mask, mask, 4000.0)


def blurred(taps: int = 9, deviation: float = 2.0) -> Operator:
    """A Gaussian blur of `taps` x `taps` pixels of that deviation. The border, where it saw too little, tells nothing.

    The published width is 9 taps; its deviation is not said.
    """
    places, reach = torch.arange(taps) - (taps - 1) / 2, taps // 2
    row = torch.exp(-0.5 * (places / deviation) ** 2)
    kernel = torch.outer(row, row) / row.sum() ** 2
    return Operator(Blur(kernel, "valid"), lambda y: y[..., reach:-reach, reach:-reach], 6000.0)


def grey() -> Operator:
    """The colours are lost: every channel of y is the mean of the three."""
    mean = Luma((1 / 3, 1 / 3, 1 / 3))
    return Operator(mean, mean, 6000.0, 500.0)
