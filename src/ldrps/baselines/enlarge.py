"""Enlarging, for sets of reduced pictures."""

from __future__ import annotations

from ldrps.baselines.base import Pixels, pixels, resized


def bicubic(x: Pixels, factor: int) -> Pixels:
    """[H, W, 3] to [factor H, factor W, 3] by a cubic with a = -0.5, as Pillow and MATLAB enlarge."""
    return pixels(resized(x, factor * x.shape[0], factor * x.shape[1]))
