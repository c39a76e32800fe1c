"""What a picture is expected to have been before anything happened to it: the clean domain of its own chain."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ldrps.degradation import Compose, UncertainTone
from ldrps.degradation.base import Degradation
from ldrps.estimation.damage import Estimate
from ldrps.estimation.psi import MonotoneCurve
from ldrps.guidance.domain import CleanDomain, quantiles
from ldrps.guidance.evidence import evidence
from ldrps.prior.base import Prior
from ldrps.settings import Loop


@dataclass(frozen=True)
class Expected:
    """The clean domain that psi learns from, for one picture y.

    Attributes:
        quantiles: of each channel of the clean picture, [3, LEVELS], rising: where it is unsure that y is a degraded
            one, the mean of both possibilities.
        start: what psi starts as, of each value by itself.
        damaged: the gate w, from 0, y is no degraded picture and psi stays the identity, to 1.
    """

    quantiles: Tensor
    start: Degradation
    damaged: float


def expected(
    y: Tensor,
    prior: Prior,
    domain: CleanDomain,
    numbers: Loop,
    judged: Estimate[UncertainTone] | None = None,
    random: torch.Generator | None = None,
) -> Expected:
    """Of y [1, 3, H, W] in [0, 1], told by a judge, or by the prior alone where there is none.

    Args:
        y: the degraded picture.
        prior: of undamaged pictures.
        domain: its free samples.
        numbers: how much the judge counts, and the rest.
        judged: what may have been done to y, and how likely it is that anything was. Even a good judge gains a little
            by being drawn towards what is usual.
        random: of one expectation that is as likely as others; None for the mean of all.
    """
    seen = quantiles(y)[0].cpu()
    if judged is None:
        found = _by_free_samples(y, prior, domain if random is None else domain.drawn(1, random), numbers)
    else:
        found = _by_judge(seen, domain, numbers, judged, random)
    w = found.damaged if numbers.gate is None else numbers.gate
    if random is not None:  # all or nothing of it
        w = float(float(torch.rand((), generator=random)) < w)
    return Expected(torch.lerp(seen, found.quantiles, w).to(y.device), found.start if w else Compose(), w)


def _by_free_samples(y: Tensor, prior: Prior, domain: CleanDomain, numbers: Loop) -> Expected:
    """Like the free samples on average, and damaged if the prior finds it likelier with psi's start undone."""
    start = domain.line_to(y)
    told = evidence(prior, y, MonotoneCurve(max(numbers.knots, 2), start).curve())
    above = (told - numbers.undamaged) / (numbers.damaged - numbers.undamaged)
    return Expected(domain.typical, start, min(max(above, 0.0), 1.0))


def _by_judge(
    seen: Tensor, domain: CleanDomain, numbers: Loop, judged: Estimate[UncertainTone], random: torch.Generator | None
) -> Expected:
    """A curve that rises takes quantiles to quantiles: those of the clean picture are y's, `seen`, with it undone."""
    if random is None:
        undone = judged.value.invert(seen[None, :, None])[0, :, 0]
        return Expected(torch.lerp(domain.typical, undone, numbers.judged), judged.value, judged.share)
    # Hypotheses are a few means and lie too close: how natural pictures differ from each other is taken from one of
    # the free samples.
    tone = judged.value.drawn(random)
    apart = numbers.apart * (domain.drawn(1, random).typical - domain.typical)
    drawn = (tone.invert(seen[None, :, None])[0, :, 0] + apart).clamp(0, 1)
    return Expected(drawn.sort(-1).values, tone, judged.share)
