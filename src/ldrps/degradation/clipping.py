"""Values that a file cannot hold: what is beyond black and white, and what lies between two levels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor

from ldrps.degradation.base import Projection
from ldrps.errors import SettingsError

_FINEST = 2**53  # levels, which float64 just tells apart


@dataclass(frozen=True, eq=False)
class Clipping(Projection):
    """What exceeds [0, 1] is cut. A clipped value bounds x from one side only: white may have been brighter.

    There is no less and no more of it: `scaled` by any strength above 0, it is itself.
    """

    kind = "clipping"

    @property
    def absent(self) -> Tensor:
        return torch.tensor(False)

    def _apply(self, x: Tensor) -> Tensor:
        return x.clamp(0, 1)

    def project(self, x: Tensor, y: Tensor) -> Tensor:
        beyond = ((y >= 1) & (x > 1)) | ((y <= 0) & (x < 0))
        return torch.where(beyond, x, y)

    def _scaled(self, strength: float) -> Self:
        return self

    def words(self) -> str:
        return "clipped"


@dataclass(frozen=True, eq=False)
class Rounding(Projection):
    """Values cut to [0, 1] and rounded to even levels; the gradient passes the rounding as if it were not there.

    Of `scaled`, the step between two levels is, to the nearest whole number of levels; what is cut stays cut.

    Attributes:
        levels: how many steps from 0 to 1: 255 for a file of 8 bits.
    """

    kind = "rounding"

    levels: int = 255

    def __post_init__(self) -> None:
        if self.levels < 1:
            raise SettingsError(f"levels is {self.levels}; it must be 1 or more")

    @property
    def absent(self) -> Tensor:
        return torch.tensor(False)

    def _apply(self, x: Tensor) -> Tensor:
        cut = x.clamp(0, 1)
        return cut + ((cut.detach() * self.levels).round() / self.levels - cut.detach())

    def project(self, x: Tensor, y: Tensor) -> Tensor:
        half = 0.5 / self.levels
        low = torch.where(y <= half, torch.full_like(y, -torch.inf), y - half)
        high = torch.where(y >= 1 - half, torch.full_like(y, torch.inf), y + half)
        return x.clamp(low, high)

    def _scaled(self, strength: float) -> Self:
        return replace(self, levels=max(round(min(self.levels / strength, _FINEST)), 1))

    def words(self) -> str:
        return f"rounded to {self.levels + 1} levels"
