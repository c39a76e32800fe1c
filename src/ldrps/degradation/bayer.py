"""The noise of a sensor behind a colour filter array, as demosaicking leaves it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, Self

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
# Malvar, He and Cutler 2004, fig. 2, of 16: a colour where another is seen, from both. Green where it is not seen; red
# or blue at a green with its neighbours in the same row, or in the same column; red at a blue and the other way round.
_GREEN = ((0, 0, -2, 0, 0), (0, 0, 4, 0, 0), (-2, 4, 8, 4, -2), (0, 0, 4, 0, 0), (0, 0, -2, 0, 0))
_IN_ROW = ((0, 0, 1, 0, 0), (0, -2, 0, -2, 0), (-2, 8, 10, 8, -2), (0, -2, 0, -2, 0), (0, 0, 1, 0, 0))
_IN_COLUMN = tuple(zip(*_IN_ROW, strict=True))
_DIAGONAL = ((0, 0, -3, 0, 0), (0, 4, 0, 4, 0), (-3, 0, 12, 0, -3), (0, 4, 0, 4, 0), (0, 0, -3, 0, 0))

_REACH = 2  # pixels around its own that they see

_SLOPE, _OFFSET = 2.18, 1.20  # Brooks et al. 2019, section 3.1: of ln read^2 over ln shot, through many cameras

Demosaicking = Literal["bilinear", "gradients"]


@dataclass(frozen=True, eq=False)
class BayerNoise(Noise):
    """Shot and read noise of the one colour that each place of a sensor sees, spread to all three by demosaicking, and
    raised by the white balance. Demosaicking is linear here: what it does to the picture is not noise, and is left out.

    Attributes:
        shot: variance at the sensor's white in linear light, of 1.
        read: deviation in the dark, of 1.
        gains: of the white balance, (red, green, blue) of all pictures, [3], or of each, [B, 3].
        phase: where the first red is, (row, column), each 0 or 1; blue is diagonally beside it.
        demosaicking: "bilinear", each colour by itself, or "gradients", each with the detail of the colour that is seen
            (Malvar, He and Cutler 2004).
    """

    kind = "bayer noise"

    shot: Parameter
    read: Parameter
    gains: Tensor
    phase: tuple[int, int] = (0, 0)
    demosaicking: Demosaicking = "bilinear"

    def sample(self, x: Tensor, random: np.random.Generator) -> Tensor:
        seen = self._beyond(to_linear(x))
        noise = self._mosaic(seen).sqrt() * normal(seen.shape, x, random)  # of the two colours not seen, 0
        return to_srgb(to_linear(x) + self._gains(x) * self._demosaicked(noise))

    def variance(self, x: Tensor) -> Tensor:
        def spread_out(light: Tensor) -> Tensor:
            return self._gains(x) ** 2 * self._demosaicked(self._mosaic(self._beyond(light)), 2)

        return as_seen("linear", x, spread_out)

    def _beyond(self, light: Tensor) -> Tensor:
        """The picture with what filters see beyond its edge, mirrored so that colours go on in their order."""
        if self.demosaicking == "bilinear":
            return light
        for dim in (-2, -1):
            places = torch.arange(-_REACH, light.shape[dim] + _REACH, device=light.device)
            light = light.index_select(dim, _reflected(places, light.shape[dim]))
        return light

    def _demosaicked(self, mosaic: Tensor, power: int = 1) -> Tensor:
        """Of [B, 3, H, W], each colour 0 where it was not seen, all three everywhere; by the weights to a power."""
        filters = self._filters(mosaic)
        if self.demosaicking == "bilinear":
            return _gathered(mosaic, power) / _gathered(filters[None]) ** power
        seen = mosaic.sum(1, keepdim=True)
        kernels = (mosaic.new_tensor((_GREEN, _IN_ROW, _IN_COLUMN, _DIAGONAL)) / 16)[:, None] ** power
        green, in_row, in_column, diagonal = F.conv2d(seen, kernels).split(1, 1)
        seen, filters = (each[..., _REACH:-_REACH, _REACH:-_REACH] for each in (seen, filters))
        red, _, blue = (each[None, None] for each in filters)
        reds = red.amax(-1, keepdim=True)  # the rows in which greens have red beside them
        beside = [reds * in_row + (1 - reds) * in_column, reds * in_column + (1 - reds) * in_row]
        at_green = 1 - red - blue
        return torch.cat(
            [
                red * seen + at_green * beside[0] + blue * diagonal,
                at_green * seen + (1 - at_green) * green,
                blue * seen + at_green * beside[1] + red * diagonal,
            ],
            1,
        )

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


def usual_read(shot: float, departure: float = 0.0) -> float:
    """The read noise, of 1, that goes with a shot noise, above 0, by the sensitivity that is set.

    Args:
        shot: variance at the sensor's white in linear light, of 1.
        departure: how far a camera is off the line through many, in ln read^2; they deviate by 0.26.
    """
    return float(np.exp((_SLOPE * np.log(shot) + _OFFSET + departure) / 2))


def _reflected(index: Tensor, length: int) -> Tensor:
    """Places on an endless line to those of a line that goes on mirrored, its outermost value once."""
    index = index.abs() % max(2 * length - 2, 1)  # ... 2 1 | 0 1 ... n-1 | n-2 ...
    return torch.where(index < length, index, 2 * length - 2 - index)


def _gathered(mosaic: Tensor, power: int = 1) -> Tensor:
    """[B, 3, H, W], each colour 0 where it was not seen, gathered by the weights to that power."""
    weights = mosaic.new_tensor(_BILINEAR)[:, None] ** power
    return F.conv2d(mosaic, weights, padding=1, groups=3)
