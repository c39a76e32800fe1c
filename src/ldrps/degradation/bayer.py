"""The noise of a sensor behind a colour filter array, as demosaicking leaves it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ldrps.degradation.noise import Noise, as_seen, normal
from ldrps.degradation.parameter import Parameter, broadcast, mean_of, per_picture
from ldrps.degradation.srgb import to_linear, to_srgb

# Bilinear: a value that is there is taken as it is, one that is not is the mean of its neighbours of that colour.
_BILINEAR = (
    ((0.25, 0.5, 0.25), (0.5, 1.0, 0.5), (0.25, 0.5, 0.25)),  # red
    ((0.0, 0.25, 0.0), (0.25, 1.0, 0.25), (0.0, 0.25, 0.0)),  # green
    ((0.25, 0.5, 0.25), (0.5, 1.0, 0.5), (0.25, 0.5, 0.25)),  # blue
)


@dataclass(frozen=True, eq=False)
class BayerNoise(Noise):
    """Shot and read noise of the one colour that each place of a sensor sees, spread to all three by bilinear
    demosaicking, and raised by the white balance. Demosaicking is linear: what it does to the picture is not noise, and
    is left out.

    Attributes:
        shot: variance at the sensor's white in linear light, of 1.
        read: deviation in the dark, of 1.
        gains: of the white balance, (red, green, blue) of all pictures, [3], or of each, [B, 3].
        phase: where the first red is, (row, column), each 0 or 1; blue is diagonally beside it.
    """

    kind = "bayer noise"

    shot: Parameter
    read: Parameter
    gains: Tensor
    phase: tuple[int, int] = (0, 0)

    def sample(self, x: Tensor, random: np.random.Generator) -> Tensor:
        light = to_linear(x)
        noise = self._mosaic(light).sqrt() * normal(x.shape, x, random)  # of the two colours not seen, 0
        return to_srgb(light + self._gains(x) * _gathered(noise) / _gathered(self._filters(x)[None]))

    def variance(self, x: Tensor) -> Tensor:
        spread_out = (self._gains(x) / _gathered(self._filters(x)[None])) ** 2
        return as_seen("linear", x, lambda light: spread_out * _gathered(self._mosaic(light), 2))

    def _scaled(self, strength: float) -> Self:
        return replace(self, shot=self.shot * strength * strength, read=self.read * strength)

    def words(self) -> str:
        return f"sensor noise {255 * (mean_of(self.shot) + mean_of(self.read) ** 2) ** 0.5:.0f} of 255 at white"

    def _mosaic(self, light: Tensor) -> Tensor:
        """The variance of the noise at the sensor, 0 for the colours that a place does not see."""
        seen = (light / self._gains(light)).clamp_min(0)
        variance = broadcast(self.shot, light) * seen + broadcast(self.read, light) ** 2
        return variance * self._filters(light)

    def _filters(self, like: Tensor) -> Tensor:
        rows, columns = (
            (torch.arange(side, device=like.device) + start) % 2 == 0
            for side, start in zip(like.shape[-2:], self.phase, strict=True)
        )
        red, blue = rows[:, None] & columns, ~rows[:, None] & ~columns
        return torch.stack([red, ~(red | blue), blue]).to(like)

    def _gains(self, x: Tensor) -> Tensor:
        return per_picture(self.gains.to(x).reshape(-1, 3))


def _gathered(mosaic: Tensor, power: int = 1) -> Tensor:
    """[B, 3, H, W], each colour 0 where it was not seen, gathered by the weights to that power."""
    weights = mosaic.new_tensor(_BILINEAR)[:, None] ** power
    return F.conv2d(mosaic, weights, padding=1, groups=3)
