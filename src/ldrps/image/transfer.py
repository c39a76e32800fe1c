"""What was changed in a small copy of a picture, given to the picture in its full size."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

_WINDOW, _SMOOTH = 2, 1e-3  # of the fit: pixels of the small copy each way, and variance that counts as nothing


def reduced(image: Tensor, longer_side: int) -> Tensor:
    """An image [1, C, H, W] reduced by averaging to at most that many pixels on its longer side; itself if it is."""
    height, width = image.shape[-2:]
    shrink = longer_side / max(height, width)
    if shrink >= 1:
        return image
    return F.interpolate(image, (max(1, round(shrink * height)), max(1, round(shrink * width))), mode="area")


def carry_over(large: Tensor, small: Tensor, changed: Tensor, otherwise: float | None = None) -> Tensor:
    """The picture `large` changed as its small copy was, with all of its detail.

    In each place of the copy the change is fitted as a line, changed = a small + b (fast guided filter, He and Sun
    2015), a and b vary smoothly, and are applied to the large picture.

    Args:
        large: [1, C, H, W].
        small: [1, C, h, w], a copy of it.
        changed: [1, K, h, w]; C is K, or 1.
        otherwise: the slope a where a place is too smooth to tell; None takes that of the line through the whole.
    """
    size = 2 * _WINDOW + 1

    def mean(x: Tensor) -> Tensor:
        return F.avg_pool2d(x, size, 1, _WINDOW, count_include_pad=False)

    flat: float | Tensor = _line_of_all(small, changed) if otherwise is None else otherwise
    centre, middle = mean(small), mean(changed)
    variance = mean(small * small) - centre**2
    slope = (mean(small * changed) - centre * middle + _SMOOTH * flat) / (variance + _SMOOTH)
    offset = middle - slope * centre
    slope, offset = (F.interpolate(mean(x), large.shape[-2:], mode="bilinear") for x in (slope, offset))
    return slope * large + offset


def _line_of_all(small: Tensor, changed: Tensor) -> Tensor:
    """The slope of the line through all values of a channel, [1, K, 1, 1]; 1 where the channel is a single value."""
    x, y = (image - image.mean((-2, -1), keepdim=True) for image in (small, changed))
    square = x.square().mean((-2, -1), keepdim=True)
    return torch.where(square > 1e-8, (x * y).mean((-2, -1), keepdim=True) / square.clamp_min(1e-8), 1.0)
