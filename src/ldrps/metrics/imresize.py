"""MATLAB's imresize: bicubic, with antialiasing where it reduces."""

from __future__ import annotations

import math

from torch import Tensor

from ldrps.degradation.sampling import resampled


def imresize(x: Tensor, scale: float) -> Tensor:
    """Pictures [B, C, H, W] of floats, made [B, C, ceil(scale H), ceil(scale W)] as MATLAB makes them.

    Keys' cubic with a = -0.5, made 1 / scale wider below a scale of 1; beyond the edge the picture is mirrored, its
    outermost pixel repeated. Values may overshoot; they are not clipped.
    """
    for dim in (-2, -1):
        count = math.ceil(x.shape[dim] * scale)
        x = resampled(x.shape[dim], count, 1 / scale, beyond="mirrored").along(x, dim)
    return x
