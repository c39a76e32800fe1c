"""Random damage to the tones of clean photographs: darkness, veils and flatness, as the tone posterior meets them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ldrps.degradation import Compose, Degradation, LocalLight, Rounding, Tone, Veil, WhiteNoise

UNDAMAGED = 0.25  # of all pictures
_LIT = 1 / 3  # of dark ones


@dataclass(frozen=True)
class DamagedTones:
    """`clean` is what there was to see, `exact` is it with the damage alone, `seen` has noise and rounding on top; each
    [B, 3, H, W] in [0, 1].
    """

    clean: Tensor
    exact: Tensor
    seen: Tensor

    def to(self, device: torch.device) -> DamagedTones:
        return DamagedTones(self.clean.to(device), self.exact.to(device), self.seen.to(device))


def damage_tones(clean: Tensor, random: np.random.Generator) -> DamagedTones:
    """Damage each of `clean` [B, 3, H, W]: 25 % not at all, some 25 % dark, 27 % veiled, 23 % flat; noise on half.

    A third of the dark ones have lamps or bright windows in them, which stay white however dark the rest is.
    """
    scenes, damages = [], [_damage(image, random) for image in clean.split(1)]
    for image, (damage, is_dark) in zip(clean.split(1), damages, strict=True):
        scenes.append(_with_lights(image, damage, random) if is_dark and random.random() < _LIT else image)
    exact = torch.cat([damage(scene) for scene, (damage, _) in zip(scenes, damages, strict=True)]).clamp(0, 1)
    clean = torch.cat(scenes).clamp(0, 1)
    # Little of it: the noise of a photograph is averaged away in a thumbnail.
    sigma = 0.04 * random.random(len(clean)) ** 2 * (random.random(len(clean)) < 0.5)
    noisy = WhiteNoise(torch.from_numpy(sigma)).sample(exact, random)
    return DamagedTones(clean, exact, Rounding()(noisy))


def darken(clean: Tensor, random: np.random.Generator) -> Tensor:
    """Darken those of `clean` [B, 3, H, W] that are well exposed, and leave the others; with 8-bit rounding."""
    dark = [
        _darkness(image, random)(image) if random.random() < _exposure(image) else image for image in clean.split(1)
    ]
    return Rounding()(torch.cat(dark))


def _damage(image: Tensor, random: np.random.Generator) -> tuple[Degradation, bool]:
    """What is done to an image [1, 3, H, W], and whether that is darkness."""
    if random.random() < UNDAMAGED:
        return Compose(), False
    if random.random() < 0.55 and random.random() < _exposure(image):
        return _darkness(image, random), True
    if random.random() < 0.55:
        return _veil(image, random), False
    return Tone(random.uniform(0.3, 1.2), random.uniform(-0.1, 0.3)), False


def _with_lights(image: Tensor, darkness: Degradation, random: np.random.Generator) -> Tensor:
    """The scene with one to four lamps or windows in it, so bright, beyond 1, that they clip in a dark picture too."""
    y, x = torch.meshgrid(*(torch.linspace(0, 1, side) for side in image.shape[-2:]), indexing="ij")
    light = torch.zeros_like(y)
    for _ in range(random.integers(1, 5)):
        down, across = y - random.uniform(0, 1), x - random.uniform(0, 1)
        if random.random() < 0.6:  # a lamp, with its glow
            spread = random.uniform(0.01, 0.04)
            light = light + torch.exp(-(down**2 + across**2) / (2 * spread**2))
        else:  # a window
            tall, wide = random.uniform(0.03, 0.2, 2)
            inside = torch.minimum(tall - down.abs(), wide - across.abs())
            light = torch.maximum(light, (inside / 0.02).clamp(0, 1))
    colour = torch.from_numpy(np.exp(random.normal(0, 0.1, (1, 3, 1, 1)))).to(image)
    return image + random.uniform(1.2, 4) * colour * darkness.invert(torch.ones_like(image)) * light


def _exposure(image: Tensor) -> float:
    """How far an image is well exposed, 0 to 1: one that is dark itself is no example of what a dark one should be."""
    luma = image.mean(1).flatten()
    in_the_middle = (float(luma.mean()) - 0.2) / 0.25
    of_the_range = (float(luma.quantile(0.98)) - 0.5) / 0.25
    return min(max(in_the_middle, 0.0), 1.0) * min(max(of_the_range, 0.0), 1.0)


def _darkness(image: Tensor, random: np.random.Generator) -> Degradation:
    """gain * x ** gamma with a small error of white balance; the gain spans five stops below normal exposure."""
    gain = np.exp(random.uniform(np.log(0.03), np.log(1.1)))
    balance = np.exp(random.normal(0, 0.08, (1, 3)))
    dark = Tone(torch.from_numpy(gain * balance), gamma=random.uniform(0.6, 2.0))
    if random.random() >= 0.4:
        return dark
    # The light comes from a side, or falls on a part.
    sideways, downwards = random.normal(0, 0.3, 2)
    y, x = torch.meshgrid(*(torch.linspace(-1, 1, side) for side in image.shape[-2:]), indexing="ij")
    return Compose((dark, LocalLight(0.2 * _smooth(image, random) + sideways * x + downwards * y, "srgb")))


def _veil(image: Tensor, random: np.random.Generator) -> Veil:
    """A veil of a transmission that is a smooth random field, lower (hazier) at the top, and often where the picture is
    bright, as what is far away is.
    """
    height = image.shape[-2]
    ramp = torch.linspace(-1, 1, height)[:, None]  # bottom is nearer, hence clearer
    luma = F.avg_pool2d(image.mean(1, keepdim=True), 9, 1, 4, count_include_pad=False)
    bright = (luma - luma.mean()) / (luma.std() + 0.02)
    transmission = random.uniform(0.2, 0.9) + random.uniform(0, 0.12) * _smooth(image, random)
    transmission = transmission + random.uniform(0, 0.3) * ramp - random.uniform(-0.03, 0.12) * bright
    airlight = random.uniform(0.65, 1.0) + torch.from_numpy(random.normal(0, 0.02, (1, 3)))
    return Veil(transmission.clamp(0.1, 1), airlight)


def _smooth(image: Tensor, random: np.random.Generator) -> Tensor:
    """A smooth random field of about unit deviation, [1, 1, H, W]."""
    coarse = torch.from_numpy(random.standard_normal((1, 1, 4, 4), dtype=np.float32))
    return F.interpolate(coarse, image.shape[-2:], mode="bicubic", align_corners=True)
