"""Whether a picture's tones were damaged, and the picture with that undone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ldrps.estimation.tone_posterior import ToneBelief, ToneField, TonePosterior

LEVELS = 1025  # of a table: four steps to one of 8 bits, as a dark picture lives in a few of them
_BLACK = 0.02
# Parts of a picture that are asked about beside the whole: left, top and size, as fractions of its sides.
_PARTS = ((0.0, 0.0, 1.0), (0.0, 0.0, 0.8), (0.2, 0.0, 0.8), (0.0, 0.2, 0.8), (0.2, 0.2, 0.8), (0.1, 0.1, 0.8))


@dataclass(frozen=True)
class ToneFinding:
    """What a prior believes was done to a picture's tones.

    Attributes:
        table: the clean value that is expected for each of `LEVELS` damaged ones from 0 to 1, per channel [3, LEVELS].
        undamaged: the probability that nothing was done.
        amount: how much of the expected change is made, 0 to 1.
        field: what is uneven about the damage; it is undone before the table is looked up.
    """

    table: Tensor
    undamaged: float
    amount: float
    field: ToneField | None = None

    def undo(self, images: Tensor) -> Tensor:
        """Images [1, 3, H, W] in [0, 1] with the damage to their tones undone, in [0, 1]."""
        if self.amount == 0:
            return images.clone()
        even = images if self.field is None else self.field.remove(images)
        return torch.lerp(images, self._looked_up(even), self.amount)

    def report(self) -> dict[str, Any]:
        """In figures: the probability of no damage, how much was undone, what black, grey and white become, the level
        below which all was taken for black, and the deviation over the picture of the logarithm of the light.
        """
        levels = {"black": 0, "grey": LEVELS // 2, "white": LEVELS - 1}
        becomes = {name: [round(value, 4) for value in self.table[:, k].tolist()] for name, k in levels.items()}
        facts = {"undamaged": round(self.undamaged, 3), "amount": round(self.amount, 3), **becomes}
        facts["veil"] = round(float((self.table.mean(0) < _BLACK).sum()) / LEVELS, 3)
        if self.field is not None:
            facts["uneven"] = round(float(self.field.log_gain.std()), 3)
        return facts

    def _looked_up(self, images: Tensor) -> Tensor:
        clean = torch.empty_like(images)
        for channel, table in enumerate(self.table.to(images.device)):  # one by one: the indices are large
            place = images[:, channel].clamp(0, 1) * (LEVELS - 1)
            below = place.floor().clamp_max(LEVELS - 2)
            index = below.long()
            clean[:, channel] = torch.lerp(table[index], table[index + 1], place - below)
        return clean


@torch.no_grad()
def find_tone(
    y: Tensor,
    posterior: TonePosterior,
    strength: float,
    undamaged: float,
    unevenness: float = 0.0,
    draw: torch.Generator | None = None,
) -> ToneFinding:
    """Ask the prior about y [1, 3, H, W] in [0, 1]. `strength` scales the answer; 0 leaves tones alone.

    What was done to a picture was done to its parts: the prior is asked about several, and about their mirror images,
    and its beliefs are averaged. "No damage" is a hypothesis that has to be beaten, and `undamaged` is its probability
    before the picture is seen: where it is likelier than 3 to 1 nothing is done, where less than 1 to 3 all is, with a
    linear ramp between.

    What is uneven is asked of the whole picture only, and `unevenness` scales that answer.

    With a generator `draw` one of the answers is drawn, instead of the mean of all: that of one part, one hypothesis,
    and all or nothing of it where it is between.
    """
    belief = posterior(_parts(y, int(posterior.config["thumbnail"])))
    field = None
    if belief.field is not None and unevenness > 0:
        field = _of_whole(belief.field, len(belief.weights) // 2, unevenness)
    seen = float(posterior.config["undamaged"])  # the share among the pictures that it was trained on
    probability = _with_prior(float(belief.weights[:, 0].mean()), undamaged, seen)
    amount = strength * min(max(1.5 - 2 * probability, 0.0), 1.0)
    if draw is not None:
        part = int(torch.randint(len(belief.weights), (), generator=draw))
        belief = belief.only(part, 1 + int(torch.multinomial(belief.weights[part, 1:].cpu(), 1, generator=draw)))
        amount = strength * float(torch.rand((), generator=draw) * strength < amount)
    levels = torch.linspace(0, 1, LEVELS, device=y.device).expand(len(belief.weights), 3, 1, LEVELS)
    return ToneFinding(_expected(belief, levels), probability, amount, field)


def _of_whole(field: ToneField, mirrored: int, share: float) -> ToneField:
    """The mean of what was said of the whole picture, the first, and of its mirror image, number `mirrored`."""
    pivot = (field.pivot[:1] + field.pivot[mirrored : mirrored + 1]) / 2
    return ToneField(pivot, share * (field.log_gain[:1] + field.log_gain[mirrored : mirrored + 1].flip(3)) / 2)


def _with_prior(probability: float, prior: float, seen: float) -> float:
    """Bayes' rule with another prior probability than the one that was seen in training."""
    yes, no = probability * prior / seen, (1 - probability) * (1 - prior) / (1 - seen)
    return yes / (yes + no)


def _expected(belief: ToneBelief, levels: Tensor) -> Tensor:
    """The clean values [3, L] of levels [B, 3, 1, L], given that there was damage: the mean over all beliefs."""
    weights = belief.weights[:, 1:] / belief.weights[:, 1:].sum()
    undone = replace(belief, field=None).undone(levels)[:, 1:, :, 0].clamp(0, 1)  # [B, K, 3, L]
    return torch.einsum("bk,bkcl->cl", weights, undone).clamp(0, 1)  # the weights' sum is rounded


def _parts(y: Tensor, size: int) -> Tensor:
    """Thumbnails [12, 3, size, size] of y [1, 3, H, W]: the whole, five parts, and these mirrored."""
    height, width = y.shape[-2:]
    parts = []
    for left, top, share in _PARTS:
        row, column = int(top * height), int(left * width)
        part = y[..., row : row + int(share * height), column : column + int(share * width)]
        parts.append(F.interpolate(part, (size, size), mode="area"))
    seen = torch.cat(parts)
    return torch.cat([seen, seen.flip(3)])
