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
from ldrps.train.photos import Photographs
from ldrps.train.tones import DETAILS, LEAST, detail, with_faults
from ldrps.train.untouched import untouched

ASKED, CASTS = 0.6, 0.4  # of all pictures; some turn out to have hardly any


@dataclass(frozen=True)
class Cast:
    """`clean` and `seen`, with a cast or not, each [B, 3, H, W] in [0, 1], and which has one, [B]."""

    clean: Tensor
    exact: Tensor
    seen: Tensor
    has_one: Tensor

    def to(self, device: torch.device) -> Cast:
        return Cast(*(each.to(device) for each in vars(self).values()))


def cast_some(photos: Tensor, random: np.random.Generator, casts: float = ASKED) -> Cast:
    """Give some of `photos` [B, 3, S, S] the cast of a light that was taken for another."""
    cleans, exacts, seens, kinds = [], [], [], []
    for photo in photos.split(1):
        has_one = random.random() < casts
        clean = _developed(photo, random) if random.random() < 0.5 else photo
        if has_one:
            exact = illuminant(random)(clean).clamp(0, 1)
            if float((exact - clean).square().mean().sqrt()) < LEAST:
                clean, has_one = exact, False
        else:
            clean = exact = untouched(clean, random)
        cleans.append(clean)
        exacts.append(exact)
        seens.append(with_faults(exact, random))
        kinds.append(has_one)
    return Cast(torch.cat(cleans), torch.cat(exacts), torch.cat(seens), torch.tensor(kinds))


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


@dataclass(frozen=True)
class CastTask:
    """Telling casts. The loss is the cross entropy of whether there is one, and, where there is, the error of the
    picture without it.
    """

    train: Photographs
    held_out: Photographs
    batch: int = 40
    size: int = 96
    reduction: tuple[float, float] = (1.5, 8.0)
    details: float = DETAILS / 2  # of the pictures, which show a part of a scene
    error: float = 15.0  # of the picture, of 1, beside the cross entropy

    def loss(self, model: nn.Module, random: np.random.Generator) -> Tensor:
        assert isinstance(model, CastPosterior)
        cast = self.examples(self.train, self.batch, random).to(next(model.parameters()).device)
        belief = model(cast.seen)
        has_one = cast.has_one.float()
        wrong = _rms(belief.cast.invert(cast.exact[..., ::2, ::2]).clamp(0, 1.2) - cast.clean[..., ::2, ::2])
        decided = F.binary_cross_entropy_with_logits(belief.logit, has_one)
        return decided + self.error * (has_one * wrong).sum() / has_one.sum().clamp_min(1)

    def examples(self, photos: Photographs, count: int, random: np.random.Generator, casts: float = ASKED) -> Cast:
        """So many pictures, that share of which was to have a cast; some show a detail."""
        clean = photos.crops(random, count, self.size, self.reduction)
        for index in np.flatnonzero(random.random(count) < self.details):
            clean[index] = detail(clean[index : index + 1], random)[0]
        return cast_some(clean, random, casts)

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Of held-out pictures: how often the likelier of a cast and none is right, in per cent; PSNR in dB of those
        with a cast before and after.
        """
        cast, belief = self._judged(model, 256, 1.0)
        _, none = self._judged(model, 256, 0.0)
        there = cast.has_one
        before, after = (_psnr(x, cast.clean)[there].mean() for x in (cast.exact, belief.cast.invert(cast.exact)))
        return {
            "seen": 100 * float((belief.logit > 0)[there].float().mean()),
            "alone": 100 * float((none.logit <= 0).float().mean()),
            "before": float(before),
            "after": float(after),
        }

    def pictures(self, model: nn.Module) -> dict[str, Image.Image]:
        """Held-out pictures, with a cast, without it, and as they were."""
        cast, belief = self._judged(model, 12, 1.0)
        sides = (cast.seen, belief.cast.invert(cast.exact).clamp(0, 1), cast.clean)
        return {"casts": contact_sheet([[(to_pil(each), "") for each in side] for side in sides])}

    def _judged(self, model: nn.Module, count: int, casts: float) -> tuple[Cast, CastBelief]:
        cast = self.examples(self.held_out, count, np.random.default_rng(VALIDATION_SEED), casts)
        cast = cast.to(next(model.parameters()).device)
        return cast, model(cast.seen)


def _rms(difference: Tensor) -> Tensor:
    """Root mean square over channels and places, [B]."""
    return (difference.pow(2).mean((1, 2, 3)) + 1e-6).sqrt()


def _psnr(x: Tensor, clean: Tensor) -> Tensor:
    return -10 * (x.clamp(0, 1) - clean).pow(2).mean((1, 2, 3)).clamp_min(1e-5).log10()
