"""Enlarging, for sets of reduced pictures."""

from __future__ import annotations

import numpy as np
from PIL import Image

from ldrps.tools.base import Pixels, pixels, resized


def bicubic(x: Pixels, factor: int) -> Pixels:
    """[H, W, 3] to [factor H, factor W, 3] by a cubic with a = -0.5, as Pillow and MATLAB enlarge."""
    return pixels(resized(x, factor * x.shape[0], factor * x.shape[1]))


def lanczos(x: Pixels, factor: int) -> Pixels:
    """[H, W, 3] to [factor H, factor W, 3] by a windowed sinc of three lobes, as programs call their best."""
    size = (factor * x.shape[1], factor * x.shape[0])
    planes = [Image.fromarray(x[..., channel]).resize(size, Image.Resampling.LANCZOS) for channel in range(3)]
    return pixels(np.stack([np.asarray(plane) for plane in planes], -1))
