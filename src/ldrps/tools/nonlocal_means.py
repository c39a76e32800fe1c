"""Non-local means: the average of pixels whose surroundings look alike."""

from __future__ import annotations

import numpy as np

from ldrps.tools.base import Pixels, levels, need, pixels
from ldrps.tools.noise_level import FLOOR, noise_level


def nlm(x: Pixels, h: float = 7.0) -> Pixels:
    """OpenCV's `fastNlMeansDenoisingColored` on bytes, h and hColor alike, windows of 7 and 21 pixels.

    OpenCV wants blue first; given RGB it takes red for blue in its Lab, which costs 0.25 dB on noisy Kodak pictures.
    """
    cv2 = need("cv2")
    bgr = np.ascontiguousarray(levels(x)[..., ::-1])
    return pixels(cv2.fastNlMeansDenoisingColored(bgr, None, h, h, 7, 21)[..., ::-1])


def nlm_auto(x: Pixels) -> Pixels:
    """scikit-image's, in floating point, with the estimated noise sigma: h = 0.8 sigma, patches 5, distance 6.

    These are the figures of scikit-image's own example. A picture without noise comes back as it is.
    """
    restoration = need("skimage.restoration")
    sigma = noise_level(x)
    if sigma < FLOOR:
        return pixels(x)
    denoised = restoration.denoise_nl_means(
        x, h=0.8 * sigma, sigma=sigma, fast_mode=True, patch_size=5, patch_distance=6, channel_axis=-1
    )
    return pixels(denoised)
