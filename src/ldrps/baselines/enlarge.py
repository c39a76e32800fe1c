"""Enlarging, for sets of reduced pictures."""

from __future__ import annotations

from ldrps.baselines.base import Pixels, pixels
from ldrps.degrade.resize import resize


def bicubic(x: Pixels, factor: int) -> Pixels:
    """[H, W, 3] to [factor H, factor W, 3] by Pillow, in floating point; a = -0.5, as of MATLAB's imresize."""
    return pixels(resize(x, factor * x.shape[0], factor * x.shape[1]))
