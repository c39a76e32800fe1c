"""Structural similarity, at one scale and at five."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ldrps.errors import InputError
from ldrps.metrics.filters import gaussian, valid_blur
from ldrps.metrics.pictures import Channel, ImageLike, channels, crop, pair
from ldrps.metrics.score import Score

_WINDOW, _SIGMA = 11, 1.5
_K1, _K2 = 0.01, 0.03
_SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # Wang 2003, section 3.2

_PROTOCOL = {
    "window": f"{_WINDOW}x{_WINDOW} Gaussian, sigma {_SIGMA}, where it fits",
    "covariance": "population",
    "k": [_K1, _K2],
    "data_range": 1.0,
}


def ssim(restored: ImageLike, clean: ImageLike, channel: Channel = "y", border: int = 0) -> Score:
    """Structural similarity (Wang, Bovik, Sheikh, Simoncelli 2004): the mean of its map where the window fits.

    Args:
        restored, clean: pictures as `ldrps.metrics.pictures.picture` takes them, of the same size.
        channel: "y" for the luma of `luma`, or "rgb" for the mean of the three channels' values.
        border: pixels that are left out on each side.

    Returns:
        A score in [-1, 1]; 1 for pictures that are identical.

    Raises:
        InputError: the pictures cannot be used, or have fewer than 11 pixels a side without the border.
        SettingsError: an unknown channel or a negative border.
    """
    x, y, protocol = _prepare(restored, clean, channel, border, "SSIM", _WINDOW)
    full, _ = _means(x, y)
    return Score("ssim", float(full.mean()), protocol)


def ms_ssim(restored: ImageLike, clean: ImageLike, channel: Channel = "y", border: int = 0) -> Score:
    """Structural similarity at five scales (Wang, Simoncelli, Bovik 2003), halved by averaging 2x2 pixels.

    Contrast and structure come from all scales, luminance from the coarsest; their powers are the paper's. A scale
    whose structures are opposed, a mean below 0, counts as 0. Arguments as `ssim`.

    Returns:
        A score in [0, 1]; 1 for pictures that are identical.

    Raises:
        InputError: the pictures cannot be used, or have fewer than 176 pixels a side without the border.
        SettingsError: an unknown channel or a negative border.
    """
    least = _WINDOW << (len(_SCALE_WEIGHTS) - 1)
    x, y, protocol = _prepare(restored, clean, channel, border, "MS-SSIM", least)
    product = torch.ones(x.shape[1], dtype=x.dtype)
    for weight in _SCALE_WEIGHTS[:-1]:
        _, contrast = _means(x, y)
        product *= contrast.clamp_min(0) ** weight
        x, y = F.avg_pool2d(x, 2), F.avg_pool2d(y, 2)
    full, _ = _means(x, y)
    product *= full.clamp_min(0) ** _SCALE_WEIGHTS[-1]
    return Score("ms-ssim", float(product.mean()), {**protocol, "weights": list(_SCALE_WEIGHTS), "halving": "2x2 mean"})


def _prepare(
    restored: ImageLike, clean: ImageLike, channel: Channel, border: int, name: str, least: int
) -> tuple[Tensor, Tensor, dict[str, object]]:
    x, y, protocol = channels(*pair(restored, clean), channel)
    x, y = crop(x, border), crop(y, border)
    height, width = x.shape[-2:]
    if min(height, width) < least:
        without = f" without a border of {border}" if border else ""
        raise InputError(
            f"the pictures are {width}x{height}{without}: {name} needs {least} pixels a side, give larger ones"
        )
    return x, y, {**protocol, "border": border, **_PROTOCOL}


def _means(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Means over the map, per channel [C]: of SSIM, and of its contrast-structure factor."""
    count = x.shape[1]
    moments = valid_blur(torch.cat([x, y, x * x, y * y, x * y], 1), gaussian(_WINDOW, _SIGMA))
    mu_x, mu_y, xx, yy, xy = moments.split(count, 1)
    c1, c2 = _K1**2, _K2**2
    contrast = (2 * (xy - mu_x * mu_y) + c2) / ((xx - mu_x.square()) + (yy - mu_y.square()) + c2)
    luminance = (2 * mu_x * mu_y + c1) / (mu_x.square() + mu_y.square() + c1)  # eq. 6
    return (luminance * contrast).mean((0, 2, 3)), contrast.mean((0, 2, 3))
