"""What happened to the light of a picture: its tones, haze over it, too little light, another colour of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ldrps.degradation import Compose, LocalTone, Pointwise, Tone, WhiteBalance
from ldrps.estimation.cast_posterior import CastPosterior
from ldrps.estimation.damage import Damage, Estimate
from ldrps.estimation.exposure_posterior import ExposurePosterior
from ldrps.estimation.haze_posterior import HazePosterior
from ldrps.estimation.pooling import odds_with_prior
from ldrps.estimation.tone import estimate_tones

if TYPE_CHECKING:
    from ldrps.estimation.estimators import Estimators


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
        probability = odds_with_prior(logit, 1 - undamaged, seen)
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
    cast, exposure, haze = estimators.cast, estimators.exposure, estimators.haze
    told: list[tuple[Any, Ask, str]] = [
        (cast, cast_of, "casts"), (exposure, exposure_of, "wrong"), (haze, haze_of, "hazy")
    ]  # fmt: skip
    return [(judge, ask, float(judge.config[share])) for judge, ask, share in told if judge is not None]


def cast_of(y: Tensor, judge: CastPosterior) -> tuple[Tensor, WhiteBalance]:
    """The logit that y [1, 3, H, W] has a cast, and what it is: the mean of what is said of y and its mirror image."""
    belief = judge(_both_ways(y))
    return belief.logit.mean(), WhiteBalance(_geometric_mean(belief.cast.gains))


def exposure_of(y: Tensor, judge: ExposurePosterior) -> tuple[Tensor, Compose]:
    """The logit that there is too little or too much light in y [1, 3, H, W], and how much, as of `cast_of`."""
    belief = judge(_both_ways(y))
    tint = Tone(_geometric_mean(torch.as_tensor(belief.tint.gain)))
    return belief.logit.mean(), Compose((tint, _of_both(belief.light)))


def haze_of(y: Tensor, judge: HazePosterior) -> tuple[Tensor, Compose]:
    """The logit that there is haze over y [1, 3, H, W], and what it is, as of `cast_of`."""
    belief = judge(_both_ways(y))
    return belief.logit.mean(), Compose((_of_both(belief.veil),))


def _both_ways(y: Tensor) -> Tensor:
    return torch.cat([y, y.flip(-1)])


def _geometric_mean(gains: Tensor) -> Tensor:
    return gains.log().mean(0, keepdim=True).exp().cpu()


def _of_both(field: LocalTone) -> LocalTone:
    """The mean of what is told of a picture and of its mirror image, of which neither is brighter."""
    seen, mirrored = field.log_gain.cpu()
    pivot, dark, bright = (torch.as_tensor(each).cpu() for each in (field.pivot, field.dark, field.bright))
    pivot = pivot.mean(0, keepdim=True) if pivot.ndim else pivot
    return LocalTone((seen + mirrored.flip(-1)) / 2, pivot, float(dark[0]), float(bright[0]))
