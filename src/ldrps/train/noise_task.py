"""What the noise posterior learns: which noise was added to a picture, and how much of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from ldrps.degradation import Rounding, resize
from ldrps.estimation.noise_posterior import NoisePosterior
from ldrps.prior.base import NOISES, NoiseKind
from ldrps.train.camera import saved
from ldrps.train.graphics import graphic, painting
from ldrps.train.loop import VALIDATION_SEED
from ldrps.train.noise import FAMILIES, Noisy, add_noise
from ldrps.train.photos import Photographs
from ldrps.train.pictures import judged

NONE = 0.3  # of all pictures
_SHARES: dict[NoiseKind, float] = {"white": 0.25, "camera": 0.5, "jpeg": 0.25}  # of those with noise
_GRAPHICS, _PAINTINGS, _ENLARGED = 0.1, 0.08, 0.12  # of all pictures
_PASSED_ON = 0.5  # of what JPEG did
_GOOD_FILES = 0.35  # of those without noise, which are JPEG files as good as such files are
_WHITE = (1.0, 50.0)  # deviations of white noise, of 255
_UNSEEN = 0.6 / 255  # less is rounding


@dataclass(frozen=True)
class NoiseTask:
    """Telling noise of every kind, and how much there is, from texture and from what is no photograph."""

    train: Photographs
    held_out: Photographs
    # How many pictures of how many pixels a side make a batch: large ones tell more, and as surely as they are met.
    views: tuple[tuple[int, int], ...] = ((16, 96), (5, 176), (3, 240))
    reduction: tuple[float, float] = (1.0, 2.5)
    families: Mapping[str, float] = field(default_factory=lambda: FAMILIES)  # of the noise of cameras

    def loss(self, model: nn.Module, random: np.random.Generator) -> Tensor:
        assert isinstance(model, NoisePosterior)
        count, size = self.views[random.integers(len(self.views))]
        noisy, kind = self.examples(self.train, count, size, random)
        place = next(model.parameters()).device
        belief = model(noisy.seen.to(place))
        return -belief.log_likelihood(kind.to(place), noisy.level.to(place)).mean()

    def examples(self, photos: Photographs, count: int, size: int, random: np.random.Generator) -> tuple[Noisy, Tensor]:
        """Pictures, and what was done to each, [count]: 0 for nothing, 1 for the first of `NOISES`."""
        clean = photos.crops(random, count, size, self.reduction)
        count = len(clean)
        for index, chance in enumerate(random.random(count)):
            if chance < _GRAPHICS:
                clean[index] = graphic(size, random)[0]
            elif chance < _GRAPHICS + _PAINTINGS:
                clean[index] = painting(clean[index : index + 1], random)[0]
            elif chance < _GRAPHICS + _PAINTINGS + _ENLARGED:
                clean[index] = _enlarged(clean[index : index + 1], random)[0]
        happened = random.random(count) >= NONE
        shares = [_SHARES[kind] for kind in NOISES]
        kinds: list[NoiseKind] = [
            NOISES[random.choice(len(NOISES), p=shares)] if each else "white" for each in happened
        ]
        low, high = np.log(_WHITE)
        levels = torch.from_numpy(np.exp(random.uniform(low, high, count)) / 255 * happened).float()
        with torch.autocast("cpu", enabled=False):  # bfloat16 rounds more away than the finest noise is
            noisy = add_noise(clean, kinds, levels, random, self.families, _PASSED_ON)
            for good in np.flatnonzero(~happened & (random.random(count) < _GOOD_FILES)):
                noisy.seen[good] = saved(clean[good : good + 1], random.uniform(85, 97), random)[0]
        seen = Rounding()(noisy.seen)  # as files hold it
        told = (noisy.kind + 1) * (torch.from_numpy(happened) & (noisy.level > _UNSEEN))
        return Noisy(seen, noisy.level.clamp_min(1e-4), noisy.kind), told

    def validate(self, model: nn.Module) -> dict[str, float]:
        """How often the likeliest of none and the kinds is right, in per cent; the error of the deviation of what is
        there, as a factor; and how probable noise is held for where there is none, on average.
        """
        assert isinstance(model, NoisePosterior)
        noisy, kind = self.examples(self.held_out, 384, self.views[0][1], np.random.default_rng(VALIDATION_SEED))
        place = next(model.parameters()).device
        belief = model(noisy.seen.to(place))
        right = belief.probability.argmax(1).cpu() == kind
        of = (kind - 1).clamp_min(0)[:, None]
        error = (noisy.level.log() - belief.middle.cpu().gather(1, of)[:, 0])[kind > 0]
        return {
            "right": 100 * float(right.float().mean()),
            "factor": float(error.square().mean().sqrt().exp()),
            "false_alarm": 1 - float(belief.probability[:, 0].cpu()[kind == 0].mean()),
            "likelihood": float(belief.log_likelihood(kind.to(place), noisy.level.to(place)).mean()),
        }

    def pictures(self, model: nn.Module) -> dict[str, Image.Image]:
        """Held-out pictures with what is believed of each."""
        assert isinstance(model, NoisePosterior)
        noisy, _ = self.examples(self.held_out, 32, self.views[0][1], np.random.default_rng(VALIDATION_SEED))
        belief = model(noisy.seen.to(next(model.parameters()).device))
        names = ("none", *NOISES)
        return {"noises": judged(noisy.seen, belief.probability, belief.middle, names, unit=255)}


def _enlarged(image: Tensor, random: np.random.Generator) -> Tensor:
    """An image without its detail, as many are that were enlarged or are out of focus."""
    small = round(image.shape[-1] / random.uniform(1.3, 4))
    return resize(resize(image, (small, small)), (image.shape[-2], image.shape[-1])).clamp(0, 1)
