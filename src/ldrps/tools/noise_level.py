"""How noisy a picture is, as the blind denoisers among the baselines are told."""

from __future__ import annotations

import warnings

import numpy as np

from ldrps.tools.base import Pixels, need

FLOOR = 1e-4  # below it, a fortieth of a byte's step, there is nothing to remove


def noise_level(x: Pixels) -> float:
    """scikit-image's estimate, the median of the finest wavelets (Donoho, Johnstone 1994), as the mean over channels.

    A flat channel counts as free of noise. Not ours: a baseline has to be what people have without ldrps.
    """
    need("pywt")
    restoration = need("skimage.restoration")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of a flat channel: the median of nothing, NaN
        sigmas = restoration.estimate_sigma(x, channel_axis=-1)
    return float(np.mean(np.nan_to_num(sigmas)))
