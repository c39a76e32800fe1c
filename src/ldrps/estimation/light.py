"""What happened to the light of a picture: its tones, haze over it, the colour of its light."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ldrps.degradation import Compose, LocalTone, Pointwise, WhiteBalance
from ldrps.estimation.cast_posterior import CastPosterior
from ldrps.estimation.damage import Damage, Estimate
from ldrps.estimation.haze_posterior import HazePosterior
from ldrps.estimation.pooling import odds_with_prior
from ldrps.estimation.tone import estimate_tones

if TYPE_CHECKING:
    from ldrps.estimation.estimators import Estimators

_OF_DAMAGE = 0.5  # of what is damaged, how much has a fault that a judge of it alone looks for, before one is seen


@torch.no_grad()
def estimate_light(y: Tensor, estimators: Estimators, undamaged: float) -> Damage:
    """What all judges of light say of y [1, 3, H, W] in [0, 1], or of a small copy.

    The judges of tones know all faults; each of the others knows one, and better. That anything is wrong is as likely
    as that not all of them err. What is the same everywhere and what is not are told by those who are surest of it, and
    undone as a mean of both, by how likely each is: of held-out photographs with haze the mean has 0.4 and 0.6 dB more
    than either.

    Args:
        y: the picture.
        estimators: who is asked.
        undamaged: the probability that nothing was done, before the picture is seen.
    """
    told = estimate_tones(y, estimators.tone, undamaged)
    assert told.tone is not None
    nothing = 1 - told.tone.probability
    even: Estimate[Pointwise] = told.tone
    local, likeliest = told.local, 0.0 if told.local is None else told.local.probability * told.tone.probability
    for judge, ask, seen in _asked(estimators):
        logit, value = ask(y, judge)
        probability = odds_with_prior(logit, _OF_DAMAGE * (1 - undamaged), seen)
        nothing *= 1 - probability
        if isinstance(value, Pointwise):
            even = max(even, Estimate(value, probability), key=lambda each: each.probability)
        elif probability > likeliest:
            likeliest, local = probability, Estimate(value, probability / (probability + even.probability))
    tone = Estimate(even.value, 1 - nothing)
    return Damage(tone, local=None if local is None or local.absent else local)


Ask = Callable[[Tensor, Any], tuple[Tensor, Pointwise | Compose]]


def _asked(estimators: Estimators) -> list[tuple[Any, Ask, float]]:
    """The judges of one fault, how each is asked, and the share of pictures with it in its training."""
    told: list[tuple[Any, Ask, str]] = [(estimators.cast, cast_of, "casts"), (estimators.haze, haze_of, "hazy")]
    return [(judge, ask, float(judge.config[share])) for judge, ask, share in told if judge is not None]


def cast_of(y: Tensor, judge: CastPosterior) -> tuple[Tensor, WhiteBalance]:
    """The logit that y [1, 3, H, W] has a cast, and what it is: the mean of what is said of y and its mirror image."""
    belief = judge(torch.cat([y, y.flip(-1)]))
    return belief.logit.mean(), WhiteBalance(belief.cast.gains.log().mean(0, keepdim=True).exp().cpu())


def haze_of(y: Tensor, judge: HazePosterior) -> tuple[Tensor, Compose]:
    """The logit that there is haze over y [1, 3, H, W], and what it is, as of `cast_of`."""
    belief = judge(torch.cat([y, y.flip(-1)]))
    veil, (seen, mirrored) = belief.veil, belief.veil.log_gain.cpu()
    airlight, dark, bright = (torch.as_tensor(each).cpu() for each in (veil.pivot, veil.dark, veil.bright))
    airlight = airlight.mean(0, keepdim=True)
    field = LocalTone((seen + mirrored.flip(-1)) / 2, airlight, float(dark[0]), float(bright[0]))
    return belief.logit.mean(), Compose((field,))
