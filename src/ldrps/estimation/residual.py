"""The blocks of the networks that judge damage."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn


class Residual(nn.Module):
    """Two convolutions behind an activation each, on [B, width, h, w], beside a way past them."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(width, width, 3, padding=1)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv2(F.silu(self.conv1(F.silu(x))))


def halvings(widths: Sequence[int]) -> list[nn.Module]:
    """From each width to the next: [B, width, h, w] to half of its size each way, and a block."""
    layers: list[nn.Module] = []
    for width, wider in itertools.pairwise(widths):
        layers += [nn.SiLU(), nn.Conv2d(width, wider, 3, stride=2, padding=1), Residual(wider)]
    return layers
