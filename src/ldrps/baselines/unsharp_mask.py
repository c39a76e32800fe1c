"""Sharpening as photo editors do: what a blurred copy lacks is added."""

from __future__ import annotations

from ldrps.baselines.base import Pixels, need, pixels


def unsharp(x: Pixels) -> Pixels:
    """scikit-image's `unsharp_mask` with a radius of 2 pixels and an amount of 1."""
    filters = need("skimage.filters")
    return pixels(filters.unsharp_mask(x, radius=2, amount=1.0, channel_axis=-1))
