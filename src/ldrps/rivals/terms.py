"""Loss terms that several rivals share, and the windows they are made of; pictures float [B, C, H, W]."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def total_variation(x: Tensor) -> Tensor:
    """2 (sum dh^2 / n_h + sum dw^2 / n_w) / B: dh and dw are differences of neighbours, n_h and n_w how many a channel
    has, so channels add up.
    """
    down, across = x.diff(dim=2).pow(2), x.diff(dim=3).pow(2)
    return 2 * (down.sum() / down[0, 0].numel() + across.sum() / across[0, 0].numel()) / len(x)


def box_mean(x: Tensor, radius: int) -> Tensor:
    """The mean of the (2 radius + 1)^2 pixels about each, as far as they are in the picture."""
    size = 2 * radius + 1
    down = F.avg_pool2d(x, (size, 1), stride=1, padding=(radius, 0), count_include_pad=False)
    return F.avg_pool2d(down, (1, size), stride=1, padding=(0, radius), count_include_pad=False)


def box_variance(x: Tensor, radius: int) -> Tensor:
    """The variance of the same pixels, never below 0."""
    return (box_mean(x * x, radius) - box_mean(x, radius).pow(2)).clamp_min(0)
