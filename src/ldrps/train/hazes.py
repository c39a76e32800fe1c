"""Haze over clean photographs, at random, as the judge of haze meets it, and what is not haze."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ldrps.degradation import Compose, Degradation, Tone, Veil
from ldrps.train.camera import log_uniform
from ldrps.train.light_task import Faulty
from ldrps.train.places import along_edges, depth, smooth
from ldrps.train.tones import LEAST, damaged_otherwise, with_faults
from ldrps.train.untouched import untouched

ASKED, HAZY = 0.5, 0.47  # of all pictures; some turn out to have hardly any
_OTHERWISE = 0.3  # of pictures, hazy or not, whose tones are wrong besides
_FLAT = 0.15  # of hazes, which are no more than a lack of contrast, towards any grey
_EVEN, _PARTED = 0.15, 0.4  # of hazes: the same everywhere, and such as differ from thing to thing
_DARKENED = 0.15  # of hazes, which were under-exposed with their scene
_LEAST_LEFT = 0.08  # of the scene, at a place


@dataclass(frozen=True)
class Hazed(Faulty):
    """`log_left` is the logarithm of the transmission, [B, 1, H, W], NaN where it was not that of sRGB values."""

    log_left: Tensor


def haze_some(photos: Tensor, random: np.random.Generator, hazy: float = ASKED) -> Hazed:
    """Put haze over some of `photos` [B, 3, S, S]; some of all are too dark, too bright, or have a cast besides."""
    rows: list[tuple[Tensor, ...]] = []
    for photo in photos.split(1):
        is_hazy = random.random() < hazy
        otherwise = random.random() < _OTHERWISE
        clean = damaged_otherwise(photo, random) if otherwise else photo if is_hazy else untouched(photo, random)
        exact, log_left = clean, torch.zeros_like(photo[:, :1])
        if is_hazy:
            veil, after = haze(photo, random)
            exact = after(veil(clean)).clamp(0, 1)
            clean = after(clean).clamp(0, 1)
            log_left = torch.as_tensor(veil.transmission).float().log().expand_as(log_left)
            if veil.domain == "linear":
                log_left = torch.full_like(log_left, torch.nan)
            if float((exact - clean).square().mean().sqrt()) < LEAST:  # nobody would call it haze
                clean, log_left, is_hazy = exact, torch.zeros_like(log_left), False
        rows.append((clean, exact, with_faults(exact, random), torch.tensor([is_hazy]), log_left))
    return Hazed(*map(torch.cat, zip(*rows, strict=True)))


def haze(photo: Tensor, random: np.random.Generator) -> tuple[Veil, Degradation]:
    """A veil for a photo [1, 3, S, S], and what happens to the hazy picture then: most often nothing."""
    if random.random() < _FLAT:
        return Veil(random.uniform(0.25, 0.92), random.uniform(0, 1)), Compose()
    chance = random.random()
    if chance < _EVEN:
        away = torch.ones_like(photo[:, :1])
    else:
        away = _parts(photo, random) if chance < _EVEN + _PARTED else depth(photo, random)
    near, far = log_uniform(random, 0.02, 0.8), random.uniform(0, 2.4)
    left = torch.exp(-(near + far * away)).clamp(_LEAST_LEFT, 1)
    colour = random.normal(0, 0.05 if random.random() < 0.3 else 0.012, (1, 3))
    airlight = torch.from_numpy(np.clip(random.uniform(0.55, 1.0) + colour, 0.35, 1.05)).float()
    veil = Veil(left, airlight, "linear" if random.random() < 0.3 else "srgb")
    return veil, Tone(random.uniform(0.4, 1.0)) if random.random() < _DARKENED else Compose()


def _parts(photo: Tensor, random: np.random.Generator) -> Tensor:
    """How far away things are, 0 to 1, [1, 1, S, S], each of them as far as it is: two to seven of one colour each."""
    away = random.uniform(0, 0.5) * (smooth(photo, random) * 0.2 + 0.5)
    for _ in range(random.integers(2, 8)):
        colours = torch.from_numpy(random.normal(0, 1, 3)).to(photo) @ photo[0].flatten(1)
        field = colours.reshape(away.shape) + random.uniform(0, 0.5) * smooth(photo, random, int(random.integers(3, 7)))
        level = float(field.flatten().quantile(random.uniform(0.2, 0.8)))
        edges = log_uniform(random, 0.003, 0.02)
        thing = along_edges(torch.sigmoid((field - level) / 0.03), photo, int(random.integers(2, 9)), edges)
        away = torch.lerp(away, torch.full_like(away, random.uniform(0, 1)), thing)
    return away.clamp(0, 1)
