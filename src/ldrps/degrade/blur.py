"""Blur, the same everywhere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ldrps import degradation
from ldrps.degrade.base import Kind, parameter


@dataclass(frozen=True)
class Blur(Kind):
    """Convolution with a Gaussian."""

    kind = "blur"
    title = "Gaussian blur"

    sigma: float = parameter(2.0, 0, 100, "deviation in pixels")

    def draw(self, size: tuple[int, int], random: np.random.Generator) -> degradation.GaussianBlur:
        return degradation.GaussianBlur(self.sigma)


@dataclass(frozen=True)
class MotionBlur(Kind):
    """Convolution with a straight line, as of a camera that moves evenly during the exposure."""

    kind = "motion"
    title = "motion blur"

    length: float = parameter(15.0, 1, 200, "pixels, 1 is no motion")
    angle: float = parameter(0.0, -360, 360, "degrees up from the right")

    def draw(self, size: tuple[int, int], random: np.random.Generator) -> degradation.Blur:
        from ldrps.degradation.kernels import line

        return degradation.Blur(line(self.length, self.angle))
