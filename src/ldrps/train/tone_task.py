"""What the tone posterior learns: what random damage was done to the tones of a picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from ldrps.estimation.tone_posterior import ToneBelief, TonePosterior
from ldrps.image.arrays import to_pil
from ldrps.image.sheet import contact_sheet
from ldrps.train.loop import VALIDATION_SEED
from ldrps.train.measures import psnr, rms
from ldrps.train.photos import Photographs
from ldrps.train.tones import DETAILS, EVEN, FAMILIES, DamagedTones, damage_tones, detail


@dataclass(frozen=True)
class ToneTask:
    """Telling what random damage was done to the tones of small pictures.

    The loss is the negative log likelihood of the mixture, for which its hypotheses must differ where the truth may,
    the error of the picture that is expected of it, which is what a restoration shows, and the cross entropy of whether
    anything was done at all, the same everywhere or not, which decides what is undone.
    """

    train: Photographs
    held_out: Photographs
    batch: int = 48
    size: int = 128
    reduction: tuple[float, float] = (1.5, 6.0)  # from details of walls and skies to whole scenes
    expected_error: float = 5.0
    decision: float = 0.5
    families: Mapping[str, float] = field(default_factory=lambda: FAMILIES)  # of the damage, with their shares
    details: float = DETAILS  # of the pictures, which show a part of a scene
    unusual: bool = True  # whether what is right as it is may be no photograph
    turned: float = 0.25  # of the batches, as a picture may lie on its side

    def loss(self, model: nn.Module, random: np.random.Generator) -> Tensor:
        assert isinstance(model, TonePosterior)
        clean = self.train.crops(random, self.batch, self.size, self.reduction)
        for index in np.flatnonzero(random.random(len(clean)) < self.details):
            clean[index] = detail(clean[index : index + 1], random)[0]
        damaged = damage_tones(clean, random, self.families, unusual=self.unusual).to(next(model.parameters()).device)
        if random.random() < self.turned:
            damaged = damaged.turned(int(random.integers(1, 4)))
        belief = model(damaged.seen)
        clean, exact = (each[..., ::2, ::2] for each in (damaged.clean, damaged.exact))
        undone = belief.undone(exact).clamp(-0.5, 1.5)  # noise is not the curves' to answer for
        white = (clean[:, None] >= 1) & (undone > 1)  # which is bound from one side only
        errors = rms(torch.where(white, 0.0, undone - clean[:, None]))  # [B, K + 1]
        expected = torch.einsum("bk,bkchw->bchw", belief.weights, undone.clamp(0, 1))
        kind = damaged.kind if belief.uneven else damaged.kind.clamp(max=EVEN)
        decided = -belief.kinds.gather(1, kind[:, None])[:, 0].log()
        likelihood = belief.log_likelihood(errors)
        return (self.expected_error * rms(expected - clean) - likelihood + self.decision * decided).mean()

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Of held-out pictures: PSNR in dB of the expected clean one for those that were damaged, for each family, and
        for those that were not; and the mean probability of no damage that these are given.
        """
        figures = {}
        for family in FAMILIES:
            damaged, belief = self._judged(model, 64, family)
            figures[family] = float(psnr(belief.expected(damaged.exact), damaged.clean).mean())
        for name, pictures in (("unusual", self._judged(model, 128, None)), ("photos", self._photos(model))):
            damaged, belief = pictures
            figures[f"psnr_{name}"] = float(psnr(belief.expected(damaged.exact), damaged.clean).mean())
            figures[f"nothing_{name}"] = float(belief.weights[:, 0].mean())
        return figures

    def pictures(self, model: nn.Module) -> dict[str, Image.Image]:
        """Held-out pictures, damaged, as expected, and as they were."""
        rows: list[list[tuple[Image.Image, str]]] = [[], [], []]
        for family in FAMILIES:
            damaged, belief = self._judged(model, 3, family)
            sides = (damaged.seen, belief.expected(damaged.exact), damaged.clean)
            for row, side in zip(rows, sides, strict=True):
                row += [(to_pil(each), family) for each in side]
        return {"tones": contact_sheet(rows)}

    def _judged(self, model: nn.Module, count: int, family: str | None) -> tuple[DamagedTones, ToneBelief]:
        """Held-out pictures, all damaged by a family, or, None, none of them, and what is believed of them."""
        random = np.random.default_rng(VALIDATION_SEED)
        clean = self.held_out.crops(random, count, self.size, self.reduction)
        families, undamaged = ({family: 1.0}, 0.0) if family else (FAMILIES, 1.0)
        damaged = damage_tones(clean, random, families, undamaged).to(next(model.parameters()).device)
        return damaged, model(damaged.seen)

    def _photos(self, model: nn.Module) -> tuple[DamagedTones, ToneBelief]:
        """Held-out photographs as they are."""
        random = np.random.default_rng(VALIDATION_SEED)
        clean = self.held_out.crops(random, 128, self.size, self.reduction).to(next(model.parameters()).device)
        return DamagedTones.none(clean), model(clean)
