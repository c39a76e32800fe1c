"""Whether a picture's tones were damaged, and the picture with that undone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ldrps.prior.tiny.tone import ToneCurve, TonePosterior


@dataclass(frozen=True)
class ToneFinding:
    """The curve that a prior believes in, and how much of it the evidence allows.

    Attributes:
        curve: the posterior mean.
        amount: 0 (the change is no larger than what the prior makes of undamaged pictures) to 1.
    """

    curve: ToneCurve
    amount: float

    def undo(self, images: Tensor) -> Tensor:
        """Images [1, 3, H, W] in [0, 1] with the damage to their tones undone, in [0, 1]."""
        return torch.lerp(images, self.curve.invert(images).clamp(0, 1), self.amount)

    def report(self) -> dict[str, Any]:
        """The curve in figures, per channel: y = gain * x ** (1 / gamma) + offset."""
        fields = {"gain": self.curve.gain, "offset": self.curve.offset, "gamma": self.curve.gamma}
        return {"amount": round(self.amount, 3)} | {
            name: [round(value, 4) for value in values[0].tolist()] for name, values in fields.items()
        }


@torch.no_grad()
def find_tone(y: Tensor, posterior: TonePosterior, strength: float) -> ToneFinding:
    """Ask the prior about y [1, 3, H, W] in [0, 1]. `strength` scales the answer; 0 leaves tones alone.

    "No damage" is a hypothesis that has to be beaten: below the change that the posterior makes of one undamaged
    photograph in ten nothing is done, from twice that change on all is, with a linear ramp between.
    """
    curve = posterior(y)
    change = float((curve.invert(y).clamp(0, 1) - y).pow(2).mean().sqrt())
    tolerance = float(posterior.config["tolerance"])
    evidence = (change - tolerance) / tolerance if tolerance else 1.0
    return ToneFinding(curve, strength * min(max(evidence, 0.0), 1.0))
