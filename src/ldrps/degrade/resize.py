"""Resizing in floating point."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ldrps.degrade.base import Pixels

BICUBIC = Image.Resampling.BICUBIC  # a = -0.5, and wider when it reduces: the bicubic of MATLAB's imresize
BOX = Image.Resampling.BOX


def resize(x: Pixels, height: int, width: int, how: Image.Resampling = BICUBIC) -> NDArray[np.float32]:
    """Pixels [H, W] or [H, W, C] of any values to [height, width] or [height, width, C], by Pillow, not clipped."""
    if x.ndim == 2:
        return np.asarray(Image.fromarray(x.astype(np.float32)).resize((width, height), how))
    return np.stack([resize(x[..., c], height, width, how) for c in range(x.shape[2])], axis=2)
