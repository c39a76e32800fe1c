"""Sharpening as photo editors do: what a blurred copy lacks is added."""

from __future__ import annotations

import numpy as np

from ldrps.tools.base import Pixels, need, pixels


def unsharp(x: Pixels) -> Pixels:
    """scikit-image's `unsharp_mask` with a radius of 2 pixels and an amount of 1."""
    filters = need("skimage.filters")
    # Channel by channel: told of all at once, it leaves some of them unwritten.
    return pixels(np.stack([filters.unsharp_mask(x[..., k], radius=2, amount=1.0) for k in range(3)], axis=-1))
