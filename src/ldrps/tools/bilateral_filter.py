"""The bilateral filter: the average of what is near and of like colour."""

from __future__ import annotations

import numpy as np

from ldrps.tools.base import Pixels, need, pixels


def bilateral(x: Pixels, diameter: int = 9, sigma: float = 75.0) -> Pixels:
    """OpenCV's, in floating point, with the figures of its tutorial: 9 pixels, both deviations 75 (of 255; pixels)."""
    cv2 = need("cv2")
    return pixels(cv2.bilateralFilter(np.ascontiguousarray(x), diameter, sigma / 255, sigma))
