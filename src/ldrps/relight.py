"""The light that a caption asks for: a brighter or a darker version of a picture, with everything where it was."""

from __future__ import annotations

import torch
from torch import Tensor

from ldrps.degradation import Tone
from ldrps.image.views import thumbnail
from ldrps.prior.base import Prior
from ldrps.sampling.trust import caption_gain

_CHANGES = (-1.5, -1.0, -0.6, -0.3, 0.0, 0.3, 0.6, 1.0, 1.5)
# What a change of 1 costs: "bright" then brightens by 0.6 or so, and words that tell nothing of light by up to 0.2.
_COST = 0.03
_LOOKED_AT = 256  # pixels a side


def why_not_relit(prior: Prior, caption: str, strength: float) -> list[str]:
    """Why `relight_as` can do nothing, in words; empty if it can, or if nobody wants it to."""
    if not strength or (caption and prior.has_text):
        return []
    reason = f"{prior.name} knows no text" if caption else "there is no caption"
    return [f"the light was left as it is, as {reason}"]


def relight_as(prior: Prior, image: Tensor, caption: str, strength: float) -> tuple[Tensor, float]:
    """The image [1, 3, H, W] in the light that the caption asks for, and how much lighter that is: see `find_light`."""
    if not strength or not caption or not prior.has_text:
        return image, 0.0
    change = find_light(prior, image, caption, strength)
    return relit(image, change), round(change, 2)


@torch.no_grad()
def find_light(prior: Prior, image: Tensor, caption: str, strength: float) -> float:
    """How much lighter or darker a picture should be for the caption to fit it best, -1.5 to 1.5: see `relit`.

    The error of the prior's denoiser falls by a share when a caption fits, `caption_gain`; that share, times
    `strength`, is weighed against the square of the change. At the best of some candidates, refined by the parabola
    through it and its neighbours.

    Args:
        prior: one that knows text.
        image: [1, 3, H, W] in [0, 1].
        caption: what it should look like.
        strength: 0 changes nothing.
    """
    small = thumbnail(image, _LOOKED_AT)
    gains = [caption_gain(prior, relit(small, change), caption) for change in _CHANGES]
    scores = [strength * gain - _COST * change**2 for gain, change in zip(gains, _CHANGES, strict=True)]
    return _summit(scores)


def relit(image: Tensor, change: float) -> Tensor:
    """An image to the power of 2^-change: 1 is lighter, -1 darker; black and white stay, and no value is lost."""
    return Tone(gamma=2**-change)(image.clamp(0, 1))


def _summit(scores: list[float]) -> float:
    """Where the parabola through the highest score and its neighbours is highest."""
    best = max(range(len(scores)), key=scores.__getitem__)
    if best in (0, len(scores) - 1):
        return _CHANGES[best]
    x, y = (torch.tensor(values[best - 1 : best + 2], dtype=torch.float64) for values in (_CHANGES, scores))
    square, slope, _ = torch.linalg.solve(torch.stack([x**2, x, torch.ones(3)], 1).double(), y).tolist()
    return -slope / (2 * square) if square < 0 else _CHANGES[best]
