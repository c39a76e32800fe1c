"""What the blur posterior learns: what a picture was blurred by, and how much."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from ldrps.estimation.blur_posterior import BLURS, BlurBelief, BlurPosterior
from ldrps.train.blurs import MARGIN, Blurred, blur_some
from ldrps.train.loop import VALIDATION_SEED
from ldrps.train.photos import Photographs
from ldrps.train.pictures import judged


@dataclass(frozen=True)
class BlurTask:
    """Telling blur of every kind, and how much there is, from what is soft because it is so."""

    train: Photographs
    held_out: Photographs
    # How many pictures of how many pixels a side make a batch: large ones tell more, and as surely as they are met.
    views: tuple[tuple[int, int], ...] = ((12, 96), (5, 160))
    reduction: tuple[float, float] = (1.0, 2.5)

    def loss(self, model: nn.Module, random: np.random.Generator) -> Tensor:
        assert isinstance(model, BlurPosterior)
        count, size = self.views[random.integers(len(self.views))]
        blurred = self.examples(self.train, count, size, random)
        belief, kind, size_of, shape = _believed(model, blurred)
        return -belief.log_likelihood(kind, size_of, shape).mean()

    def examples(self, photos: Photographs, count: int, size: int, random: np.random.Generator) -> Blurred:
        with torch.autocast("cpu", enabled=False):  # bfloat16 rounds edges away
            return blur_some(photos.crops(random, count, size + 2 * MARGIN, self.reduction), random)

    def validate(self, model: nn.Module) -> dict[str, float]:
        """How often the likeliest of none and the kinds is right, in per cent; the error of the size of what is there,
        as a factor, and that of the shape; how probable blur is held where there is none, on average.
        """
        assert isinstance(model, BlurPosterior)
        blurred = self.examples(self.held_out, 256, self.views[-1][1], np.random.default_rng(VALIDATION_SEED))
        belief, kind, size, shape = _believed(model, blurred)
        right = belief.probability.argmax(1) == kind
        there = kind > 0
        of = (kind - 1).clamp_min(0)[:, None]
        error = size.log() - belief.middle.gather(1, of)[:, 0]
        figures = {
            "right": 100 * float(right.float().mean()),
            "shape": float((shape - belief.shape)[there].square().mean().sqrt()),
            "false_alarm": 1 - float(belief.probability[:, 0][~there].mean()),
            "missed": float(belief.probability[:, 0][there].mean()),
            "likelihood": float(belief.log_likelihood(kind, size, shape).mean()),
        }
        for number, name in enumerate(BLURS, start=1):
            figures[f"factor_{name}"] = float(error[kind == number].square().mean().sqrt().exp())
        return figures

    def pictures(self, model: nn.Module) -> dict[str, Image.Image]:
        """Held-out pictures with what is believed of each."""
        assert isinstance(model, BlurPosterior)
        blurred = self.examples(self.held_out, 32, self.views[0][1], np.random.default_rng(VALIDATION_SEED))
        belief = _believed(model, blurred)[0]
        return {"blurs": judged(blurred.seen, belief.probability, belief.middle, ("sharp", *BLURS))}


def _believed(model: BlurPosterior, blurred: Blurred) -> tuple[BlurBelief, Tensor, Tensor, Tensor]:
    """What is believed of pictures, and the kind, size and shape of their blur, where the model is."""
    place = next(model.parameters()).device
    kind, size, shape = (each.to(place) for each in (blurred.kind, blurred.size, blurred.shape))
    return model(blurred.seen.to(place)), kind, size, shape
