"""How far the values are off."""

from __future__ import annotations

import math

from ldrps.metrics.pictures import Channel, ImageLike, channels, crop, pair
from ldrps.metrics.score import Score


def psnr(restored: ImageLike, clean: ImageLike, channel: Channel = "rgb", border: int = 0) -> Score:
    """Peak signal-to-noise ratio in dB, 10 log10(1 / MSE), with one mean over all pixels and channels.

    Args:
        restored, clean: pictures as `ldrps.metrics.pictures.picture` takes them, of the same size.
        channel: "rgb", or "y" for the luma of `luma`, whose peak stays 1 though it ends at 235 / 255: the custom of
            the field.
        border: pixels that are left out on each side.

    Returns:
        A score in [0, inf]: 0 for black against white, inf for pictures that are identical.

    Raises:
        InputError: the pictures cannot be used, or the border leaves nothing of them.
        SettingsError: an unknown channel or a negative border.
    """
    x, y, protocol = channels(*pair(restored, clean), channel)
    mse = float((crop(x, border) - crop(y, border)).square().mean())
    return Score("psnr", 0.0 - 10 * math.log10(mse) if mse else math.inf, {**protocol, "border": border, "peak": 1.0})
