"""How far pictures are from what they should be, as trainings measure it."""

from __future__ import annotations

from torch import Tensor


def rms(difference: Tensor) -> Tensor:
    """Root mean square over channels and places, the last three axes."""
    return (difference.pow(2).mean((-3, -2, -1)) + 1e-6).sqrt()


def psnr(x: Tensor, clean: Tensor) -> Tensor:
    """Of each picture [B, 3, H, W], in dB, [B]; no more than 50."""
    return -10 * (x - clean).pow(2).mean((1, 2, 3)).clamp_min(1e-5).log10()
