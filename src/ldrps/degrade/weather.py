"""Haze and rain, in their simple models."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ldrps import degradation
from ldrps.degrade.base import Kind, parameter


@dataclass(frozen=True)
class Haze(Kind):
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

    def draw(self, size: tuple[int, int], random: np.random.Generator) -> degradation.Veil:
        import torch

        rise = torch.linspace(1, -1, size[0], dtype=torch.float64)[:, None]
        nodes = torch.from_numpy(random.standard_normal((1, 1, 4, 4)).astype(np.float32))
        depth = (1 + self.ramp * rise + self.unevenness * degradation.resize(nodes, size)).clamp_min(0)
        return degradation.Veil(self.transmission**depth, self.airlight)


@dataclass(frozen=True)
class Rain(Kind):
    """Bright streaks over the picture, y = x + s (1 - x), all of one length and direction and a pixel wide.

    The recipe of the synthetic sets: no depth, no veil of distant rain, no refraction in drops.
    """

    kind = "rain"
    title = "rain streaks"

    density: float = parameter(0.002, 0, 0.1, "streaks per pixel")
    length: float = parameter(15.0, 1, 200, "pixels")
    angle: float = parameter(75.0, -360, 360, "degrees up from the right")
    strength: float = parameter(0.6, 0, 1, "opacity of the strongest")

    def draw(self, size: tuple[int, int], random: np.random.Generator) -> degradation.Streaks:
        import torch

        from ldrps.degradation.kernels import line

        kernel = line(self.length, self.angle)
        margin = kernel.shape[0] // 2  # streaks also come in from outside
        around = (size[0] + 2 * margin, size[1] + 2 * margin)
        drops = np.where(random.random(around) < self.density, random.uniform(0.5, 1, around), 0)
        streaks = degradation.Blur(kernel / kernel.max(), "valid")(torch.from_numpy(drops)[None, None])
        return degradation.Streaks(self.strength * streaks.clamp_max(1))
