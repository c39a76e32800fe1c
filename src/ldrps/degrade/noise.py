"""Noise. Each channel has its own, so a grey picture becomes coloured by it, but for grain that is grey."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ldrps import degradation
from ldrps.degrade.base import Kind, parameter

# Variance over white: a pixel that holds 50,000 electrons at ISO 100.
_SHOT_AT_ISO_1 = 2e-7
_DAYLIGHT = (2.0, 1.0, 1.6)  # what a white balance multiplies red, green and blue by


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


@dataclass(frozen=True)
class Grain(Kind):
    """Gaussian noise smoothed by a Gaussian: the grain of a film, or blotches of colour as denoising leaves them."""

    kind = "grain"
    title = "smoothed Gaussian noise"

    sigma: float = parameter(15.0, 0, 255, "deviation of each value, of 255")
    spread: float = parameter(1.0, 0, 20, "deviation of the smoothing in pixels")
    colour: float = parameter(0.5, 0, 1, "0 is grey, 0.5 channels that share nothing, 1 colours whose mean is none")

    def draw(self, size: tuple[int, int], random: np.random.Generator) -> degradation.Noise:
        import torch

        grain = degradation.GrainNoise(1.0, self.spread, self.colour)
        deviation = float(grain.variance(torch.zeros(1, 3, 1, 1, dtype=torch.float64)).sqrt()[0, 0])
        return grain.scaled(self.sigma / 255 / deviation)


@dataclass(frozen=True)
class Camera(Kind):
    """Shot and read noise of a large sensor in linear light, behind a mosaic of filters, demosaicked by gradients.

    Where the first red of the mosaic is, is drawn. What a camera does against it, and to the picture, is left out.
    """

    kind = "camera"
    title = "noise of a camera"

    iso: float = parameter(3200.0, 50, 409600, "sensitivity")

    def draw(self, size: tuple[int, int], random: np.random.Generator) -> degradation.BayerNoise:
        import torch

        from ldrps.degradation.bayer import usual_read

        shot = _SHOT_AT_ISO_1 * self.iso
        phase = (int(random.integers(2)), int(random.integers(2)))
        return degradation.BayerNoise(shot, usual_read(shot), torch.tensor(_DAYLIGHT), phase, "gradients")
