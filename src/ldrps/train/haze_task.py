"""What the haze posterior learns: whether there is haze over a picture, and what is left of the scene at each place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ldrps.estimation.haze_posterior import HazeBelief
from ldrps.train.hazes import ASKED, Hazed, haze_some
from ldrps.train.light_task import Faulty, LightBelief, LightTask


@dataclass(frozen=True)
class HazeTask(LightTask):
    """Telling haze; of its transmission the logarithm should be right as well."""

    name = "haze"

    transmission: float = 0.5

    def faulty(self, clean: Tensor, random: np.random.Generator, share: float | None) -> Hazed:
        return haze_some(clean, random, ASKED if share is None else share)

    def besides(self, belief: LightBelief, pictures: Faulty) -> Tensor:
        assert isinstance(belief, HazeBelief) and isinstance(pictures, Hazed)
        off = (belief.veil.log_transmission(pictures.exact) - pictures.log_left).abs()
        return self.transmission * torch.where(off.isfinite(), off, 0.0).mean((1, 2, 3))
