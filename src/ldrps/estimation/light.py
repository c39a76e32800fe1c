"""What happened to the light of a picture: its tones, or the colour of its light."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ldrps.degradation import Pointwise, WhiteBalance
from ldrps.estimation.cast_posterior import CastPosterior
from ldrps.estimation.damage import Damage, Estimate
from ldrps.estimation.pooling import odds_with_prior
from ldrps.estimation.tone import estimate_tones

if TYPE_CHECKING:
    from ldrps.estimation.estimators import Estimators

# Of what is damaged, how much has a cast and nothing else. So none of 750 held-out pictures that are right is changed
# for its colours, and 79 of 165 with a cast are; with 0.1 two and 94, with 0.25 five and 115.
_CASTS = 0.05
# The logarithm of the odds that a change for the darker or the flatter was damage, before it is seen, and any other: of
# 425 held-out photographs with changes that are told by their levels, a quarter of which mended damage, these undo
# most of what was damage (`benchmarks/tone_traces.py`).
_TAKES_AWAY, _GIVES = 2.0, -math.log(3)
_LEVELS = 64
_SUREST = 1e-6  # nothing is surer than this leaves open
_GREY = 2 / 255  # of colour on average, less of which is no colour to judge by


@torch.no_grad()
def estimate_light(y: Tensor, estimators: Estimators, undamaged: float, traced: Pointwise | None = None) -> Damage:
    """What happened to the light of y [1, 3, H, W] in [0, 1], or of a small copy, as all judges of it say.

    Of a picture whose levels tell how a program changed it, it is known what it was before. The change was damage as
    much as the judges hold what it led to for likelier to be damaged than what it began with.

    Args:
        y: the picture.
        estimators: who is asked.
        undamaged: the probability that nothing was done, before the picture is seen.
        traced: how a program changed it, see `traced_tone`; None where that is not known.
    """
    judged = _judged(y, estimators, undamaged)
    if traced is None:
        return judged
    before = _judged(traced.invert(y).clamp(0, 1), estimators, undamaged)
    was_right = _log_odds(before) < 0  # else what was done before the change is undone, as far as it shows
    worse = _log_odds(judged) - _log_odds(before) + (_TAKES_AWAY if takes_away(traced) else _GIVES)
    change = Damage(Estimate(traced, 1 / (1 + math.exp(-worse))))
    return change if was_right and not change.absent else judged


def takes_away(tone: Pointwise) -> bool:
    """Whether it leaves a picture darker, or with less contrast."""
    levels = torch.linspace(0, 1, _LEVELS).expand(1, 3, 1, -1)
    after = tone(levels).clamp(0, 1)
    return bool(after.mean() < levels.mean()) or bool((after[..., -1] - after[..., 0]).mean() < 1)


def _log_odds(damage: Damage) -> float:
    """That the tones are damaged."""
    assert damage.tone is not None
    p = min(max(damage.tone.probability, _SUREST), 1 - _SUREST)
    return math.log(p / (1 - p))


def _judged(y: Tensor, estimators: Estimators, undamaged: float) -> Damage:
    """What the judges say of a picture by what is seen in it.

    Those of tones know all faults, and hardly see casts; that its light was taken for another counts where a judge
    of that alone is surer than they are of anything. What is grey has none.
    """
    damage = estimate_tones(y, estimators.tone, undamaged)
    if float((y - y.mean(1, keepdim=True)).abs().mean()) < _GREY:
        return damage
    logit, cast = cast_of(y, estimators.cast)
    probability = odds_with_prior(logit, _CASTS * (1 - undamaged), float(estimators.cast.config["casts"]))
    told, tone = Estimate(cast, probability), damage.tone
    assert tone is not None
    return damage if told.absent or tone.probability >= probability else Damage(told)


def cast_of(y: Tensor, judge: CastPosterior) -> tuple[Tensor, WhiteBalance]:
    """The logit that y [1, 3, H, W] has a cast, and what it is: the mean of what is said of y and its mirror image."""
    belief = judge(torch.cat([y, y.flip(-1)]))
    return belief.logit.mean(), WhiteBalance(belief.cast.gains.log().mean(0, keepdim=True).exp().cpu())
