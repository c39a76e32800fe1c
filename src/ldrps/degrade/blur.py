"""Blur, the same everywhere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ldrps.degrade.base import Degradation, parameter
from ldrps.degrade.filters import convolve, gaussian, line


@dataclass(frozen=True)
class Blur(Degradation):
    """Convolution with a Gaussian."""

    kind = "blur"
    title = "Gaussian blur"

    sigma: float = parameter(2.0, 0, 100, "deviation in pixels")

    def _damage(self, x: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.float64]:
        return gaussian(x, self.sigma)


@dataclass(frozen=True)
class MotionBlur(Degradation):
    """Convolution with a straight line, as of a camera that moves evenly during the exposure."""

    kind = "motion"
    title = "motion blur"

    length: float = parameter(15.0, 1, 200, "pixels, 1 is no motion")
    angle: float = parameter(0.0, -360, 360, "degrees up from the right")

    def _damage(self, x: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.float64]:
        return convolve(x, line(self.length, self.angle))
