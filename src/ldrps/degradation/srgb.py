"""sRGB values and linear light (IEC 61966-2-1)."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

# Where a part works: on the values of the file, or on the light that they stand for.
Domain = Literal["srgb", "linear"]


def to_linear(x: Tensor) -> Tensor:
    """sRGB to linear light; the straight and the curved part go on below 0 and above 1."""
    return torch.where(x <= 0.04045, x / 12.92, ((x.clamp_min(0.0) + 0.055) / 1.055) ** 2.4)


def to_srgb(x: Tensor) -> Tensor:
    """Linear light to sRGB, the inverse of `to_linear`."""
    # Below the joint the power is not taken of 0, whose slope there is infinite.
    curved = 1.055 * x.clamp_min(0.0031308) ** (1 / 2.4) - 0.055
    return torch.where(x <= 0.0031308, 12.92 * x, curved)


def into(domain: Domain, x: Tensor) -> Tensor:
    """sRGB values in the domain where a part works."""
    return x if domain == "srgb" else to_linear(x)


def out_of(domain: Domain, x: Tensor) -> Tensor:
    """Values of that domain as sRGB."""
    return x if domain == "srgb" else to_srgb(x)
