"""Degradations that are known beforehand, for GDP: each a linear map of pictures [B, 3, H, W] in [0, 1]."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ldrps.errors import InputError
from ldrps.image.tiles import Window


class Operator(ABC):
    """y = D(x), and how strongly GDP holds on to it.

    Attributes:
        scale: published, of the guidance by the mean square of D(x) - y over 256x256 pixels.
        colour: published, of the guidance by the distance of the channel means of x in [-1, 1].
    """

    scale: float
    colour: float = 0.0

    @abstractmethod
    def degrade(self, x: Tensor) -> Tensor:
        """D(x); what it is to be compared with is `observed(y)`, of the same shape."""

    def observed(self, y: Tensor) -> Tensor:
        """What a picture [B, 3, H, W] of D(x) tells of x. Here all of it."""
        return y

    def at(self, place: Window) -> Operator:
        """The operator of a part of the picture. Here the same."""
        return self


@dataclass(frozen=True)
class Pooled(Operator):
    """Every `factor` x `factor` pixels became their mean: what a small picture, enlarged to blocks, tells."""

    factor: int = 4
    scale: float = 2000.0

    def degrade(self, x: Tensor) -> Tensor:
        """The means, back in full size: H and then its pseudoinverse, which repeats each."""
        if any(side % self.factor for side in x.shape[-2:]):
            raise InputError(
                f"a picture of {x.shape[-1]}x{x.shape[-2]} has no whole blocks of {self.factor} pixels: crop or pad it"
            )
        return F.interpolate(F.avg_pool2d(x, self.factor), scale_factor=self.factor, mode="nearest")

    def observed(self, y: Tensor) -> Tensor:
        return self.degrade(y)


@dataclass(frozen=True, eq=False)
class Masked(Operator):
    """Pixels are missing: `mask` [1, 1, H, W] is 1 where a pixel is known and 0 where it is not."""

    mask: Tensor
    scale: float = 4000.0

    def degrade(self, x: Tensor) -> Tensor:
        if x.shape[-2:] != self.mask.shape[-2:]:
            (height, width), (rows, columns) = x.shape[-2:], self.mask.shape[-2:]
            raise InputError(f"a picture of {width}x{height} has a mask of {columns}x{rows}: give one of its size")
        return x * self.mask.to(x.device)

    def observed(self, y: Tensor) -> Tensor:
        return self.degrade(y)

    def at(self, place: Window) -> Operator:
        """The mask there; what lies beyond it, where a picture was padded, is not known."""
        mask = place.of(self.mask)
        return Masked(F.pad(mask, (0, place.width - mask.shape[-1], 0, place.height - mask.shape[-2])), self.scale)


@dataclass(frozen=True)
class Blurred(Operator):
    """A Gaussian blur of `taps` x `taps` pixels of that deviation. The border, where it saw too little, tells nothing.

    The published width is 9 taps; its deviation is not said.
    """

    taps: int = 9
    deviation: float = 2.0
    scale: float = 6000.0

    def degrade(self, x: Tensor) -> Tensor:
        """[B, 3, H - taps + 1, W - taps + 1]."""
        places = torch.arange(self.taps, device=x.device) - (self.taps - 1) / 2
        row = torch.exp(-0.5 * (places / self.deviation) ** 2)
        kernel = torch.outer(row, row) / row.sum() ** 2
        return F.conv2d(x, kernel.expand(x.shape[1], 1, -1, -1), groups=x.shape[1])

    def observed(self, y: Tensor) -> Tensor:
        edge, height, width = self.taps // 2, y.shape[-2] - self.taps + 1, y.shape[-1] - self.taps + 1
        return y[..., edge : edge + height, edge : edge + width]


@dataclass(frozen=True)
class Grey(Operator):
    """The colours are lost: every channel is the mean of the three."""

    scale: float = 6000.0
    colour: float = 500.0

    def degrade(self, x: Tensor) -> Tensor:
        return x.mean(1, keepdim=True).expand_as(x)
