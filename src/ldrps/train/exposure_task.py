"""What the exposure posterior learns: whether a picture has too little or too much light, and how much and where."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ldrps.train.light_task import Faulty, LightTask
from ldrps.train.tones import NOTHING, damage_tones

# Shares of what is badly lit; and of what has other faults, which are not to be taken for it.
BADLY_LIT = {"dark": 0.5, "uneven": 0.3, "bright": 0.08, "curve": 0.12}
_OTHERS = {"veil": 0.5, "cast": 0.5}
_OTHERWISE = 0.3  # of those that are lit as they should be
ASKED, WRONG = 0.6, 0.48  # of all pictures; others turn out to be no examples, or hardly damaged


@dataclass(frozen=True)
class ExposureTask(LightTask):
    """Telling light that is wrong."""

    name = "exposure"

    details: float = 0.15

    def faulty(self, clean: Tensor, random: np.random.Generator, share: float | None) -> Faulty:
        pictures = damage_tones(clean, random, BADLY_LIT, 1 - (ASKED if share is None else share))
        there = pictures.kind != NOTHING
        otherwise = ~there & torch.from_numpy(random.random(len(clean)) < _OTHERWISE)
        if bool(otherwise.any()):
            found = damage_tones(clean[otherwise], random, _OTHERS, 0.0)
            for name in ("clean", "exact", "seen"):
                getattr(pictures, name)[otherwise] = getattr(found, name)
        return Faulty(pictures.clean, pictures.exact, pictures.seen, there)
