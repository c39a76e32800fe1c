"""What the judges of one thing about the light learn: whether it is wrong, and what the picture is without that."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from ldrps.image.arrays import to_pil
from ldrps.image.sheet import contact_sheet
from ldrps.train.loop import VALIDATION_SEED
from ldrps.train.photos import Photographs
from ldrps.train.tones import detail


@dataclass(frozen=True)
class Faulty:
    """Pictures of which some have a fault.

    Attributes:
        clean: what there was to see, [B, 3, H, W] in [0, 1].
        exact: that with the fault alone.
        seen: that with noise, JPEG and rounding too.
        there: whether a picture has the fault, [B].
    """

    clean: Tensor
    exact: Tensor
    seen: Tensor
    there: Tensor

    def to(self, device: torch.device) -> Faulty:
        return type(self)(*(each.to(device) for each in vars(self).values()))


class LightBelief(Protocol):
    """What a judge believes of pictures: the logit of the fault, [B], and what they are without it."""

    @property
    def logit(self) -> Tensor: ...

    def invert(self, y: Tensor) -> Tensor: ...


@dataclass(frozen=True)
class LightTask(ABC):
    """Telling a fault. The loss is the cross entropy of whether it is there, and, where it is, the error of the picture
    without it; white that was white is bound from one side only.
    """

    name: ClassVar[str]

    train: Photographs
    held_out: Photographs
    batch: int = 24
    size: int = 128
    reduction: tuple[float, float] = (1.5, 6.0)
    details: float = 0.2  # of the pictures, which show a part of a scene
    error: float = 8.0  # of the picture, of 1, beside the cross entropy

    @abstractmethod
    def faulty(self, clean: Tensor, random: np.random.Generator, share: float | None) -> Faulty:
        """Give so many of `clean` [B, 3, S, S] the fault; None is as many as in training."""

    def loss(self, model: nn.Module, random: np.random.Generator) -> Tensor:
        pictures = self.examples(self.train, self.batch, random).to(next(model.parameters()).device)
        belief: LightBelief = model(pictures.seen)
        there = pictures.there.float()
        decided = F.binary_cross_entropy_with_logits(belief.logit, there)
        undone = belief.invert(pictures.exact).clamp(-0.5, 1.5)
        white = (pictures.clean >= 1) & (undone > 1)
        off = self.error * rms(torch.where(white, 0.0, undone - pictures.clean)) + self.besides(belief, pictures)
        return decided + (there * off).sum() / there.sum().clamp_min(1)

    def besides(self, belief: LightBelief, pictures: Faulty) -> Tensor:
        """What else of each picture with the fault should be right, [B]."""
        return torch.zeros_like(belief.logit)

    def examples(
        self, photos: Photographs, count: int, random: np.random.Generator, share: float | None = None
    ) -> Faulty:
        """So many pictures, of which that share was to have the fault; some show a detail."""
        clean = photos.crops(random, count, self.size, self.reduction)
        for index in np.flatnonzero(random.random(count) < self.details):
            clean[index] = detail(clean[index : index + 1], random)[0]
        with torch.autocast("cpu", enabled=False):  # bfloat16 has fewer levels than pictures
            return self.faulty(clean, random, share)

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Of held-out pictures: how often the likelier of the fault and none is right, in per cent, for those that have
        it and for the others; PSNR in dB of those that have it before and after.
        """
        pictures, belief = self._judged(model, 192, 1.0)
        _, none = self._judged(model, 256, 0.0)
        there = pictures.there
        before, after = (
            _psnr(x, pictures.clean)[there].mean() for x in (pictures.exact, belief.invert(pictures.exact))
        )
        return {
            "seen": 100 * float((belief.logit > 0)[there].float().mean()),
            "alone": 100 * float((none.logit <= 0).float().mean()),
            "before": float(before),
            "after": float(after),
        }

    def pictures(self, model: nn.Module) -> dict[str, Image.Image]:
        """Held-out pictures with the fault, without it by what is told, and as they were."""
        pictures, belief = self._judged(model, 12, 1.0)
        sides = (pictures.seen, belief.invert(pictures.exact).clamp(0, 1), pictures.clean)
        return {self.name: contact_sheet([[(to_pil(each), "") for each in side] for side in sides])}

    def _judged(self, model: nn.Module, count: int, share: float) -> tuple[Faulty, LightBelief]:
        pictures = self.examples(self.held_out, count, np.random.default_rng(VALIDATION_SEED), share)
        pictures = pictures.to(next(model.parameters()).device)
        return pictures, model(pictures.seen)


def rms(difference: Tensor) -> Tensor:
    """Root mean square over channels and places, the last three axes."""
    return (difference.pow(2).mean((-3, -2, -1)) + 1e-6).sqrt()


def _psnr(x: Tensor, clean: Tensor) -> Tensor:
    """Of each picture, in dB; no more than 50."""
    return -10 * (x.clamp(0, 1) - clean).pow(2).mean((1, 2, 3)).clamp_min(1e-5).log10()
