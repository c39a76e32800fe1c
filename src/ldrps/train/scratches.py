"""Prints and films with marks on them, as they are made for training: aged, marked, and scanned."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ldrps.degradation import Rounding, Tone, WhiteNoise
from ldrps.train.camera import log_uniform, saved, smoothed
from ldrps.train.graphics import graphic, painting
from ldrps.train.marks import mark
from ldrps.train.places import smooth

_HIDDEN, _TOUCHED = 0.4, 0.04  # of a pixel: what is lost, and what is still as it was; between is open to debate
_SEEN = 0.04  # of 1: a mark that changes less is not one to be found
_MARKED = 0.55  # of all pictures
_AGED, _SCANNED, _NOISY, _SAVED, _GRAPHICS, _PAINTINGS = 0.45, 0.3, 0.25, 0.4, 0.08, 0.06  # of all pictures


@dataclass(frozen=True)
class Scratched:
    """Pictures with marks on them.

    Attributes:
        seen: the pictures, [B, 3, H, W] in [0, 1].
        lost: where what was there is hidden by a mark, 0 or 1, [B, 1, H, W].
        counts: 1 where that is beyond doubt, 0 at the rims of marks and where one cannot be seen, [B, 1, H, W].
    """

    seen: Tensor
    lost: Tensor
    counts: Tensor


def scratch_some(clean: Tensor, random: np.random.Generator) -> Scratched:
    """Put marks on some of `clean` [B, 3, H, W] in [0, 1], square; all are aged, scanned and saved by chance."""
    made = [_scratched(image, random) for image in clean.split(1)]
    seen, lost, counts = (torch.cat(each) for each in zip(*made, strict=True))
    return Scratched(seen, lost, counts)


def _scratched(image: Tensor, random: np.random.Generator) -> tuple[Tensor, Tensor, Tensor]:
    size, chance = image.shape[-1], random.random()
    if chance < _GRAPHICS:
        image = graphic(size, random)
    elif chance < _GRAPHICS + _PAINTINGS:
        image = painting(image, random)
    print_ = _aged(image, random) if random.random() < _AGED else image
    seen, hidden = print_, torch.zeros(1, 1, size, size)
    if random.random() < _MARKED:
        for _ in range(random.integers(1, 5)):
            hides = mark(size, random)
            seen, hidden = _with_mark(seen, hides, random), torch.maximum(hidden, hides)
    change = (seen - print_).abs().amax(1, keepdim=True)
    lost = (hidden >= _HIDDEN) & (change >= _SEEN)
    untouched = (hidden <= _TOUCHED) | (change <= 1 / 255)
    return _scanned(seen, random), lost.float(), (lost | untouched).float()


def _aged(image: Tensor, random: np.random.Generator) -> Tensor:
    """Grey or of one hue, or with faded colours; soft, and with grain."""
    if random.random() < 0.6:
        hue = torch.tensor([1.0, random.uniform(0.8, 1), random.uniform(0.55, 1)]).reshape(1, 3, 1, 1)
        image = image.mean(1, keepdim=True) * (hue if random.random() < 0.5 else 1)
        image = image.expand(1, 3, -1, -1)
    floor = random.uniform(0, 0.2)
    faded = Tone(random.uniform(0.55, 1 - floor), floor, gamma=random.uniform(0.8, 1.3))(image)
    if random.random() < 0.5:
        faded = smoothed(faded, random.uniform(0.4, 1.5))
    if random.random() < 0.5:
        grain = torch.from_numpy(random.standard_normal((1, 1, *image.shape[-2:]), dtype=np.float32))
        grain = smoothed(grain, random.uniform(0.3, 0.9))
        faded = faded + random.uniform(0.01, 0.06) * grain / grain.std()
    return faded.clamp(0, 1)


def _scanned(image: Tensor, random: np.random.Generator) -> Tensor:
    if random.random() < _SCANNED:
        image = smoothed(image, random.uniform(0.3, 0.8))
    if random.random() < _NOISY:
        image = WhiteNoise(log_uniform(random, 1, 12) / 255).sample(image, random).clamp(0, 1)
    return saved(image, random.uniform(50, 97), random) if random.random() < _SAVED else Rounding()(image)


def _with_mark(image: Tensor, hides: Tensor, random: np.random.Generator) -> Tensor:
    """An image with a mark on it that hides so much of each pixel, [1, 1, S, S].

    Most are light, where the picture came off, others dark, or of the colour of a layer that is left.
    """
    chance = random.random()
    if chance < 0.5:
        level = random.uniform(0.7, 1.0) + random.normal(0, 0.04, (1, 3))
    elif chance < 0.85:
        level = random.uniform(0, 0.3) ** 1.5 + random.normal(0, 0.02, (1, 3))
    else:
        level = random.uniform(0, 1, (1, 3))
    if random.random() < 0.3:  # exactly black or white
        level = level.round()
    colour = torch.from_numpy(level).float().clamp(0, 1)[..., None, None]
    if random.random() < 0.4:  # paper, and what is left of the picture, are not even
        colour = colour + 0.05 * smooth(image, random, int(random.integers(4, 24)))
    opacity = 1.0 if random.random() < 0.4 else random.uniform(0.35, 1)
    return torch.lerp(image, colour.clamp(0, 1), opacity * hides)
