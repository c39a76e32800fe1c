"""The networks that judge damage. They belong to the package: every prior has them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from ldrps.estimation import PACKAGED, estimators_folder
from ldrps.estimation.tone_posterior import TonePosterior
from ldrps.prior.device import usable_device
from ldrps.prior.networks import load_network, save_network
from ldrps.prior.refusal import unusable


@dataclass(frozen=True)
class Estimators:
    """What tells from a picture what happened to it.

    Attributes:
        name: where they are from, for records.
        tone: the judge of exposure, contrast, colour and haze.
    """

    name: str
    tone: TonePosterior

    def to(self, device: torch.device) -> Estimators:
        """These, moved to a device."""
        self.tone.to(device)
        return self


def load_estimators(name: str | Path = PACKAGED, *, device: str | torch.device = "cpu") -> Estimators:
    """Load the estimators of the package, or those that `ldrps train tone` put into a folder.

    Raises:
        PriorError: a file is missing or broken, or the device cannot be used.
    """
    root, place = estimators_folder(name), usable_device(device, torch.float32)
    if not (root / "tone").is_dir():
        raise unusable(root, "no tone/", "a folder that `ldrps train tone` wrote", "check the name, or leave it out")
    return Estimators(str(name), load_network(TonePosterior, root, "tone", device=place))


def save_tone(root: Path, tone: TonePosterior) -> None:
    """Put a trained judge of tone into a folder of estimators, in half precision."""
    save_network(tone, root, "tone", torch.float16)
