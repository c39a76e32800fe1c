"""What the exposure posterior learns: whether a picture has too little or too much light and how much at each place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from ldrps.estimation.exposure_posterior import ExposureBelief, ExposurePosterior
from ldrps.image.arrays import to_pil
from ldrps.image.sheet import contact_sheet
from ldrps.train.loop import VALIDATION_SEED
from ldrps.train.photos import Photographs
from ldrps.train.tones import NOTHING, DamagedTones, damage_tones, detail

# Shares of what is badly lit; and of what has other faults, which are not to be taken for it.
BADLY_LIT = {"dark": 0.5, "uneven": 0.3, "bright": 0.08, "curve": 0.12}
_OTHERS = {"veil": 0.5, "cast": 0.5}
_OTHERWISE = 0.15  # of all pictures, which have other faults
ASKED, WRONG = 0.6, 0.48  # of all pictures; others turn out to be no examples, or hardly damaged


@dataclass(frozen=True)
class ExposureTask:
    """Telling light that is wrong. The loss is the cross entropy of whether it is, and, where it is, the error of the
    picture as it should be; white that was white is bound from one side only.
    """

    train: Photographs
    held_out: Photographs
    batch: int = 24
    size: int = 128
    reduction: tuple[float, float] = (1.5, 6.0)
    details: float = 0.15  # of the pictures, which show a part of a scene
    error: float = 8.0  # of the picture, of 1, beside the cross entropy

    def loss(self, model: nn.Module, random: np.random.Generator) -> Tensor:
        assert isinstance(model, ExposurePosterior)
        lit = self.examples(self.train, self.batch, random).to(next(model.parameters()).device)
        belief = model(lit.seen)
        wrong = (lit.kind != NOTHING).float()
        undone = belief.invert(lit.exact).clamp(-0.5, 1.5)
        white = (lit.clean >= 1) & (undone > 1)
        off = _rms(torch.where(white, 0.0, undone - lit.clean))
        decided = F.binary_cross_entropy_with_logits(belief.logit, wrong)
        return decided + self.error * (wrong * off).sum() / wrong.sum().clamp_min(1)

    def examples(
        self, photos: Photographs, count: int, random: np.random.Generator, wrong: float = ASKED
    ) -> DamagedTones:
        """So many pictures, that share of which was to be badly lit; `kind` is `NOTHING` of all others."""
        clean = photos.crops(random, count, self.size, self.reduction)
        for index in np.flatnonzero(random.random(count) < self.details):
            clean[index] = detail(clean[index : index + 1], random)[0]
        pictures = damage_tones(clean, random, BADLY_LIT, 1 - wrong)
        other = (pictures.kind == NOTHING) & torch.from_numpy(random.random(count) < 2 * _OTHERWISE)
        if bool(other.any()):
            found = damage_tones(clean[other], random, _OTHERS, 0.0)
            for name in ("clean", "exact", "seen"):
                getattr(pictures, name)[other] = getattr(found, name)
        return pictures

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Of held-out pictures: how often the likelier of wrong light and none is right, in per cent, for badly lit
        ones and the others; PSNR in dB of badly lit ones before and after.
        """
        lit, belief = self._judged(model, 192, 1.0)
        _, none = self._judged(model, 256, 0.0)
        there = lit.kind != NOTHING
        before, after = (_psnr(x, lit.clean)[there].mean() for x in (lit.exact, belief.invert(lit.exact)))
        return {
            "seen": 100 * float((belief.logit > 0)[there].float().mean()),
            "alone": 100 * float((none.logit <= 0).float().mean()),
            "before": float(before),
            "after": float(after),
        }

    def pictures(self, model: nn.Module) -> dict[str, Image.Image]:
        """Held-out pictures, badly lit, as they should be by what is told, and as they were."""
        lit, belief = self._judged(model, 12, 1.0)
        sides = (lit.seen, belief.invert(lit.exact).clamp(0, 1), lit.clean)
        return {"exposure": contact_sheet([[(to_pil(each), "") for each in side] for side in sides])}

    def _judged(self, model: nn.Module, count: int, wrong: float) -> tuple[DamagedTones, ExposureBelief]:
        lit = self.examples(self.held_out, count, np.random.default_rng(VALIDATION_SEED), wrong)
        lit = lit.to(next(model.parameters()).device)
        return lit, model(lit.seen)


def _rms(difference: Tensor) -> Tensor:
    """Root mean square over channels and places, [B]."""
    return (difference.pow(2).mean((1, 2, 3)) + 1e-6).sqrt()


def _psnr(x: Tensor, clean: Tensor) -> Tensor:
    return -10 * (x.clamp(0, 1) - clean).pow(2).mean((1, 2, 3)).clamp_min(1e-5).log10()
