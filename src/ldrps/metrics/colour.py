"""How far the colours look off: CIELAB and the CIEDE2000 difference."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ldrps.degradation.srgb import to_linear
from ldrps.metrics.pictures import ImageLike, pair
from ldrps.metrics.score import Score

# Linear sRGB to XYZ, IEC 61966-2-1. White is its row sums, so that every grey has a* = b* = 0.
_TO_XYZ = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
_DELTA = 6 / 29


def ciede2000(restored: ImageLike, clean: ImageLike) -> Score:
    """The mean over all pixels of the CIEDE2000 colour difference, both pictures taken as sRGB under D65.

    Args:
        restored, clean: pictures as `ldrps.metrics.pictures.picture` takes them, of the same size.

    Returns:
        A score from 0, identical; about 1 is just noticeable, and black against white is 100.

    Raises:
        InputError: the pictures cannot be used.
    """
    x, y = pair(restored, clean)
    value = float(difference(lab(x[0]), lab(y[0])).mean())
    return Score("ciede2000", value, {"space": "CIELAB of sRGB, D65", "weights": [1, 1, 1], "pooling": "mean"})


def lab(x: Tensor) -> Tensor:
    """CIELAB [3, ...] of sRGB [3, ...] in [0, 1]; L* in [0, 100]."""
    linear = to_linear(x)
    matrix = torch.tensor(_TO_XYZ, dtype=x.dtype)
    xyz = torch.tensordot(matrix / matrix.sum(1, keepdim=True), linear, 1)
    f = torch.where(xyz > _DELTA**3, xyz.clamp_min(_DELTA**3) ** (1 / 3), xyz / (3 * _DELTA**2) + 4 / 29)
    return torch.stack([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def difference(first: Tensor, second: Tensor) -> Tensor:
    """CIEDE2000 [...] between colours of CIELAB [3, ...], with k_L = k_C = k_H = 1.

    The numbers in brackets are those of Sharma, Wu, Dalal, "The CIEDE2000 color-difference formula", 2005. Where a
    colour is grey its hue does not count, and where hues are opposed their mean is the paper's choice of two.
    """
    (l1, a1, b1), (l2, a2, b2) = first, second
    c_mean = (torch.hypot(a1, b1) + torch.hypot(a2, b2)) / 2  # (2) (3)
    g = 0.5 * (1 - _chroma_ratio(c_mean))  # (4)
    a1, a2 = (1 + g) * a1, (1 + g) * a2  # (5)
    c1, c2 = torch.hypot(a1, b1), torch.hypot(a2, b2)  # (6)
    h1, h2 = _hue(a1, b1), _hue(a2, b2)  # (7)
    grey = c1 * c2 == 0

    step = h2 - h1
    step = torch.where(step > 180, step - 360, torch.where(step < -180, step + 360, step)).masked_fill(grey, 0)  # (10)
    d_l, d_c = l2 - l1, c2 - c1  # (8) (9)
    d_h = 2 * (c1 * c2).sqrt() * torch.sin(_radians(step) / 2)  # (11)

    l_mean, c_mean, total = (l1 + l2) / 2, (c1 + c2) / 2, h1 + h2  # (12) (13)
    far = (h1 - h2).abs() > 180
    h_mean = torch.where(far, torch.where(total < 360, total + 360, total - 360), total) / 2
    h_mean = torch.where(grey, total, h_mean)  # (14)
    t = (
        1
        - 0.17 * torch.cos(_radians(h_mean - 30))
        + 0.24 * torch.cos(_radians(2 * h_mean))
        + 0.32 * torch.cos(_radians(3 * h_mean + 6))
        - 0.20 * torch.cos(_radians(4 * h_mean - 63))
    )  # (15)
    theta = 30 * torch.exp(-(((h_mean - 275) / 25) ** 2))  # (16)
    r_c = 2 * _chroma_ratio(c_mean)  # (17)
    s_l = 1 + 0.015 * (l_mean - 50) ** 2 / (20 + (l_mean - 50) ** 2).sqrt()  # (18)
    s_c = 1 + 0.045 * c_mean  # (19)
    s_h = 1 + 0.015 * c_mean * t  # (20)
    r_t = -torch.sin(_radians(2 * theta)) * r_c  # (21)
    l_, c_, h_ = d_l / s_l, d_c / s_c, d_h / s_h
    return (l_**2 + c_**2 + h_**2 + r_t * c_ * h_).clamp_min(0).sqrt()  # (22)


def _chroma_ratio(c: Tensor) -> Tensor:
    seventh = c**7
    return (seventh / (seventh + 25.0**7)).sqrt()


def _hue(a: Tensor, b: Tensor) -> Tensor:
    """The angle in [0, 360) degrees; 0 for grey."""
    degrees = torch.rad2deg(torch.atan2(b, a)) % 360
    return degrees.masked_fill((a == 0) & (b == 0), 0)


def _radians(degrees: Tensor) -> Tensor:
    return degrees * (math.pi / 180)
