"""Holes that are told, filled from their borders inwards: what photo editors have had for long."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ldrps.tools.base import Pixels, levels, need, pixels

_RADIUS = 3  # pixels around each that are looked at, as OpenCV's example has it


def telea(x: Pixels, lost: NDArray[np.bool_]) -> Pixels:
    """[H, W, 3] with the lost pixels [H, W] as weighted means of what is around, by fast marching."""
    return _by_opencv(x, lost, "INPAINT_TELEA")


def navier_stokes(x: Pixels, lost: NDArray[np.bool_]) -> Pixels:
    """[H, W, 3] with the lost pixels [H, W] by lines of equal brightness that go on as a fluid flows."""
    return _by_opencv(x, lost, "INPAINT_NS")


def _by_opencv(x: Pixels, lost: NDArray[np.bool_], how: str) -> Pixels:
    cv2 = need("cv2")
    found = pixels(cv2.inpaint(levels(x), lost.astype(np.uint8), _RADIUS, getattr(cv2, how)))
    return np.where(lost[..., None], found, x)
