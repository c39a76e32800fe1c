"""Total variation: the smoothest picture, edges free, that is as far from the data as the noise is strong."""

from __future__ import annotations

import numpy as np

from ldrps.tools.base import Pixels, need, pixels
from ldrps.tools.noise_level import FLOOR, noise_level


def tv(x: Pixels) -> Pixels:
    """scikit-image's `denoise_tv_chambolle`; its weight is the one that removes just the estimated noise.

    Chambolle's iteration (2004): the weight times sigma over the deviation removed, here six times. A
    picture without noise comes back as it is.
    """
    restoration = need("skimage.restoration")
    sigma = weight = noise_level(x)
    if sigma < FLOOR:
        return pixels(x)
    smooth = x
    for _ in range(6):
        smooth = restoration.denoise_tv_chambolle(x, weight=weight, channel_axis=-1)
        weight *= sigma / max(float(np.sqrt(np.mean((smooth - x) ** 2))), FLOOR)
    return pixels(smooth)
