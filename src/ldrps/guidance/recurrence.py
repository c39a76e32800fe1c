"""LD-RPS on any prior: rounds of guided chains over a small copy of a picture, each from the mean of the one before."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ldrps.degradation import Curve
from ldrps.guidance.domain import CleanDomain, clean_domain
from ldrps.guidance.numbers import RecurrentNumbers
from ldrps.guidance.recurrent import RecurrentPosterior
from ldrps.image.pad import pad_to_multiple
from ldrps.image.transfer import reduced
from ldrps.prior.base import Prior
from ldrps.sampling.chains import Step, proximal_chain
from ldrps.sampling.denoiser import denoiser_for
from ldrps.sampling.noise import draw
from ldrps.sampling.schedule import Schedule


@dataclass(frozen=True)
class Recurred:
    """What came of a picture's small copy.

    Attributes:
        small: the copy of the degraded picture, [1, 3, h, w] in [0, 1].
        restored: the mean over chains and rounds, [1, 3, h, w] in [0, 1].
        psi: the degradation that was learned.
        findings: about the damage, as plain data.
    """

    small: Tensor
    restored: Tensor
    psi: Curve
    findings: dict[str, Any]

    def undo(self, y: Tensor) -> Tensor:
        """The picture y [1, 3, H, W], of any size, with psi undone, in [0, 1].

        Its noise is as strong as undoing makes it, for a denoiser at its own size. What the chain changed in the copy
        beyond psi is not carried over: of noisy photographs the denoiser then made 33.5 dB instead of 34.5.
        """
        return self.psi.invert(y.clamp(0, 1))


def recur(
    y: Tensor, prior: Prior, numbers: RecurrentNumbers, seed: int, caption: str = "", domain: CleanDomain | None = None
) -> Generator[Step, None, Recurred]:
    """Restore a small copy of y [1, 3, H, W] in [0, 1], step by step.

    Args:
        y: the degraded picture, of any size.
        prior: of undamaged pictures.
        numbers: weights, rates, timetable.
        seed: of all that is drawn.
        caption: what it should show, for a prior that knows text.
        domain: free samples of the prior; None takes those of `clean_domain`.
    """
    generator = torch.Generator().manual_seed(seed)
    small, crop = pad_to_multiple(reduced(y, numbers.side), prior.size_multiple)
    small = small.to(prior.device)
    posterior = RecurrentPosterior(small, prior, domain or clean_domain(prior), numbers, generator)
    denoise = denoiser_for(prior, caption, "", numbers.text_scale)
    schedule = Schedule(prior.alphas_cumprod)
    shape = (numbers.chains, prior.latent_channels, *(side // prior.factor for side in small.shape[-2:]))
    timesteps = schedule.spaced(len(schedule) - 1, numbers.steps)
    again = [t for t in timesteps if schedule.sigma(t) <= numbers.strength] or timesteps[-1:]  # from gamma T
    z = draw(shape, generator, prior.device)
    ends: list[Tensor] = []
    for number in range(numbers.recurrences + 1):
        if number:  # section 3.3: the result of a round, with fresh noise, is the start of the next
            z = schedule.compose(torch.stack(ends).mean((0, 1))[None], draw(shape, generator, z.device), again[0])
        z = yield from proximal_chain(denoise, posterior.agree, schedule, z, again if number else timesteps)
        ends.append(z)
    with torch.no_grad():
        restored = prior.decode(torch.cat(ends)).mean(0, keepdim=True).clamp(0, 1)
    findings = {"damaged": round(posterior.w, 3), "evidence": round(posterior.evidence, 4)}
    return Recurred(crop(small), crop(restored), posterior.psi.curve.curve(), findings)
