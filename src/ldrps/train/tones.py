"""Random damage to the tones of clean photographs: darkness, veils and flatness, as the tone posterior meets them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

UNDAMAGED = 0.25  # of all pictures


@dataclass(frozen=True)
class DamagedTones:
    """`exact` is the damage alone; `seen` has noise and 8-bit rounding on top. Both [B, 3, H, W] in [0, 1]."""

    exact: Tensor
    seen: Tensor


def damage_tones(clean: Tensor, random: np.random.Generator) -> DamagedTones:
    """Damage each of `clean` [B, 3, H, W]: 25 % not at all, 30 % dark, 25 % veiled, 20 % flat; noise on half of all."""
    exact = torch.stack([_damage(image, random) for image in clean]).clamp(0, 1)
    sigma = random.uniform(0, 0.05, len(clean)) * (random.random(len(clean)) < 0.5)
    noise = torch.from_numpy(random.standard_normal(exact.shape, dtype=np.float32))
    noisy = exact + torch.from_numpy(sigma).float().reshape(-1, 1, 1, 1) * noise
    return DamagedTones(exact, (noisy.clamp(0, 1) * 255).round() / 255)


def _damage(image: Tensor, random: np.random.Generator) -> Tensor:
    kind = random.random()
    if kind < UNDAMAGED:
        return image
    if kind < 0.55:
        return _darken(image, random)
    if kind < 0.80:
        return _veil(image, random)
    return random.uniform(0.3, 1.2) * image + random.uniform(-0.1, 0.3)


def _darken(image: Tensor, random: np.random.Generator) -> Tensor:
    """gain * x ** gamma with a small error of white balance; the gain spans five stops below normal exposure."""
    gain = np.exp(random.uniform(np.log(0.03), np.log(1.1)))
    balance = torch.from_numpy(np.exp(random.normal(0, 0.08, (3, 1, 1)))).float()
    return gain * balance * image ** random.uniform(0.6, 2.0)


def _veil(image: Tensor, random: np.random.Generator) -> Tensor:
    """t x + (1 - t) A: airlight A, transmission t a smooth random field that is lower (hazier) at the top."""
    height, width = image.shape[-2:]
    coarse = torch.from_numpy(random.standard_normal((1, 1, 4, 4), dtype=np.float32))
    field = F.interpolate(coarse, (height, width), mode="bicubic", align_corners=True)[0]
    ramp = torch.linspace(-1, 1, height).reshape(1, height, 1)  # bottom is nearer, hence clearer
    transmission = random.uniform(0.2, 0.9) + random.uniform(0, 0.1) * field + random.uniform(0, 0.25) * ramp
    transmission = transmission.clamp(0.1, 1)
    airlight = random.uniform(0.65, 1.0) + torch.from_numpy(random.normal(0, 0.02, (3, 1, 1))).float()
    return transmission * image + (1 - transmission) * airlight
