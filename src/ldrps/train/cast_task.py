"""What the cast posterior learns: whether a picture's light was taken for another, and what that did to its colours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from ldrps.degradation import Tone, WhiteBalance
from ldrps.estimation.cast_posterior import CastBelief, CastPosterior
from ldrps.image.arrays import to_pil
from ldrps.image.sheet import contact_sheet
from ldrps.train.loop import VALIDATION_SEED
from ldrps.train.measures import psnr, rms
from ldrps.train.photos import Photographs
from ldrps.train.tones import LEAST, detail, with_faults
from ldrps.train.untouched import untouched

ASKED, CASTS = 0.6, 0.4  # of all pictures; some turn out to have hardly any
_DEVELOPED = 0.5  # of all photographs, as another camera would show them


@dataclass(frozen=True)
class Cast:
    """Pictures of which some have a cast.

    Attributes:
        clean: what there was to see, [B, 3, H, W] in [0, 1].
        exact: that with the cast alone.
        seen: that with noise, JPEG and rounding too.
        there: whether a picture has one, [B].
    """

    clean: Tensor
    exact: Tensor
    seen: Tensor
    there: Tensor

    def to(self, device: torch.device) -> Cast:
        return Cast(*(each.to(device) for each in (self.clean, self.exact, self.seen, self.there)))


@dataclass(frozen=True)
class CastTask:
    """Telling casts. The loss is the cross entropy of whether there is one, and, where there is, the error of the
    picture without it; white that was white is bound from one side only.
    """

    train: Photographs
    held_out: Photographs
    batch: int = 40
    size: int = 96
    reduction: tuple[float, float] = (1.5, 8.0)
    details: float = 0.15  # of the pictures, which show a part of a scene
    error: float = 15.0  # of the picture, of 1, beside the cross entropy

    def loss(self, model: nn.Module, random: np.random.Generator) -> Tensor:
        assert isinstance(model, CastPosterior)
        cast = self.examples(self.train, self.batch, random).to(next(model.parameters()).device)
        belief = model(cast.seen)
        there = cast.there.float()
        undone = belief.cast.invert(cast.exact).clamp(-0.5, 1.5)
        white = (cast.clean >= 1) & (undone > 1)
        off = self.error * rms(torch.where(white, 0.0, undone - cast.clean))
        decided = F.binary_cross_entropy_with_logits(belief.logit, there)
        return decided + (there * off).sum() / there.sum().clamp_min(1)

    def examples(self, photos: Photographs, count: int, random: np.random.Generator, casts: float = ASKED) -> Cast:
        """So many pictures, of which that share was to have a cast; some show a detail."""
        clean = photos.crops(random, count, self.size, self.reduction)
        for index in np.flatnonzero(random.random(len(clean)) < self.details):
            clean[index] = detail(clean[index : index + 1], random)[0]
        with torch.autocast("cpu", enabled=False):  # bfloat16 has fewer levels than pictures
            return cast_some(clean, random, casts)

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Of held-out pictures: how often the likelier of a cast and none is right, in per cent, for those that have
        one and for the others; PSNR in dB of those that have one before and after.
        """
        cast, belief = self._judged(model, 192, 1.0)
        _, none = self._judged(model, 256, 0.0)
        undone = belief.cast.invert(cast.exact).clamp(0, 1)
        before, after = (float(psnr(x, cast.clean)[cast.there].mean()) for x in (cast.exact, undone))
        return {
            "seen": 100 * float((belief.logit > 0)[cast.there].float().mean()),
            "alone": 100 * float((none.logit <= 0).float().mean()),
            "before": before,
            "after": after,
        }

    def pictures(self, model: nn.Module) -> dict[str, Image.Image]:
        """Held-out pictures with a cast, without it by what is told, and as they were."""
        cast, belief = self._judged(model, 12, 1.0)
        sides = (cast.seen, belief.cast.invert(cast.exact).clamp(0, 1), cast.clean)
        return {"casts": contact_sheet([[(to_pil(each), "") for each in side] for side in sides])}

    def _judged(self, model: nn.Module, count: int, casts: float) -> tuple[Cast, CastBelief]:
        cast = self.examples(self.held_out, count, np.random.default_rng(VALIDATION_SEED), casts)
        cast = cast.to(next(model.parameters()).device)
        return cast, model(cast.seen)


def cast_some(photos: Tensor, random: np.random.Generator, casts: float = ASKED) -> Cast:
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
    return Cast(*map(torch.cat, zip(*rows, strict=True)))


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
