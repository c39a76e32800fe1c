"""What the cast posterior learns: whether a picture's light was taken for another, and what that did to its colours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ldrps.degradation import Tone, WhiteBalance
from ldrps.train.light_task import Faulty, LightTask
from ldrps.train.tones import LEAST, with_faults
from ldrps.train.untouched import untouched

ASKED, CASTS = 0.6, 0.4  # of all pictures; some turn out to have hardly any
_DEVELOPED = 0.5  # of all photographs, as another camera would show them


@dataclass(frozen=True)
class CastTask(LightTask):
    """Telling casts."""

    name = "casts"

    batch: int = 40
    size: int = 96
    reduction: tuple[float, float] = (1.5, 8.0)
    details: float = 0.15
    error: float = 15.0

    def faulty(self, clean: Tensor, random: np.random.Generator, share: float | None) -> Faulty:
        return cast_some(clean, random, ASKED if share is None else share)


def cast_some(photos: Tensor, random: np.random.Generator, casts: float = ASKED) -> Faulty:
    """Give some of `photos` [B, 3, S, S] the cast of a light that was taken for another."""
    rows: list[tuple[Tensor, Tensor, Tensor, Tensor]] = []
    for photo in photos.split(1):
        has_one = random.random() < casts
        clean = _developed(photo, random) if random.random() < _DEVELOPED else photo
        if has_one:
            exact = illuminant(random)(clean).clamp(0, 1)
            if float((exact - clean).square().mean().sqrt()) < LEAST:
                clean, has_one = exact, False
        else:
            clean = exact = untouched(clean, random)
        rows.append((clean, exact, with_faults(exact, random), torch.tensor([has_one])))
    return Faulty(*map(torch.cat, zip(*rows, strict=True)))


def _developed(photo: Tensor, random: np.random.Generator) -> Tensor:
    """As another camera would show it: a little lighter or darker, with more or less colour and contrast."""
    luma = photo.mean(1, keepdim=True)
    coloured = torch.lerp(luma.expand_as(photo), photo, random.uniform(0.6, 1.4)).clamp(0, 1)
    return Tone(random.uniform(0.7, 1.0), gamma=float(np.exp(random.normal(0, 0.2))))(coloured)


def illuminant(random: np.random.Generator) -> WhiteBalance:
    """A light that is warmer or colder than was thought, by far or hardly, some a little greener or more magenta."""
    linear = random.random() < 0.7
    warmth = random.normal(0, 0.5) if random.random() < 0.4 else random.uniform(-1.4, 1.4)
    tint = random.normal(0, 0.08) if random.random() < 0.7 else random.normal(0, 0.25)
    logs = np.array([warmth * random.uniform(0.35, 0.65), tint, 0.0])
    logs[2] = logs[0] - warmth
    gains = np.exp(logs * (1 if linear else 0.5))
    # As bright as before, or with its strongest channel so.
    gains /= gains.max() if random.random() < 0.3 else gains @ (0.3, 0.59, 0.11)
    return WhiteBalance(torch.from_numpy(gains[None]).float(), "linear" if linear else "srgb")
