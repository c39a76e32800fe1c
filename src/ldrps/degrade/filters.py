"""Small convolutions; beyond its border a picture goes on mirrored."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def gaussian(x: Array, sigma: float) -> Array:
    """Pixels [H, W, ...] blurred by a Gaussian of deviation `sigma` pixels, cut at four deviations."""
    radius = math.ceil(4 * sigma)
    if radius == 0:
        return x
    taps = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    taps /= taps.sum()
    return convolve(convolve(x, taps[:, None]), taps[None, :])


def line(length: float, angle: float) -> Array:
    """A kernel of sum 1: the path of a motion over `length` pixels, `angle` degrees up from the right.

    Points a pixel apart, shared among the four pixels around each; a length of 1 is no motion.
    """
    reach = (length - 1) / 2
    radius = math.ceil(reach)
    kernel = np.zeros((2 * radius + 1, 2 * radius + 1))
    steps = np.linspace(-reach, reach, math.ceil(length))
    # Rounded, so that the sine of 180 degrees is 0 and not 1e-16 of a pixel.
    ys = np.round(radius - steps * math.sin(math.radians(angle)), 9)
    xs = np.round(radius + steps * math.cos(math.radians(angle)), 9)
    for y, x in zip(ys, xs, strict=True):
        top, left = math.floor(y), math.floor(x)
        for row, down in ((top, 1 - (y - top)), (top + 1, y - top)):
            for column, across in ((left, 1 - (x - left)), (left + 1, x - left)):
                if down * across:
                    kernel[row, column] += down * across
    return kernel / kernel.sum()


def convolve(x: Array, kernel: Array) -> Array:
    """Pixels [H, W, ...] convolved with a kernel of odd sides."""
    height, width = x.shape[:2]
    down, across = kernel.shape[0] // 2, kernel.shape[1] // 2
    padded = np.pad(x, [(down, down), (across, across)] + [(0, 0)] * (x.ndim - 2), mode="symmetric")
    y = np.zeros_like(x)
    for row, column in zip(*np.nonzero(kernel[::-1, ::-1]), strict=True):
        y += kernel[::-1, ::-1][row, column] * padded[row : row + height, column : column + width]
    return y
