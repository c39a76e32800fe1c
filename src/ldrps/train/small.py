"""Small copies of photographs for training, as people have them: reduced well, or blurred, noisy and compressed too."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ldrps.degradation import Blur, Rounding, WhiteNoise, resize
from ldrps.degradation.kernels import gaussian
from ldrps.train.camera import log_uniform, saved
from ldrps.train.noise import camera_noise

GOOD = 0.45  # of all, as programs reduce them and no more
_AREA, _BILINEAR = 0.2, 0.15  # of all, in place of a cubic
_BLURRED, _WHITE, _CAMERA, _SAVED, _TWICE = 0.6, 0.45, 0.2, 0.55, 0.25  # of those that are not good


def small_copies(clean: Tensor, factor: int, random: np.random.Generator, good: float = GOOD) -> Tensor:
    """Of `clean` [B, 3, H, W] in [0, 1], with sides that are multiples of `factor`, copies [B, 3, H / factor,
    W / factor] in [0, 1], rounded to bytes.
    """
    return torch.cat([_small(image, factor, random, random.random() < good) for image in clean.split(1)])


def _small(image: Tensor, factor: int, random: np.random.Generator, good: bool) -> Tensor:
    size = (image.shape[-2] // factor, image.shape[-1] // factor)
    if good:
        return Rounding()(_reduced(image, size, random))
    if random.random() < _BLURRED:
        sigma, ratio = log_uniform(random, 0.3, 2.5), random.uniform(0.5, 1.0) if random.random() < 0.3 else 1.0
        image = Blur(gaussian(sigma, sigma * ratio, random.uniform(0, 180)))(image).clamp(0, 1)
    if random.random() < _TWICE:  # it was made smaller, and saved, before
        between = log_uniform(random, 1.2, factor)
        image = _reduced(image, (round(image.shape[-2] / between), round(image.shape[-1] / between)), random)
        image = saved(image, random.uniform(60, 95), random)
    image = _reduced(image, size, random)
    chance = random.random()
    if chance < _WHITE:
        image = WhiteNoise(15 / 255 * random.random() ** 2).sample(image, random).clamp(0, 1)
    elif chance < _WHITE + _CAMERA:
        image = camera_noise(image, random)
    return saved(image, log_uniform(random, 30, 96), random) if random.random() < _SAVED else Rounding()(image)


def _reduced(image: Tensor, size: tuple[int, int], random: np.random.Generator) -> Tensor:
    chance = random.random()
    if chance < _AREA:
        return F.interpolate(image, size, mode="area")
    if chance < _AREA + _BILINEAR:  # as if each pixel saw a part of its own
        return F.interpolate(image, size, mode="bilinear", antialias=True, align_corners=False)
    return resize(image, size).clamp(0, 1)
