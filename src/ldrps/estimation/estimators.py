"""The networks that judge damage. They belong to the package: every prior has them."""

from __future__ import annotations

import dataclasses
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch

from ldrps.errors import require
from ldrps.estimation import JUDGES, PACKAGED, SECOND_TONE, estimators_folder
from ldrps.estimation.blur_posterior import BlurPosterior
from ldrps.estimation.cast_posterior import CastPosterior
from ldrps.estimation.enlarger import Enlarger
from ldrps.estimation.noise_posterior import NoisePosterior
from ldrps.estimation.scratch_detector import ScratchDetector
from ldrps.estimation.tone import ToneJudge, TonePool, computing_in
from ldrps.estimation.tone_posterior import TonePosterior
from ldrps.prior.device import usable_device
from ldrps.prior.network import Network
from ldrps.prior.networks import load_network, on_device, save_network
from ldrps.prior.refusal import unusable

_Network = TypeVar("_Network", bound=Network)
Judge = TonePosterior | NoisePosterior | BlurPosterior | CastPosterior | ScratchDetector | Enlarger


@dataclass(frozen=True)
class Estimators:
    """What tells from a picture what happened to it.

    Attributes:
        name: where they are from, for records.
        tone: the judge of exposure, contrast, haze and colour, or a pool of such.
        noise: that of noise.
        blur: that of blur.
        cast: that of the light's colour alone, which is heard where it is surer.
        scratches: what finds them, and other marks.
        enlarger: what a small picture is expected to be when it is larger; None where nobody is asked.
    """

    name: str
    tone: ToneJudge
    noise: NoisePosterior
    blur: BlurPosterior
    cast: CastPosterior
    scratches: ScratchDetector
    enlarger: Enlarger | None = None

    def to(self, device: torch.device, precision: str = "float32") -> Estimators:
        """These, with copies on a device of those that are elsewhere; these themselves stay where they are.

        With a `precision` of bfloat16 light and blur are judged in it, where that does no harm: of 40 held-out
        photographs no probability of blur changes by 0.0003. It would round away the details that tell of noise. With
        any other, all is float32.
        """
        networks = {part: getattr(self, part) for part in JUDGES}
        there = {part: on_device(net, device) for part, net in networks.items() if net is not None}
        lower = torch.bfloat16 if precision == "bfloat16" else None
        there["tone"] = computing_in(lower, there["tone"])
        for part in ("cast", "blur"):
            there[part] = there[part].computing_in(lower)
        return dataclasses.replace(self, **there)


def load_estimators(name: str | Path = PACKAGED, *, device: str | torch.device = "cpu") -> Estimators:
    """Load the estimators of the package, or those that `ldrps train` put into a folder, the parts of `JUDGES`;
    what is not there is the package's.

    Raises:
        PriorError: a file is missing or broken, or the device cannot be used.
    """
    require(name, (str, Path), "the name of the estimators", f"give a folder, or {PACKAGED!r}")
    root, place = estimators_folder(name), usable_device(device, torch.float32)
    there = [part for part in JUDGES if os.path.isdir(root / part)]
    if not there:
        wanted = f"a folder that `ldrps train {JUDGES[0]}`, or that of another judge, wrote"
        raise unusable(
            root, f"no {'/, '.join(JUDGES[:-1])}/ or {JUDGES[-1]}/", wanted, "check the name, or leave it out"
        )
    packaged = estimators_folder(PACKAGED)
    homes = {part: root if part in there else packaged for part in JUDGES}

    def loaded(kind: type[_Network], part: str, folder: str | None = None) -> _Network:
        network = load_network(kind, homes[part], folder or part, device=place)
        # What convolutions like best: a fifth less time of the judges, half of the enlarger's.
        return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    tones = [loaded(TonePosterior, "tone")]
    if os.path.isdir(homes["tone"] / SECOND_TONE):
        tones.append(loaded(TonePosterior, "tone", SECOND_TONE))
    return Estimators(
        str(name),
        tones[0] if len(tones) == 1 else TonePool(*tones),
        loaded(NoisePosterior, "noise"),
        loaded(BlurPosterior, "blur"),
        loaded(CastPosterior, "cast"),
        loaded(ScratchDetector, "scratches"),
        loaded(Enlarger, "enlarger"),
    )


def save_estimator(root: Path, part: str, network: Judge) -> None:
    """Put a trained judge into a folder of estimators, in half precision."""
    save_network(network, root, part, torch.float16)
