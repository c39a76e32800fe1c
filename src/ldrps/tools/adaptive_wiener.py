"""The adaptive Wiener filter: each pixel drawn to the mean about it, as far as its surroundings look like noise."""

from __future__ import annotations

import numpy as np

from ldrps.tools.base import Pixels, need, pixels
from ldrps.tools.noise_level import FLOOR, noise_level


def wiener(x: Pixels) -> Pixels:
    """SciPy's `signal.wiener` on 5x5 pixels of each channel, told the estimated noise.

    A picture without noise comes back as it is.
    """
    signal = need("scipy.signal")
    sigma = noise_level(x)
    if sigma < FLOOR:
        return pixels(x)
    # A flat place has no variance to divide by; SciPy itself then takes the mean.
    with np.errstate(divide="ignore", invalid="ignore"):
        return pixels(np.dstack([signal.wiener(x[..., c].astype(np.float64), 5, sigma**2) for c in range(3)]))
