"""Noise. Each channel has its own, so a grey picture becomes coloured by it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ldrps import degradation
from ldrps.degrade.base import Kind, parameter


@dataclass(frozen=True)
class Noise(Kind):
    """White Gaussian noise, y = x + n."""

    kind = "noise"
    title = "white Gaussian noise"

    sigma: float = parameter(25.0, 0, 255, "deviation, of 255")

    def draw(self, size: tuple[int, int], random: np.random.Generator) -> degradation.WhiteNoise:
        return degradation.WhiteNoise(self.sigma / 255)


@dataclass(frozen=True)
class ShotNoise(Kind):
    """Poisson noise of the pixel values themselves, y = Poisson(peak x) / peak, as ImageNet-C has it.

    A camera counts in linear light; here, as usual in the field, the counts are of sRGB values. Below 0 counts as 0.
    """

    kind = "shot"
    title = "shot noise"

    peak: float = parameter(60.0, 1, 1e9, "counts at white")

    def draw(self, size: tuple[int, int], random: np.random.Generator) -> degradation.PoissonNoise:
        return degradation.PoissonNoise(self.peak)


@dataclass(frozen=True)
class CorrelatedNoise(Kind):
    """Gaussian noise of a picture `scale` times as large, reduced with it: weaker, and shared by neighbours.

    The defaults are those of the Kodak set that TAO and LD-RPS are measured on: sigma 30 at 500 pixels, then bicubic to
    256. A deviation of 12.6 is left, and 12.2 in the set itself, whose noisy pictures were clipped before they were
    reduced.
    """

    kind = "correlated"
    title = "Gaussian noise, reduced in size"

    sigma: float = parameter(30.0, 0, 255, "deviation before reducing, of 255")
    scale: float = parameter(500 / 256, 1, 8, "how much larger the noise was")

    def draw(self, size: tuple[int, int], random: np.random.Generator) -> degradation.ReducedNoise:
        return degradation.ReducedNoise(self.sigma / 255, self.scale)
