"""What the enlarger learns: the photograph that a small copy was made of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from ldrps.degradation import resize
from ldrps.estimation.enlarger import FACTOR, Enlarger
from ldrps.image.arrays import to_pil
from ldrps.image.sheet import contact_sheet
from ldrps.train.loop import VALIDATION_SEED
from ldrps.train.photos import Photographs
from ldrps.train.small import small_copies


@dataclass(frozen=True)
class EnlargeTask:
    """The mean absolute error of what is expected of small copies."""

    train: Photographs
    held_out: Photographs
    # How many photographs of how many pixels a side make a batch, and how much they are reduced to be sharp.
    views: tuple[tuple[int, int, tuple[float, float]], ...] = ((24, 128, (1.3, 2.5)), (12, 176, (1.1, 2.0)))

    def loss(self, model: nn.Module, random: np.random.Generator) -> Tensor:
        assert isinstance(model, Enlarger)
        clean, small = self.examples(self.train, self.views[random.integers(len(self.views))], random)
        place = next(model.parameters()).device
        return (model(small.to(place)) - clean.to(place)).abs().mean()

    def examples(
        self,
        photos: Photographs,
        view: tuple[int, int, tuple[float, float]],
        random: np.random.Generator,
        **good: float,
    ) -> tuple[Tensor, Tensor]:
        """Photographs, and small copies of them."""
        count, size, reduction = view
        with torch.autocast("cpu", enabled=False):
            clean = photos.crops(random, count, size, reduction)
            turned = clean.mT if random.random() < 0.5 else clean
            return turned, small_copies(turned, FACTOR, random, **good)

    def validate(self, model: nn.Module) -> dict[str, float]:
        """PSNR of held-out photographs in dB, of good small copies and of others, and of a cubic's enlargement."""
        figures = {}
        for name, good in (("good", 1.0), ("others", 0.0)):
            clean, small = self.examples(
                self.held_out, (64, 128, (1.3, 2.5)), np.random.default_rng(VALIDATION_SEED), good=good
            )
            for kind, large in (("", _large(model, small)), ("_cubic", resize(small, (128, 128)))):
                errors = (large.clamp(0, 1) - clean).square().mean((1, 2, 3)).clamp_min(1e-10)
                figures[name + kind] = float(-10 * errors.log10().mean())
        return figures

    def pictures(self, model: nn.Module) -> dict[str, Image.Image]:
        """Small copies of held-out photographs by a cubic, what is expected, and the photographs."""
        clean, small = self.examples(self.held_out, (6, 128, (1.3, 2.5)), np.random.default_rng(VALIDATION_SEED))
        sides = (resize(small, (128, 128)), _large(model, small), clean)
        return {"enlarged": contact_sheet([[(to_pil(each.clamp(0, 1)), "") for each in side] for side in sides])}


def _large(model: nn.Module, small: Tensor) -> Tensor:
    place = next(model.parameters()).device
    return torch.cat([model(part.to(place)).cpu() for part in small.split(16)])
