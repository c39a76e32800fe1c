"""What happened to the light of a picture: its tones, haze over it, the colour of its light."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ldrps.degradation import Compose, LocalTone, WhiteBalance
from ldrps.estimation.cast_posterior import CastPosterior
from ldrps.estimation.damage import Damage, Estimate
from ldrps.estimation.haze_posterior import HazePosterior
from ldrps.estimation.pooling import odds_with_prior
from ldrps.estimation.tone import estimate_tones

if TYPE_CHECKING:
    from ldrps.estimation.estimators import Estimators

# Of what is damaged, how much has a cast and nothing else; with 0.25 one held-out photograph in a hundred is changed.
_CASTS = 0.1
_HAZY = 0.5  # of what is damaged, how much is hazy, where the judges of tones have seen that it is
_BESIDE = 0.5  # how much what the judge of haze tells counts beside their curves, where it is sure


@torch.no_grad()
def estimate_light(y: Tensor, estimators: Estimators, undamaged: float) -> Damage:
    """What all judges of light say of y [1, 3, H, W] in [0, 1], or of a small copy.

    The judges of tones know all faults; each of the others knows one, and better. That its light was taken for another
    counts where it is likelier than all that those believe: they hardly see casts. Haze they see as well as a judge of
    its own; what is behind it that one tells better, place by place, and the mean of both is better than either.

    Args:
        y: the picture.
        estimators: who is asked.
        undamaged: the probability that nothing was done, before the picture is seen.
    """
    damage = estimate_tones(y, estimators.tone, undamaged)
    tone = damage.tone
    assert tone is not None
    if estimators.cast is not None:
        logit, cast = cast_of(y, estimators.cast)
        probability = odds_with_prior(logit, _CASTS * (1 - undamaged), float(estimators.cast.config["casts"]))
        if probability > tone.probability:
            return Damage(Estimate(cast, probability))
    if estimators.haze is None or tone.absent:
        return damage
    logit, veil = haze_of(y, estimators.haze)
    local = Estimate(Compose((veil,)), odds_with_prior(logit, _HAZY, float(estimators.haze.config["hazy"])), _BESIDE)
    before = 0.0 if damage.local is None else damage.local.probability
    return damage if local.absent or local.probability <= before else Damage(tone, local=local)


def cast_of(y: Tensor, judge: CastPosterior) -> tuple[Tensor, WhiteBalance]:
    """The logit that y [1, 3, H, W] has a cast, and what it is: the mean of what is said of y and its mirror image."""
    belief = judge(torch.cat([y, y.flip(-1)]))
    return belief.logit.mean(), WhiteBalance(belief.cast.gains.log().mean(0, keepdim=True).exp().cpu())


def haze_of(y: Tensor, judge: HazePosterior) -> tuple[Tensor, LocalTone]:
    """The logit that there is haze over y [1, 3, H, W], and what it is, as of `cast_of`."""
    belief = judge(torch.cat([y, y.flip(-1)]))
    veil, (seen, mirrored) = belief.veil, belief.veil.log_gain.cpu()
    airlight, dark, bright = (torch.as_tensor(each).cpu() for each in (veil.pivot, veil.dark, veil.bright))
    airlight = airlight.mean(0, keepdim=True)
    return belief.logit.mean(), LocalTone((seen + mirrored.flip(-1)) / 2, airlight, float(dark[0]), float(bright[0]))
