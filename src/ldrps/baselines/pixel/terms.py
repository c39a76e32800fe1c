"""The loss term of pictures [B, 3, H, W] that GDP alone has."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def exposure(x: Tensor, cell: int, level: float) -> Tensor:
    """Mean over cells of `cell` pixels of (mean grey - level)^2; of a picture smaller than a cell there is one cell."""
    size = (min(cell, x.shape[-2]), min(cell, x.shape[-1]))
    return (F.avg_pool2d(x.mean(1, keepdim=True), size) - level).square().mean()
