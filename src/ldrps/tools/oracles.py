"""Ceilings, from the truth: what is left when one part of the problem is solved perfectly. Never methods."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ldrps.tools.base import Pixels, pixels, resized

if TYPE_CHECKING:
    from ldrps.prior.base import Prior

Channel = NDArray[np.float64]

_THUMBNAIL = 64


def gain_offset(damaged: Pixels, truth: Pixels) -> Pixels:
    """The gain and the offset per channel that bring the damaged picture nearest to the truth, by least squares."""
    restored = np.empty(damaged.shape)
    for c in range(3):
        y, x = damaged[..., c].astype(np.float64), truth[..., c].astype(np.float64)
        gain, offset = _line(y, x)
        restored[..., c] = gain * y + offset
    return pixels(restored)


def tone(damaged: Pixels, truth: Pixels) -> Pixels:
    """The tone curve per channel, gain (y - offset) ** gamma, black below the offset, nearest to the truth.

    Fitted on 64-pixel thumbnails and applied to the whole picture. Noise hardly counts there, so a noisy picture gets
    the right tones and stays noisy: fitted on itself, as `gain_offset` is, it would lose contrast and gain decibels.
    """
    small = [resized(image, _THUMBNAIL, _THUMBNAIL, "area").astype(np.float64) for image in (damaged, truth)]
    restored = np.empty(damaged.shape)
    for c in range(3):
        gain, offset, gamma = _fit_curve(small[0][..., c], small[1][..., c])
        restored[..., c] = gain * np.maximum(damaged[..., c] - offset, 0) ** gamma
    return pixels(restored)


def roundtrip(truth: Pixels, prior: Prior) -> Pixels:
    """The truth through a prior's autoencoder: no restoration that ends in its decoder can show more detail."""
    import torch

    from ldrps.image.pad import pad_to_multiple

    x = torch.from_numpy(truth.transpose(2, 0, 1)[None].copy()).to(prior.device)
    padded, crop = pad_to_multiple(x, prior.size_multiple)
    with torch.no_grad():
        decoded = crop(prior.decode(prior.encode(padded)))
    return pixels(decoded[0].permute(1, 2, 0).cpu().numpy())


def _line(y: Channel, x: Channel) -> tuple[float, float]:
    """Gain and offset with the least squares of gain * y + offset - x; a flat y gets the mean of x."""
    variance = float(y.var())
    gain = float(((y - y.mean()) * (x - x.mean())).mean()) / variance if variance > 1e-12 else 0.0
    return gain, float(x.mean() - gain * y.mean())


def _fit_curve(y: Channel, x: Channel) -> tuple[float, float, float]:
    """Gain, offset and gamma with the least squares of gain * max(y - offset, 0) ** gamma - x.

    The gain has a closed form; offset and the logarithm of gamma are searched on a grid that narrows about its best.
    The search begins about the best line, and about no offset, and keeps the better end.
    """
    gain, intercept = _line(y, x)
    best = (np.inf, 0.0, 0.0, 1.0)
    for middle in (0.0, float(np.clip(-intercept / gain, -0.5, 0.9)) if gain > 0 else 0.0):
        offset, log_gamma = middle, 0.0
        reach_offset, reach_gamma = 0.4, 1.6
        for _ in range(7):
            grid = [
                (*_gain(y, x, a, b), a, b)
                for a in np.linspace(offset - reach_offset, offset + reach_offset, 9)
                for b in np.linspace(log_gamma - reach_gamma, log_gamma + reach_gamma, 9)
            ]
            error, found, offset, log_gamma = min(grid)
            best = min(best, (error, found, offset, float(np.exp(log_gamma))))
            reach_offset, reach_gamma = reach_offset * 0.4, reach_gamma * 0.4
    return best[1:]


def _gain(y: Channel, x: Channel, offset: float, log_gamma: float) -> tuple[float, float]:
    """The mean square error with the best gain, and that gain."""
    power = np.maximum(y - offset, 0) ** np.exp(log_gamma)
    energy = float((power * power).sum())
    gain = float((power * x).sum()) / energy if energy > 1e-12 else 0.0
    return float(((gain * power - x) ** 2).mean()), gain
