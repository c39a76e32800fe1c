"""Noise as photographs have it: white in half of them, shared between neighbours and channels in the rest."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ldrps.degradation import SharedNoise

_WHITE = 0.5  # of all pictures
_SHARED_CHANNELS = 0.25  # of those that are not white


def random_noise(random: np.random.Generator, shape: Sequence[int]) -> Tensor:
    """Gaussian noise [B, 3, H, W] of variance one for each picture; half of them with a smoothing of its own.

    Resizing, demosaicking and compression leave noise that neighbours share. A denoiser that has met only white noise
    takes the coarse part of such noise for picture, and fine picture for noise.
    """
    white, several, neighbours, channels = torch.from_numpy(random.random((4, shape[0]))).float()
    coloured = white >= _WHITE
    # Neighbours of a weight a have a correlation of 2 a / (1 + 2 a^2): most a little, some two thirds.
    a = 0.5 * neighbours**2 * coloured
    share = channels * (coloured & (several < _SHARED_CHANNELS))
    return SharedNoise(1.0, a, share).sample(torch.zeros(*shape), random)
