"""The dark channel prior: somewhere in a small patch of a clear picture a channel is all but black."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ldrps.tools.base import Pixels, need, pixels

_LUMA = np.array([0.299, 0.587, 0.114], np.float32)


def dcp(
    x: Pixels, *, patch: int = 15, omega: float = 0.95, t_min: float = 0.1, radius: int = 20, epsilon: float = 1e-3
) -> Pixels:
    """Dehaze: airlight A and transmission t from the dark channel, then J = (x - A) / t + A.

    A is the brightest pixel of x among the 0.1 % with the brightest dark channel; patch, omega and t_min are the first
    paper's. t is refined by the second paper's guided filter instead of matting, with the luma as guide, and with the
    radius and epsilon that most ports have.
    """
    cv2 = need("cv2")
    window = np.ones((patch, patch), np.uint8)
    dark = cv2.erode(x.min(axis=2), window)
    brightest = np.argsort(dark, axis=None, kind="stable")[-max(dark.size // 1000, 1) :]
    candidates = x.reshape(-1, 3)[brightest]
    airlight = np.maximum(candidates[candidates.sum(axis=1).argmax()], 1e-3)  # a black picture has none
    t = 1 - omega * cv2.erode((x / airlight).min(axis=2), window)
    t = np.maximum(_guided_filter(cv2, x @ _LUMA, t, radius, epsilon), t_min)[..., None]
    return pixels((x - airlight) / t + airlight)


def _guided_filter(cv2: Any, guide: Pixels, p: Pixels, radius: int, epsilon: float) -> NDArray[np.float64]:
    """He's algorithm 1; OpenCV has it only in its contributed modules, which are another package."""

    def mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return cv2.blur(values, (2 * radius + 1, 2 * radius + 1), borderType=cv2.BORDER_REFLECT)

    i, p64 = guide.astype(np.float64), p.astype(np.float64)
    a = (mean(i * p64) - mean(i) * mean(p64)) / (mean(i * i) - mean(i) ** 2 + epsilon)
    b = mean(p64) - a * mean(i)
    return mean(a) * i + mean(b)
