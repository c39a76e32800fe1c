"""What the detector of scratches learns: which pixels of a print are hidden by marks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from ldrps.estimation.scratch_detector import ScratchDetector
from ldrps.image.arrays import to_pil
from ldrps.image.sheet import contact_sheet
from ldrps.train.loop import VALIDATION_SEED
from ldrps.train.photos import Photographs
from ldrps.train.scratches import Scratched, scratch_some


@dataclass(frozen=True)
class ScratchTask:
    """Telling marks from what was there, pixel by pixel: cross entropy, and the overlap (Dice), as marks are rare."""

    train: Photographs
    held_out: Photographs
    batch: int = 10
    size: int = 128
    reduction: tuple[float, float] = (1.0, 2.5)
    overlap: float = 1.0  # weight of Dice
    hidden: float = 1.5  # weight of a pixel that is hidden, of which there are few

    def loss(self, model: nn.Module, random: np.random.Generator) -> Tensor:
        assert isinstance(model, ScratchDetector)
        scratched = self.examples(self.train, self.batch, random)
        place = next(model.parameters()).device
        logits = model(scratched.seen.to(place))
        lost, counts = scratched.lost.to(place), scratched.counts.to(place)
        entropy = F.binary_cross_entropy_with_logits(logits, lost, weight=counts * (1 + (self.hidden - 1) * lost))
        found = counts * logits.sigmoid()
        overlap = (2 * (found * lost).sum() + 1) / (found.sum() + (counts * lost).sum() + 1)
        return 10 * entropy + self.overlap * (1 - overlap)

    def examples(self, photos: Photographs, count: int, random: np.random.Generator) -> Scratched:
        with torch.autocast("cpu", enabled=False):  # bfloat16 rounds faint marks away
            return scratch_some(photos.crops(random, count, self.size, self.reduction), random)

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Of held-out pictures, in per cent: of the hidden pixels those that are found, of the found ones those that
        are hidden; and of pictures without a mark the pixels that are taken for hidden, and the pictures with any.
        """
        assert isinstance(model, ScratchDetector)
        scratched = self.examples(self.held_out, 160, np.random.default_rng(VALIDATION_SEED))
        place = next(model.parameters()).device
        told = torch.cat([model(part.to(place)).sigmoid().cpu() for part in scratched.seen.split(16)])
        found, lost = (told > 0.5) & (scratched.counts > 0), scratched.lost > 0
        clean = ~lost.flatten(1).any(1) & (scratched.counts > 0).flatten(1).all(1)
        return {
            "recall": 100 * float(found[lost].float().mean()),
            "precision": 100 * float(lost[found].float().mean()) if bool(found.any()) else 0.0,
            "false_alarm": 100 * float(found[clean].float().mean()),
            "pictures": 100 * float(found[clean].flatten(1).any(1).float().mean()),
        }

    def pictures(self, model: nn.Module) -> dict[str, Image.Image]:
        """Held-out pictures, what is believed to be hidden in them, and what is."""
        assert isinstance(model, ScratchDetector)
        scratched = self.examples(self.held_out, 10, np.random.default_rng(VALIDATION_SEED))
        told = model(scratched.seen.to(next(model.parameters()).device)).sigmoid().cpu()
        sides = (scratched.seen, told.expand(-1, 3, -1, -1), scratched.lost.expand(-1, 3, -1, -1))
        return {"scratches": contact_sheet([[(to_pil(each), "") for each in side] for side in sides])}
