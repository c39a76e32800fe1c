"""MATLAB's imresize: bicubic, with antialiasing where it reduces."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def imresize(x: Tensor, scale: float) -> Tensor:
    """Pictures [..., H, W] of floats, made [..., ceil(scale H), ceil(scale W)] as MATLAB makes them.

    Keys' cubic with a = -0.5, made 1 / scale wider below a scale of 1; beyond the edge the picture is mirrored, its
    outermost pixel repeated. Values may overshoot; they are not clipped.
    """
    return _rows(_rows(x, scale).transpose(-1, -2), scale).transpose(-1, -2)


def _rows(x: Tensor, scale: float) -> Tensor:
    """Resized along the last dimension but one."""
    indices, weights = _contributions(x.shape[-2], scale, x.dtype)
    total = torch.zeros_like(x[..., indices[:, 0], :])
    for index, weight in zip(indices.T, weights.T, strict=True):
        total.addcmul_(x[..., index, :], weight[:, None])
    return total


def _contributions(length: int, scale: float, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Which inputs make each output, and how much of them: both [outputs, taps]."""
    shrink = min(scale, 1.0)
    width = 4 / shrink
    centre = (torch.arange(math.ceil(length * scale), dtype=torch.float64) + 0.5) / scale - 0.5
    first = torch.floor(centre - width / 2)
    places = first[:, None] + torch.arange(math.ceil(width) + 2)
    weights = _cubic((centre[:, None] - places) * shrink)
    weights /= weights.sum(1, keepdim=True)
    mirrored = places.long() % (2 * length)  # ... 1 0 | 0 1 ... n-1 | n-1 ...
    indices = torch.where(mirrored < length, mirrored, 2 * length - 1 - mirrored)
    used = (weights != 0).any(0)
    return indices[:, used], weights[:, used].to(dtype)


def _cubic(x: Tensor) -> Tensor:
    x = x.abs()
    inner = 1.5 * x**3 - 2.5 * x**2 + 1
    outer = -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return torch.where(x <= 1, inner, torch.where(x <= 2, outer, torch.zeros_like(x)))
