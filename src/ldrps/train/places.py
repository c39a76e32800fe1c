"""Fields over a picture: how far away things are, and where light falls, as they are made for training."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ldrps.train.camera import log_uniform


def smooth(image: Tensor, random: np.random.Generator, cells: int = 4) -> Tensor:
    """A smooth random field of about unit deviation, [1, 1, H, W]."""
    coarse = torch.from_numpy(random.standard_normal((1, 1, cells, cells), dtype=np.float32))
    return F.interpolate(coarse, image.shape[-2:], mode="bicubic", align_corners=True)


def depth(image: Tensor, random: np.random.Generator) -> Tensor:
    """How far away the things of an image [1, 3, H, W] may be, from 0, the nearest, to 1, [1, 1, H, W].

    A mixture of what is higher up, a plane, and regions with edges where the image has some; often further where it is
    bright, as a sky is.
    """
    down, across = _places(image)
    bright = _blurred(image.mean(1, keepdim=True), 9)
    bright = (bright - bright.mean()) / (bright.std() + 0.05)
    slope = random.normal(0, 0.5, 2)
    field = (
        random.uniform(0, 2) * (1 - down)
        + slope[0] * across
        + slope[1] * down
        + random.uniform(-0.1, 0.5) * bright
        + random.uniform(0, 0.5) * smooth(image, random)
    )
    if random.random() < 0.5:  # things in front of others
        edge = along_edges(_region(image, random), image)
        field = field + random.uniform(-1.5, 1.5) * edge
    return _unit(field)


def shade(image: Tensor, random: np.random.Generator) -> Tensor:
    """How much of an image [1, 3, H, W] is in the shade, 0 to 1 at each place, [1, 1, H, W]."""
    kind = random.random()
    if kind < 0.3:  # against the light: what is dark gets less
        luma = _blurred(image.mean(1, keepdim=True), 5)
        middle = float(luma.flatten().quantile(random.uniform(0.3, 0.8)))
        return along_edges(torch.sigmoid((middle - luma) / random.uniform(0.03, 0.15)), image)
    if kind < 0.5:  # one side, beyond a line that is more or less sharp
        down, across = _places(image)
        turn = random.uniform(0, 2 * np.pi)
        away = np.cos(turn) * (across - 0.5) + np.sin(turn) * (down - 0.5) + random.normal(0, 0.15)
        return torch.sigmoid(away / log_uniform(random, 0.01, 0.3))
    if kind < 0.65:  # away from a lamp
        down, across = _places(image)
        squared = (down - random.uniform(0, 1)) ** 2 + (across - random.uniform(0, 1)) ** 2
        return 1 - 1 / (1 + squared / random.uniform(0.02, 0.3))
    region = _region(image, random)
    return along_edges(region, image) if kind < 0.85 else region


def along_edges(field: Tensor, image: Tensor, radius: int = 8, noise: float = 0.02) -> Tensor:
    """A field [1, 1, H, W] whose edges are where those of an image are: a guided filter (He et al. 2013)."""
    guide = image.mean(1, keepdim=True)
    mean, over = _blurred(guide, 2 * radius + 1), _blurred(field, 2 * radius + 1)
    variance = _blurred(guide**2, 2 * radius + 1) - mean**2
    slope = (_blurred(guide * field, 2 * radius + 1) - mean * over) / (variance + noise**2)
    offset = over - slope * mean
    return (_blurred(slope, 2 * radius + 1) * guide + _blurred(offset, 2 * radius + 1)).clamp(0, 1)


def _region(image: Tensor, random: np.random.Generator) -> Tensor:
    """Part of the picture, 1 within and 0 elsewhere, with a border of any softness."""
    field = smooth(image, random, int(random.integers(3, 6)))
    return torch.sigmoid((field - random.normal(0, 0.5)) / log_uniform(random, 0.03, 0.6))


def _places(image: Tensor) -> tuple[Tensor, Tensor]:
    """0 to 1 from the top down and from left to right, each [1, 1, H, W]."""
    sides = (torch.linspace(0, 1, side) for side in image.shape[-2:])
    down, across = torch.meshgrid(*sides, indexing="ij")
    return down[None, None], across[None, None]


def _unit(field: Tensor) -> Tensor:
    low, high = field.amin(), field.amax()
    return (field - low) / (high - low).clamp_min(1e-6)


def _blurred(image: Tensor, width: int) -> Tensor:
    """By a box; at the borders by what there is of it."""
    rows = F.avg_pool2d(image, (width, 1), 1, (width // 2, 0), count_include_pad=False)
    return F.avg_pool2d(rows, (1, width), 1, (0, width // 2), count_include_pad=False)
