"""Damage to brightness and colour, the same for every pixel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ldrps import degradation
from ldrps.degrade.base import Kind, parameter


@dataclass(frozen=True)
class Dark(Kind):
    """y = gain * x ** gamma on sRGB values, the field's simple form of low light; below 0 becomes 0."""

    kind = "dark"
    title = "darkening of the pixel values"

    gain: float = parameter(0.2, 0, 2, "factor")
    gamma: float = parameter(1.0, 0.1, 10, "exponent, above 1 darkens the shadows")

    def draw(self, size: tuple[int, int], random: np.random.Generator) -> degradation.Tone:
        return degradation.Tone(self.gain, gamma=self.gamma)


@dataclass(frozen=True)
class Exposure(Kind):
    """A longer or shorter exposure: linear light times 2 ** stops, as a camera's; what exceeds white is kept."""

    kind = "exposure"
    title = "exposure in linear light"

    stops: float = parameter(-3.0, -12, 6, "stops, below 0 is darker")

    def draw(self, size: tuple[int, int], random: np.random.Generator) -> degradation.Exposure:
        return degradation.Exposure(self.stops)


@dataclass(frozen=True)
class Cast(Kind):
    """A wrong white balance, y = (red, green, blue) * x on sRGB values."""

    kind = "cast"
    title = "colour cast"

    red: float = parameter(1.15, 0, 4, "factor of red")
    green: float = parameter(1.0, 0, 4, "factor of green")
    blue: float = parameter(0.75, 0, 4, "factor of blue")

    def draw(self, size: tuple[int, int], random: np.random.Generator) -> degradation.WhiteBalance:
        import torch

        gains = torch.tensor([self.red, self.green, self.blue], dtype=torch.float64)
        return degradation.WhiteBalance(gains, "srgb")


@dataclass(frozen=True)
class Fade(Kind):
    """Lost contrast and raised blacks, y = contrast * x + offset."""

    kind = "fade"
    title = "fading"

    contrast: float = parameter(0.6, 0, 2, "factor")
    offset: float = parameter(0.25, -1, 1, "what black becomes")

    def draw(self, size: tuple[int, int], random: np.random.Generator) -> degradation.Tone:
        return degradation.Tone(self.contrast, self.offset)
