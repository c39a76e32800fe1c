"""What happened to the light of a picture: its tones, the haze over it, the colour of its light."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ldrps.degradation import Compose, LocalTone, UncertainTone, WhiteBalance
from ldrps.estimation.cast_posterior import CastPosterior
from ldrps.estimation.damage import Damage, Estimate
from ldrps.estimation.haze_posterior import HazePosterior
from ldrps.estimation.pooling import odds_with_prior
from ldrps.estimation.tone import ToneJudge, estimate_tone, estimate_tones

if TYPE_CHECKING:
    from ldrps.estimation.estimators import Estimators

_AMONG_DAMAGED = 0.5  # of pictures whose tones are wrong, how many are hazy, before one is seen


@torch.no_grad()
def estimate_light(y: Tensor, estimators: Estimators, undamaged: float) -> Damage:
    """What all judges of light say of y [1, 3, H, W] in [0, 1], or of a small copy.

    Args:
        y: the picture.
        estimators: who is asked.
        undamaged: the probability that nothing was done, before the picture is seen.
    """
    damage = estimate_tones(y, estimators.tone, undamaged)
    if estimators.haze is not None:
        damage = with_haze(damage, y, estimators.haze, estimators.tone, undamaged)
    return damage if estimators.cast is None else with_cast(damage, y, estimators.cast, undamaged)


def with_haze(damage: Damage, y: Tensor, judge: HazePosterior, tones: ToneJudge, undamaged: float) -> Damage:
    """The damage that the judges of `tones` tell, where it may be haze that differs from place to place, and what is
    wrong with the tones behind that.
    """
    logit, veil = haze_of(y, judge)
    tone, seen = damage.tone, float(judge.config["hazy"])
    assert tone is not None
    # Haze is one of the ways in which anything is wrong; if anything is, it is as likely as not before it is seen.
    anything = 1 - (1 - tone.probability) * (1 - odds_with_prior(logit, 1 - undamaged, seen))
    local = Estimate(Compose((veil,)), odds_with_prior(logit, _AMONG_DAMAGED, seen))
    tone = Estimate(tone.value, anything)
    if tone.absent or local.absent:
        return damage
    behind = estimate_tone(veil.invert(y).clamp(0, 1), tones, undamaged)
    if not behind.absent:
        local = Estimate(Compose((_or_nothing(behind), veil)), local.probability)
    return Damage(tone, local=local)


def with_cast(damage: Damage, y: Tensor, judge: CastPosterior, undamaged: float) -> Damage:
    """The damage that others tell, or, where that is likelier, that the colour of the light was taken for another."""
    logit, cast = cast_of(y, judge)
    probability = odds_with_prior(logit, 1 - undamaged, float(judge.config["casts"]))
    if damage.tone is not None and damage.tone.probability >= probability:
        return damage
    return dataclasses.replace(damage, tone=Estimate(cast, probability), local=None)


def cast_of(y: Tensor, judge: CastPosterior) -> tuple[Tensor, WhiteBalance]:
    """The logit that y [1, 3, H, W] has a cast, and what it is: the mean of what is said of y and its mirror image."""
    belief = judge(torch.cat([y, y.flip(-1)]))
    return belief.logit.mean(), WhiteBalance(belief.cast.gains.log().mean(0, keepdim=True).exp().cpu())


def haze_of(y: Tensor, judge: HazePosterior) -> tuple[Tensor, LocalTone]:
    """The logit that there is haze over y [1, 3, H, W], and what it is: the mean as of `cast_of`."""
    belief = judge(torch.cat([y, y.flip(-1)]))
    veil, (seen, mirrored) = belief.veil, belief.veil.log_gain.cpu()
    airlight, dark, bright = (torch.as_tensor(each).cpu() for each in (veil.pivot, veil.dark, veil.bright))
    grid = (seen + mirrored.flip(-1)) / 2
    return belief.logit.mean(), LocalTone(grid, airlight.mean(0, keepdim=True), float(dark[0]), float(bright[0]))


def _or_nothing(tone: Estimate[UncertainTone]) -> UncertainTone:
    """What may have happened to the tones, and, as likely as it is, that nothing did."""
    value = tone.value
    gain, offset, gamma = (
        torch.cat([each, torch.full_like(each[:1], neutral)])
        for each, neutral in ((value.gain, 1.0), (value.offset, 0.0), (value.gamma, 1.0))
    )
    weights = tone.share * value.weights / value.weights.sum()
    return UncertainTone(gain, offset, gamma, torch.cat([weights, weights.new_tensor([1 - tone.share + 1e-6])]))
