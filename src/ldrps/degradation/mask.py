"""Pixels that are lost."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import torch.nn.functional as F
from torch import Tensor

from ldrps.degradation.base import Linear
from ldrps.degradation.parameter import Parameter, broadcast
from ldrps.errors import InputError
from ldrps.image.tiles import Window


@dataclass(frozen=True, eq=False)
class Mask(Linear):
    """y = known * x.

    Attributes:
        known: 1 where a pixel is there, 0 where it is lost, between where it is there in part; [1 or B, 1 or C, H, W].
    """

    kind = "mask"

    known: Tensor

    @property
    def absent(self) -> Tensor:
        return (self.known == 1).flatten(1).all(1)

    def _apply(self, x: Tensor) -> Tensor:
        return x * self._of(x)

    def _adjoint(self, y: Tensor) -> Tensor:
        return self._apply(y)

    def _data_step(self, x0: Tensor, y: Tensor, sigma_x: Parameter, sigma_y: Parameter) -> Tensor:
        known = self._of(x0)
        ratio = (broadcast(sigma_y, y) / broadcast(sigma_x, x0)) ** 2
        return x0 + known * (y - known * x0) / (known**2 + ratio)

    def at(self, window: Window) -> Mask:
        """What lies beyond the picture, where a window reaches over it, is not known."""
        known = window.of(self.known)
        return Mask(F.pad(known, (0, window.width - known.shape[-1], 0, window.height - known.shape[-2])))

    def _scaled(self, strength: float) -> Self:
        """Of what is lost that share; above 1, what was lost in part is lost sooner."""
        return replace(self, known=(1 - strength * (1 - 1.0 * self.known)).clamp_min(0))

    def words(self) -> str:
        return f"{float(1 - self.known[0].float().mean()):.1%} of the pixels lost"

    def _of(self, x: Tensor) -> Tensor:
        if x.shape[-2:] != self.known.shape[-2:]:
            (height, width), (rows, columns) = x.shape[-2:], self.known.shape[-2:]
            raise InputError(f"a picture of {width}x{height} has a mask of {columns}x{rows}: give one of its size")
        return self.known.to(x)
