"""Setting the tones of a whole picture to fixed figures, as photo editors' automatic buttons do.

All take float32 RGB [H, W, 3] in [0, 1] and return a new array of the same kind.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_GAMMA_LIMIT = 5.0  # of its logarithm; only an all but black or white picture comes so far


def autogamma(x: NDArray[np.float32], mean: float = 0.5) -> NDArray[np.float32]:
    """x ** gamma with the one gamma for which the mean of all values of all channels becomes `mean`.

    Found by bisection: log(0.5) / log(mean), which many use, gives that mean only to a flat picture, and 0.6 dB less on
    dark ones.
    """
    values, counts = np.unique(x, return_counts=True)  # of 8 bits, 256 at most
    low, high = -_GAMMA_LIMIT, _GAMMA_LIMIT
    for _ in range(30):
        middle = (low + high) / 2
        if float(np.average(values ** np.exp(middle), weights=counts)) > mean:
            low = middle
        else:
            high = middle
    return _clipped(x ** np.exp((low + high) / 2))


def stretch(x: NDArray[np.float32], percent: float = 0.5) -> NDArray[np.float32]:
    """One gain and one offset for all channels, so that `percent` of all values are clipped at either end.

    The percentiles are of the values of all channels together, not of a luma: those of a luma cut into strong colours
    and give 0.5 to 1.8 dB less. A picture whose percentiles coincide comes back as it is.
    """
    low, high = np.percentile(x, [percent, 100 - percent])
    return _clipped((x - low) / (high - low) if high > low else x)


def meanstd(x: NDArray[np.float32], mean: float = 0.45, deviation: float = 0.25) -> NDArray[np.float32]:
    """One gain and one offset for all channels, so that all values together have this mean and deviation.

    That is about what photographs have. A flat picture comes back as it is.
    """
    values = x.astype(np.float64)
    spread = float(values.std())
    if spread < 1e-6:
        return _clipped(x)
    return _clipped((values - values.mean()) / spread * deviation + mean)


def _clipped(x: NDArray[Any]) -> NDArray[np.float32]:
    return np.clip(x, 0, 1).astype(np.float32)
