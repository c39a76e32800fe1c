"""Damage to brightness and colour, the same for every pixel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ldrps.degrade.base import Degradation, parameter


@dataclass(frozen=True)
class Dark(Degradation):
    """y = gain * x ** gamma on sRGB values, the field's simple form of low light; below 0 becomes 0."""

    kind = "dark"
    title = "darkening of the pixel values"

    gain: float = parameter(0.2, 0, 2, "factor")
    gamma: float = parameter(1.0, 0.1, 10, "exponent, above 1 darkens the shadows")

    def _damage(self, x: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.float64]:
        return self.gain * np.maximum(x, 0) ** self.gamma


@dataclass(frozen=True)
class Exposure(Degradation):
    """A longer or shorter exposure: linear light times 2 ** stops, as a camera's; what exceeds white is kept."""

    kind = "exposure"
    title = "exposure in linear light"

    stops: float = parameter(-3.0, -12, 6, "stops, below 0 is darker")

    def _damage(self, x: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.float64]:
        return to_srgb(2.0**self.stops * to_linear(x))


@dataclass(frozen=True)
class Cast(Degradation):
    """A wrong white balance, y = (red, green, blue) * x on sRGB values."""

    kind = "cast"
    title = "colour cast"

    red: float = parameter(1.15, 0, 4, "factor of red")
    green: float = parameter(1.0, 0, 4, "factor of green")
    blue: float = parameter(0.75, 0, 4, "factor of blue")

    def _damage(self, x: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.float64]:
        return x * np.array([self.red, self.green, self.blue])


@dataclass(frozen=True)
class Fade(Degradation):
    """Lost contrast and raised blacks, y = contrast * x + offset."""

    kind = "fade"
    title = "fading"

    contrast: float = parameter(0.6, 0, 2, "factor")
    offset: float = parameter(0.25, -1, 1, "what black becomes")

    def _damage(self, x: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.float64]:
        return self.contrast * x + self.offset


def to_linear(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """sRGB to linear light (IEC 61966-2-1); its straight and its curved part go on below 0 and above 1."""
    return np.where(x <= 0.04045, x / 12.92, ((np.maximum(x, 0) + 0.055) / 1.055) ** 2.4)


def to_srgb(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Linear light to sRGB, the inverse of `to_linear`."""
    return np.where(x <= 0.0031308, 12.92 * x, 1.055 * np.maximum(x, 0) ** (1 / 2.4) - 0.055)
