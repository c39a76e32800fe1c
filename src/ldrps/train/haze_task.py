"""What the haze posterior learns: whether there is haze over a picture, and what is left of the scene at each place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from ldrps.estimation.haze_posterior import HazeBelief, HazePosterior
from ldrps.image.arrays import to_pil
from ldrps.image.sheet import contact_sheet
from ldrps.train.hazes import ASKED, Hazed, haze_some
from ldrps.train.loop import VALIDATION_SEED
from ldrps.train.photos import Photographs
from ldrps.train.tones import detail


@dataclass(frozen=True)
class HazeTask:
    """Telling haze and its transmission.

    The loss is the cross entropy of whether there is any, and, where there is, the error of the picture without it and
    that of the logarithm of the transmission.
    """

    train: Photographs
    held_out: Photographs
    batch: int = 24
    size: int = 128
    reduction: tuple[float, float] = (1.5, 6.0)
    details: float = 0.2  # of the pictures, which show a part of a scene
    error: float = 8.0  # of the picture, of 1, beside the cross entropy
    transmission: float = 0.5

    def loss(self, model: nn.Module, random: np.random.Generator) -> Tensor:
        assert isinstance(model, HazePosterior)
        hazed = self.examples(self.train, self.batch, random).to(next(model.parameters()).device)
        belief = model(hazed.seen)
        hazy = hazed.hazy.float()
        decided = F.binary_cross_entropy_with_logits(belief.logit, hazy)
        wrong = _rms(belief.veil.invert(hazed.exact).clamp(-0.5, 1.5) - hazed.clean)
        told = belief.veil.log_transmission(hazed.exact)
        off = (told - hazed.log_left).abs()
        off = torch.where(off.isfinite(), off, 0.0).mean((1, 2, 3))
        shown = (hazy * (self.error * wrong + self.transmission * off)).sum() / hazy.sum().clamp_min(1)
        return decided + shown

    def examples(self, photos: Photographs, count: int, random: np.random.Generator, hazy: float = ASKED) -> Hazed:
        """So many pictures, that share of which was to be hazy; some show a detail."""
        clean = photos.crops(random, count, self.size, self.reduction)
        for index in np.flatnonzero(random.random(count) < self.details):
            clean[index] = detail(clean[index : index + 1], random)[0]
        return haze_some(clean, random, hazy)

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Of held-out pictures: how often the likelier of haze and none is right, in per cent, for hazy ones and the
        others; PSNR in dB of hazy ones before and after.
        """
        hazed, belief = self._judged(model, 128, 1.0)
        _, none = self._judged(model, 256, 0.0)
        there = hazed.hazy
        before, after = (_psnr(x, hazed.clean)[there].mean() for x in (hazed.exact, belief.veil.invert(hazed.exact)))
        return {
            "seen": 100 * float((belief.logit > 0)[there].float().mean()),
            "alone": 100 * float((none.logit <= 0).float().mean()),
            "before": float(before),
            "after": float(after),
        }

    def pictures(self, model: nn.Module) -> dict[str, Image.Image]:
        """Held-out pictures, hazy, without it, and as they were."""
        hazed, belief = self._judged(model, 12, 1.0)
        sides = (hazed.seen, belief.veil.invert(hazed.exact).clamp(0, 1), hazed.clean)
        return {"haze": contact_sheet([[(to_pil(each), "") for each in side] for side in sides])}

    def _judged(self, model: nn.Module, count: int, hazy: float) -> tuple[Hazed, HazeBelief]:
        hazed = self.examples(self.held_out, count, np.random.default_rng(VALIDATION_SEED), hazy)
        hazed = hazed.to(next(model.parameters()).device)
        return hazed, model(hazed.seen)


def _rms(difference: Tensor) -> Tensor:
    """Root mean square over channels and places, [B]."""
    return (difference.pow(2).mean((1, 2, 3)) + 1e-6).sqrt()


def _psnr(x: Tensor, clean: Tensor) -> Tensor:
    return -10 * (x.clamp(0, 1) - clean).pow(2).mean((1, 2, 3)).clamp_min(1e-5).log10()
