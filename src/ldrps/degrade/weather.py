"""Haze and rain, in their simple models."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ldrps.degrade.base import Degradation, parameter
from ldrps.degrade.filters import convolve, line
from ldrps.degrade.resize import resize


@dataclass(frozen=True)
class Haze(Degradation):
    """y = t x + (1 - t) A with t = transmission ** depth (Koschmieder), and a depth that stands in for the scene's.

    The depth is 1 in the middle, 1 + ramp at the top, 1 - ramp at the bottom, because what is far is mostly higher up,
    and varies smoothly by chance: a random field of 4 x 4 nodes, whatever the size of the picture.
    """

    kind = "haze"
    title = "haze, thicker to the top"

    transmission: float = parameter(0.4, 0.01, 1, "share of the scene that is left")
    airlight: float = parameter(0.9, 0, 1.5, "value of the haze")
    ramp: float = parameter(0.5, 0, 1, "how the depth differs from top to middle")
    unevenness: float = parameter(0.1, 0, 1, "deviation of the depth")

    def _damage(self, x: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.float64]:
        height, width = x.shape[:2]
        rise = np.linspace(1, -1, height)[:, None]
        field = resize(random.standard_normal((4, 4)), height, width)
        depth = np.maximum(1 + self.ramp * rise + self.unevenness * field, 0)
        t = (self.transmission**depth)[..., None]
        return t * x + (1 - t) * self.airlight


@dataclass(frozen=True)
class Rain(Degradation):
    """Bright streaks over the picture, y = x + s (1 - x), all of one length and direction and a pixel wide.

    The recipe of the synthetic sets: no depth, no veil of distant rain, no refraction in drops.
    """

    kind = "rain"
    title = "rain streaks"

    density: float = parameter(0.002, 0, 0.1, "streaks per pixel")
    length: float = parameter(15.0, 1, 200, "pixels")
    angle: float = parameter(75.0, -360, 360, "degrees up from the right")
    strength: float = parameter(0.6, 0, 1, "opacity of the strongest")

    def _damage(self, x: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.float64]:
        height, width = x.shape[:2]
        kernel = line(self.length, self.angle)
        margin = kernel.shape[0] // 2  # streaks also come in from outside
        size = (height + 2 * margin, width + 2 * margin)
        drops = np.where(random.random(size) < self.density, random.uniform(0.5, 1, size), 0)
        streaks = convolve(drops, kernel / kernel.max())[margin : margin + height, margin : margin + width]
        s = self.strength * np.minimum(streaks, 1)[..., None]
        return x + s * (1 - x)
