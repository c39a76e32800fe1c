"""Small filters in float64, by shifted sums: PyTorch's convolutions are slow there, and copy the picture per tap."""

from __future__ import annotations

import torch
from torch import Tensor


def gaussian(size: int, sigma: float) -> Tensor:
    """A Gaussian window [size] in float64 of sum 1, as MATLAB's fspecial."""
    at = torch.arange(size, dtype=torch.float64) - (size - 1) / 2
    window = torch.exp(-at.square() / (2 * sigma**2))
    return window / window.sum()


def valid_blur(x: Tensor, window: Tensor) -> Tensor:
    """Pictures [..., H, W] blurred both ways by a window [K], where it fits: [..., H - K + 1, W - K + 1]."""
    for dim in (-2, -1):
        length = x.shape[dim] - len(window) + 1
        taps = window.tolist()
        total = x.narrow(dim, 0, length) * taps[0]
        for at, tap in enumerate(taps[1:], start=1):
            total.add_(x.narrow(dim, at, length), alpha=tap)
        x = total
    return x
