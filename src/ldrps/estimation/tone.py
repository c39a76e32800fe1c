"""Whether a picture's tones were damaged, and how."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ldrps.degradation import UncertainTone
from ldrps.estimation.damage import Estimate
from ldrps.estimation.tone_posterior import TonePosterior

# Parts of a picture that are asked about beside the whole: left, top and size, as fractions of its sides.
_PARTS = ((0.0, 0.0, 1.0), (0.0, 0.0, 0.8), (0.2, 0.0, 0.8), (0.0, 0.2, 0.8), (0.2, 0.2, 0.8), (0.1, 0.1, 0.8))


@torch.no_grad()
def estimate_tone(y: Tensor, posterior: TonePosterior, undamaged: float) -> Estimate[UncertainTone]:
    """What may have been done to the tones of y [1, 3, H, W] in [0, 1], and how likely it is that anything was.

    What was done to a picture was done to its parts: the posterior is asked about several, and about their mirror
    images, and its beliefs are averaged.

    Args:
        y: the picture, or a small copy.
        posterior: what is asked.
        undamaged: the probability that nothing was done, before the picture is seen.
    """
    belief = posterior(_parts(y, int(posterior.config["thumbnail"])))
    seen = float(posterior.config["undamaged"])  # the share among the pictures that it was trained on
    damaged = 1 - _with_prior(float(belief.weights[:, 0].mean()), undamaged, seen)
    gain, offset, gamma = (
        torch.stack([getattr(curve, name) for curve in belief.curves], 1).flatten(0, 1).cpu()
        for name in ("gain", "offset", "gamma")
    )  # [B K, 3]
    return Estimate(UncertainTone(gain, offset, gamma, belief.weights[:, 1:].flatten().cpu()), damaged)


def _with_prior(probability: float, prior: float, seen: float) -> float:
    """Bayes' rule with another prior probability than the one that was seen in training."""
    yes, no = probability * prior / seen, (1 - probability) * (1 - prior) / (1 - seen)
    return yes / (yes + no)


def _parts(y: Tensor, size: int) -> Tensor:
    """Thumbnails [12, 3, size, size] of y [1, 3, H, W]: the whole, five parts, and these mirrored."""
    height, width = y.shape[-2:]
    parts = []
    for left, top, share in _PARTS:
        row, column = int(top * height), int(left * width)
        tall, wide = (max(1, int(share * side)) for side in (height, width))
        part = y[..., row : row + tall, column : column + wide]
        parts.append(F.interpolate(part, (size, size), mode="area"))
    seen = torch.cat(parts)
    return torch.cat([seen, seen.flip(3)])
