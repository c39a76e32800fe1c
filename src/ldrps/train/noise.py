"""Noise as photographs have it: white in half of them, shared between neighbours and channels in the rest."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

_WHITE = 0.5  # of all pictures
_SHARED_CHANNELS = 0.25  # of those that are not white


def random_noise(random: np.random.Generator, shape: Sequence[int]) -> Tensor:
    """Gaussian noise [B, 3, H, W] of variance one for each picture; half of them with a smoothing of its own.

    Resizing, demosaicking and compression leave noise that neighbours share. A denoiser that has met only white noise
    takes the coarse part of such noise for picture, and fine picture for noise.
    """
    noise = torch.from_numpy(random.standard_normal(tuple(shape), dtype=np.float32))
    return torch.stack([_coloured(each, random) for each in noise])


def _coloured(noise: Tensor, random: np.random.Generator) -> Tensor:
    if random.random() < _WHITE:
        return noise
    # Neighbours of a weight a have a correlation of 2 a / (1 + 2 a^2): most a little, some two thirds.
    a = 0.5 * random.random() ** 2
    row = torch.tensor([a, 1.0, a])
    kernel = torch.outer(row, row).expand(3, 1, 3, 3)
    noise = F.conv2d(F.pad(noise[None], (1, 1, 1, 1), mode="circular"), kernel, groups=3)[0]
    if random.random() < _SHARED_CHANNELS:
        share = random.random()
        noise = (1 - share) * noise + share * noise.mean(0, keepdim=True)
    return noise / noise.square().mean().sqrt()
