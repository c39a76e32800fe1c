"""Zero-DCE++ learned without references: from dark pictures alone, by what a well-lit one would be like.

Guo et al., CVPR 2020, eqs. 4 to 8; Li et al., TPAMI 2021. The dark pictures are photographs darkened at random; that
their originals are known serves validation alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from ldrps.guidance.terms import brightness, chrominance
from ldrps.image.arrays import to_pil
from ldrps.image.sheet import contact_sheet
from ldrps.rivals.terms import total_variation
from ldrps.rivals.zero_dce import CurveNet, curved
from ldrps.train.loop import VALIDATION_SEED
from ldrps.train.photos import Photographs
from ldrps.train.tones import darken

_WELL_LIT, _CELL = 0.6, 16  # mean grey of a cell of so many pixels
_REGION = 4  # pixels a side, whose differences from their neighbours are kept


def spatial_change(x: Tensor, before: Tensor) -> Tensor:
    """Spa: how the differences between neighbouring regions of 4x4 pixels have changed; both [B, 3, H, W] in [0, 1].

    Mean over regions of the sum over the four neighbours of (d x - d before)^2, of grey; beyond the edge is black. The
    paper's eq. 4 takes the sizes of the differences, the published code the differences.
    """
    now, then = (_differences(F.avg_pool2d(each.mean(1, keepdim=True), _REGION)) for each in (x, before))
    return (now - then).pow(2).sum(1).mean()


def _differences(grey: Tensor) -> Tensor:
    """Of [B, 1, h, w], the differences from the left, right, upper and lower neighbour, [B, 4, h, w]."""
    wide = F.pad(grey, (1, 1, 1, 1))
    neighbours = (wide[..., 1:-1, :-2], wide[..., 1:-1, 2:], wide[..., :-2, 1:-1], wide[..., 2:, 1:-1])
    return torch.cat([grey - each for each in neighbours], 1)


@dataclass(frozen=True)
class CurveTask:
    """The published loss, Spa + 10 Exp + 5 Col + 1600 TV, on darkened crops.

    Published are Adam at 1e-4 with a weight decay of 1e-4 in its gradient, and 100 epochs of dark photographs. Here it
    is the loop's AdamW, at ten times the rate and for fewer steps, and the dark photographs are made.
    """

    train: Photographs
    held_out: Photographs
    batch: int = 8
    size: int = 96  # pixels; 512 as published, of larger photographs
    reduction: tuple[float, float] = (1.0, 3.0)

    def loss(self, model: nn.Module, random: np.random.Generator) -> Tensor:
        assert isinstance(model, CurveNet)
        dark = darken(self.train.crops(random, self.batch, self.size, self.reduction), random)
        dark = dark.to(next(model.parameters()).device)
        a = model(dark)
        x = curved(dark, a)
        return (
            spatial_change(x, dark)
            + 10 * brightness(x, _CELL, _WELL_LIT)
            + 5 * chrominance(x)
            + 1600 * total_variation(a)
        )

    def validate(self, model: nn.Module) -> dict[str, float]:
        """PSNR in dB to what held-out crops were before they were darkened, of the dark ones and of what is made of
        them, and the mean grey of these, which the loss wants at 0.6.
        """
        clean, dark, lit = self._seen(model, 64)
        figures = {
            f"psnr_{name}": float(-10 * (x - clean).pow(2).mean((1, 2, 3)).clamp_min(1e-6).log10().mean())
            for name, x in (("dark", dark), ("lit", lit))
        }
        return {**figures, "grey": float(lit.mean())}

    def pictures(self, model: nn.Module) -> dict[str, Image.Image]:
        """Held-out crops darkened, in the light of the curves, and as they were."""
        clean, dark, lit = self._seen(model, 8)
        return {"curves": contact_sheet([[(to_pil(each), "") for each in row] for row in (dark, lit, clean)])}

    def _seen(self, model: nn.Module, count: int) -> tuple[Tensor, Tensor, Tensor]:
        random = np.random.default_rng(VALIDATION_SEED)
        clean = self.held_out.crops(random, count, self.size, self.reduction)
        dark = darken(clean, random)
        place = next(model.parameters()).device
        return clean, dark, curved(dark, model(dark.to(place)).float().cpu()).clamp(0, 1)
