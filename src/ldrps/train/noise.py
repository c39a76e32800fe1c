"""Noise for training: white, as cameras leave it, and as JPEG does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ldrps.degradation import GrainNoise, ReducedNoise, Rounding, WhiteNoise, resize
from ldrps.prior.base import NOISES, NoiseKind
from ldrps.train.camera import log_uniform, photographed, saved

_LEAST = 0.002  # of 1: rounding to bytes alone leaves 0.0011
# Shares of what is not white and not JPEG's alone.
FAMILIES = {"sensor": 0.42, "grain": 0.15, "blotches": 0.1, "saved": 0.15, "reduced": 0.18}


@dataclass(frozen=True)
class Noisy:
    """Pictures with noise.

    Attributes:
        seen: [B, 3, H, W]; in [0, 1] and rounded to bytes, but for white noise.
        level: the root mean square of what was added, [B].
        kind: which of `NOISES` it is, [B].
    """

    seen: Tensor
    level: Tensor
    kind: Tensor


def add_noise(
    clean: Tensor,
    kinds: list[NoiseKind],
    levels: Tensor,
    random: np.random.Generator,
    families: Mapping[str, float] = FAMILIES,
    passed_on: float = 0.0,
) -> Noisy:
    """Add noise of a kind to each of `clean` [B, 3, H, W] in [0, 1].

    White noise is of `levels` [B], of 1; that of cameras of one of the families, by their shares; of what JPEG did, a
    share of `passed_on` was passed on, see `jpeg_residue`.
    """

    def noisy(image: Tensor, kind: NoiseKind, level: float) -> Tensor:
        if kind == "white":
            return WhiteNoise(level).sample(image, random)
        return camera_noise(image, random, families) if kind == "camera" else jpeg_residue(image, random, passed_on)

    seen = torch.cat([noisy(*each) for each in zip(clean.split(1), kinds, levels.tolist(), strict=True)])
    others = (seen - clean).square().mean((1, 2, 3)).sqrt().clamp_min(_LEAST)
    kind = torch.tensor([NOISES.index(each) for each in kinds])
    return Noisy(seen, torch.where(kind == 0, levels.to(others), others), kind)


def camera_noise(image: Tensor, random: np.random.Generator, families: Mapping[str, float] = FAMILIES) -> Tensor:
    """An image [1, 3, H, W] with the noise of a sensor, grain, blotches of colour, or white noise that was saved, or
    reduced with its picture.
    """
    shares = np.array(list(families.values()))
    family = list(families)[random.choice(len(shares), p=shares / shares.sum())]
    if family == "sensor":
        return photographed(image, random)
    if family == "grain":
        sigma = log_uniform(random, 2 / 255, 30 / 255)
        grain = GrainNoise(sigma, log_uniform(random, 0.3, 2.0), random.uniform(0, 0.6)).sample(image, random)
        middle = 4 * image * (1 - image)  # film shows its grain in the middle of its range
        seen = torch.lerp(image, grain, middle.clamp_min(0.1)) if random.random() < 0.5 else grain
    elif family == "blotches":
        sigma = log_uniform(random, 3 / 255, 20 / 255)
        seen = GrainNoise(sigma, log_uniform(random, 1.0, 4.0), random.uniform(0.85, 1)).sample(image, random)
        seen = WhiteNoise(random.uniform(0, 6 / 255)).sample(seen, random)
    elif family == "reduced":
        noise = ReducedNoise(log_uniform(random, 3 / 255, 50 / 255), random.uniform(1.2, 2.5))
        seen = noise.sample(image, random)
    else:
        seen = WhiteNoise(log_uniform(random, 2 / 255, 30 / 255)).sample(image, random)
        return saved(seen, random.uniform(60, 95), random)
    return saved(seen, random.uniform(70, 98), random) if random.random() < 0.3 else Rounding()(seen)


def jpeg_residue(image: Tensor, random: np.random.Generator, passed_on: float = 0.0) -> Tensor:
    """An image [1, 3, H, W] as a JPEG file of quality 6 to 60 has it; some were saved before, on another grid.

    A share of `passed_on` is a picture by now that somebody made of such a file: half of them are reduced by up to 2,
    and three in four are saved again on another grid, at 70 to 98, the others as bytes. Most of what shows is of
    the first time, in blocks of whatever size they have become.
    """
    if random.random() < 0.3:
        image = saved(image, log_uniform(random, 20, 95), random)
    passes = passed_on > 0 and random.random() < passed_on
    if not passes or random.random() < 0.5:
        seen = saved(image, log_uniform(random, 6, 60), random)
    else:
        scale, size = random.uniform(1, 2), (image.shape[-2], image.shape[-1])
        large = resize(image, (round(scale * size[0]), round(scale * size[1]))).clamp(0, 1)
        change = saved(large, log_uniform(random, 6, 60), random) - large
        seen = (image + resize(change, size)).clamp(0, 1)
    if not passes:
        return seen
    return saved(seen, random.uniform(70, 98), random) if random.random() < 0.75 else Rounding()(seen)
