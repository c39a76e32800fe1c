"""Wavelet shrinkage."""

from __future__ import annotations

from ldrps.tools.base import Pixels, need, pixels


def wavelet(x: Pixels) -> Pixels:
    """scikit-image's `denoise_wavelet` with BayesShrink, soft, in YCbCr; it estimates the noise itself."""
    need("pywt")
    restoration = need("skimage.restoration")
    return pixels(restoration.denoise_wavelet(x, convert2ycbcr=True, rescale_sigma=True, channel_axis=-1))
