"""Loss terms of the posterior that need no network: small functions of images [B, 3, H, W] in [0, 1]."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

NORMAL_EXPOSURE = 0.5


def brightness(x: Tensor, cell: int, level: float = NORMAL_EXPOSURE) -> Tensor:
    """Mean over cells of `cell` pixels of (mean grey - level)^2: exposure control (Guo et al. 2020, eq. 5, squared)."""
    grey = x.mean(1, keepdim=True)
    # A picture smaller than a cell is one cell.
    size = (min(cell, x.shape[-2]), min(cell, x.shape[-1]))
    return (F.avg_pool2d(grey, size) - level).pow(2).mean()


def chrominance(x: Tensor) -> Tensor:
    """sqrt(Drg^2 + Drb^2 + Dgb^2), D the squared difference of two channel means (grey world, Guo et al. 2020)."""
    red, green, blue = x.mean((2, 3)).unbind(1)
    squares = (red - green).pow(4) + (red - blue).pow(4) + (green - blue).pow(4)
    return (squares + 1e-30).sqrt().mean()  # the root has no derivative at an exactly grey picture
