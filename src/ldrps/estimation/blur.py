"""What a picture is blurred by, told from the picture alone."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from ldrps.degradation import Blur, GaussianBlur
from ldrps.degradation.kernels import disk, gaussian, line
from ldrps.estimation.blur_posterior import BLURS, SMALLEST, BlurBelief, BlurPosterior
from ldrps.estimation.damage import Damage, Estimate
from ldrps.image.pad import pad_to_multiple
from ldrps.image.tiles import Window
from ldrps.settings import BlindSettings

_SIDE, _MOST = 256, 4  # pixels of a part that is looked at, and how many
_ROUND = 0.3  # a shape below this is that of a round kernel
_PER_ENLARGED = 0.44  # pixels of the Gaussian that is nearest to a cubic reduction and enlargement, for each time


@torch.no_grad()
def estimate_blur(
    y: Tensor, damage: Damage, posterior: BlurPosterior, settings: BlindSettings, visible: Tensor | None = None
) -> Estimate[GaussianBlur | Blur]:
    """What the picture y [1, 3, H, W] in [0, 1], whose tones were judged, is blurred by, and how likely that is.

    It is judged where there are edges: in the parts that have most of them, each by itself, so that a picture of which
    one is sharp is taken for less surely blurred.
    """
    placed = damage.of_size(y.shape[-2], y.shape[-1])
    beliefs = []
    for part in parts_with_edges(y, visible):
        x = placed.undo_tone(part.of(y).to(posterior.device), part)
        seen = None if visible is None else _large_enough(part.of(visible))
        beliefs.append(posterior(_large_enough(x), seen).with_prior(settings.sharp, posterior.config["none"]))
    return believed_blur(beliefs, settings)


def believed_blur(beliefs: list[BlurBelief], settings: BlindSettings) -> Estimate[GaussianBlur | Blur]:
    """The likeliest kind of blur that a picture may have by what is believed of its parts, and how sure it is."""
    none, *kinds = torch.cat([each.probability for each in beliefs]).mean(0).tolist()
    index = max(range(len(kinds)), key=kinds.__getitem__)
    middles, spreads = (
        torch.stack([getattr(each, name)[0, index] for each in beliefs]).double() for name in ("middle", "spread")
    )
    size = settings.blur_factor * math.exp(float((middles / spreads**2).sum() / (1 / spreads**2).sum()))
    shape = torch.cat([each.shape for each in beliefs]).mean(0)
    value = kernel_of(BLURS[index], size, (float(shape[0]), float(shape[1])))
    return Estimate(value, 1 - none)


def kernel_of(kind: str, size: float, shape: tuple[float, float]) -> GaussianBlur | Blur:
    """A blur of a kind, size and shape; see `BlurPosterior` and `BlurBelief`."""
    longer, angle = min(math.hypot(*shape), 0.95), math.degrees(math.atan2(shape[1], shape[0])) / 2
    if kind == "enlarged":
        return GaussianBlur(_PER_ENLARGED * size)
    if kind == "disk":
        return Blur(disk(size))
    if kind == "motion":
        return Blur(line(max(size * 12**0.5, 1.0), angle))
    if longer < _ROUND:
        return GaussianBlur(size)
    ratio = ((1 + longer) / (1 - longer)) ** 0.25  # of a deviation to the mean of both
    return Blur(gaussian(size * ratio, size / ratio, angle))


def parts_with_edges(y: Tensor, visible: Tensor | None = None) -> list[Window]:
    """The windows of a picture y [1, 3, H, W] of which most is edges, four at most; all of a small one."""
    height, width = y.shape[-2:]
    tall, wide = min(height, _SIDE), min(width, _SIDE)
    luma = y.mean(1, keepdim=True)
    edges = F.pad(luma.diff(dim=-2).abs(), (0, 0, 0, 1)) + F.pad(luma.diff(dim=-1).abs(), (0, 1, 0, 0))
    edges = edges if visible is None else edges * visible.to(edges)
    windows = [Window(top, left, tall, wide) for top in _places(height, tall) for left in _places(width, wide)]
    return sorted(windows, key=lambda window: -float(window.of(edges).mean()))[:_MOST]


def _places(length: int, size: int) -> list[int]:
    """Where windows of that size begin that cover a length and hardly overlap."""
    count = math.ceil(length / size)
    return [round(k * (length - size) / max(count - 1, 1)) for k in range(count)]


def _large_enough(image: Tensor) -> Tensor:
    return pad_to_multiple(image, SMALLEST)[0] if min(image.shape[-2:]) < SMALLEST else image
