"""What the brightness of natural pictures has in common, in 36 numbers per block: NIQE's features."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from ldrps.metrics.imresize import imresize

BLOCK = 96
FEATURES = 36
_FLAT = 1e-9  # of 255: below it a difference from the local mean is rounding
_SHAPES = torch.arange(200, 10001, dtype=torch.float64) / 1000
_SHIFTS = ((0, 1), (1, 0), (1, 1), (1, -1))  # down, right


def block_features(y: Tensor, window: Tensor) -> tuple[Tensor, Tensor]:
    """Features [N, 36] of the N whole blocks of 96x96 pixels in a luma [H, W] of 0 .. 255, and their sharpness [N].

    What is over at the right and below is left out first. 18 features come from the picture, 18 from its half size. A
    block that is flat has features of NaN. Sharpness is the mean local deviation (Mittal et al. 2013, eq. 2).
    """
    rows, columns = y.shape[0] // BLOCK, y.shape[1] // BLOCK
    y = y[: rows * BLOCK, : columns * BLOCK]
    features = []
    for scale in (1, 2):
        normalised, deviation = normalise(y, window)
        size = BLOCK // scale
        features.append(_statistics(_blocks(normalised, size)))
        if scale == 1:
            sharpness = _blocks(deviation, size).mean((1, 2))
            y = imresize(y, 0.5)
    return torch.cat(features, 1), sharpness


def normalise(y: Tensor, window: Tensor) -> tuple[Tensor, Tensor]:
    """A luma [H, W] less its local mean, over its local deviation plus 1 (eq. 1); and that deviation (eq. 2)."""
    mean = _filter(y, window)
    deviation = (_filter(y.square(), window) - mean.square()).abs().sqrt()  # eq. 3
    difference = y - mean
    # Flat places and even ramps have none; what rounding makes of them must not count as their sign.
    difference = difference.masked_fill(difference.abs() < _FLAT, 0)
    return difference / (deviation + 1), deviation


def fit_aggd(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Shape, left and right scale, each [N], of asymmetric generalised Gaussians through samples [N, K].

    By moments (Lasmar, Stitou, Berthoumieu 2009), the shape from a table from 0.2 to 10 in steps of 0.001, as the
    authors' code has it. NaN where samples lie on one side of 0 only.
    """
    left = (x.clamp_max(0).square().sum(1) / (x < 0).sum(1)).sqrt()
    right = (x.clamp_min(0).square().sum(1) / (x > 0).sum(1)).sqrt()
    ratio = left / right
    r = x.abs().mean(1).square() / x.square().mean(1)
    r = r * (ratio**3 + 1) * (ratio + 1) / (ratio**2 + 1).square()
    table = _gamma_ratio(_SHAPES)
    after = torch.searchsorted(table, r).clamp(1, len(table) - 1)  # the table rises
    nearer = after - ((r - table[after - 1]) < (table[after] - r)).long()
    shape = _SHAPES[nearer].masked_fill(r.isnan(), math.nan)
    unit = (torch.lgamma(1 / shape) / 2 - torch.lgamma(3 / shape) / 2).exp()
    return shape, left * unit, right * unit


def _gamma_ratio(shape: Tensor) -> Tensor:
    """Gamma(2/a)^2 / (Gamma(1/a) Gamma(3/a)): what (E|x|)^2 / E x^2 is for shape a."""
    return (2 * torch.lgamma(2 / shape) - torch.lgamma(1 / shape) - torch.lgamma(3 / shape)).exp()


def _statistics(blocks: Tensor) -> Tensor:
    """The 18 features [N, 18] of normalised blocks [N, S, S]."""
    shape, left, right = fit_aggd(blocks.flatten(1))
    columns = [shape, (left + right) / 2]
    for shift in _SHIFTS:
        products = blocks * blocks.roll(shift, (1, 2))  # around the edge, as the authors' code has it
        shape, left, right = fit_aggd(products.flatten(1))
        mean = (right - left) * (torch.lgamma(2 / shape) - torch.lgamma(1 / shape)).exp()  # eq. 8
        columns += [shape, mean, left, right]
    return torch.stack(columns, 1)


def _blocks(x: Tensor, size: int) -> Tensor:
    """A picture [H, W] cut into [N, size, size]."""
    rows, columns = x.shape[0] // size, x.shape[1] // size
    return x.reshape(rows, size, columns, size).transpose(1, 2).reshape(-1, size, size)


def _filter(x: Tensor, window: Tensor) -> Tensor:
    """A picture [H, W] correlated with a window of odd sides, its edge repeated."""
    down, right = (side // 2 for side in window.shape)
    padded = F.pad(x[None, None], (right, right, down, down), mode="replicate")[0, 0]
    height, width = x.shape
    total = torch.zeros_like(x)
    for i, row in enumerate(window.tolist()):
        for j, tap in enumerate(row):
            total.add_(padded[i : i + height, j : j + width], alpha=tap)
    return total
