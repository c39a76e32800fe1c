"""Whether a picture's tones were damaged, and how."""

from __future__ import annotations

import dataclasses
import math
import operator
from collections.abc import Sequence
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ldrps.degradation import Compose, LocalTone, UncertainTone
from ldrps.estimation.damage import Damage, Estimate
from ldrps.estimation.pooling import with_prior
from ldrps.estimation.tone_posterior import ToneBelief, TonePosterior

# Parts of a picture that are asked about beside the whole: left, top and size, as fractions of its sides.
_PARTS = ((0.0, 0.0, 1.0), (0.1, 0.1, 0.8))
_SUREST = 1e-6  # nothing is surer than this leaves open
Way = tuple[int, bool]  # quarter turns, and then mirrored or not
_MIRRORED: tuple[Way, ...] = ((0, False), (0, True))
_TURNED: tuple[Way, ...] = tuple((quarters, False) for quarters in range(4))


class TonePool(nn.Module):
    """Several judges of tone, whose beliefs are pooled: they learned from other damage, and err on other pictures."""

    def __init__(self, *judges: TonePosterior) -> None:
        super().__init__()
        self.judges = nn.ModuleList(judges)

    @property
    def device(self) -> torch.device:
        return newest(self).device


ToneJudge = TonePosterior | TonePool


def oldest(judge: ToneJudge) -> TonePosterior:
    """The judge itself, or the first of a pool."""
    return cast(TonePosterior, judge.judges[0]) if isinstance(judge, TonePool) else judge


def newest(judge: ToneJudge) -> TonePosterior:
    """The judge itself, or the last of a pool."""
    return cast(TonePosterior, judge.judges[-1]) if isinstance(judge, TonePool) else judge


def computing_in(lower: torch.dtype | None, judge: ToneJudge) -> ToneJudge:
    """The judge, or each of a pool, in another precision; see `Network.computing_in`; itself if it does so."""
    if not isinstance(judge, TonePool):
        return judge.computing_in(lower)
    judges = [cast(TonePosterior, each).computing_in(lower) for each in judge.judges]
    return judge if all(map(operator.is_, judges, judge.judges)) else TonePool(*judges)


@torch.no_grad()
def estimate_tones(y: Tensor, judge: ToneJudge, undamaged: float) -> Damage:
    """What may have been done to the tones of y [1, 3, H, W] in [0, 1], and how likely it is that anything was.

    What was done to a picture was done to its middle, and to both however they are turned: a judge is asked about all,
    or, if it has not met pictures on their side, about them mirrored, and its beliefs are averaged. What differs from
    place to place is told of the whole alone.

    Of several judges the odds that anything was done are the geometric mean (a logarithmic opinion pool, Genest and
    Zidek 1986), and each tells as much of what it was as it is sure.

    Args:
        y: the picture, or a small copy.
        judge: who is asked.
        undamaged: the probability that nothing was done, before the picture is seen.
    """
    if not isinstance(judge, TonePool):
        return _asked(y, judge, undamaged)
    return _pooled([_asked(y, cast(TonePosterior, each), undamaged) for each in judge.judges])


def _asked(y: Tensor, posterior: TonePosterior, undamaged: float) -> Damage:
    """What one judge says."""
    ways = _TURNED if posterior.config["turned"] else _MIRRORED
    belief = posterior(_parts(y, 2 * int(posterior.config["thumbnail"]), ways), len(ways))
    seen = float(posterior.config["undamaged"])  # the share among the pictures that it was trained on
    damaged = float(with_prior(belief.kinds.mean(0, keepdim=True), undamaged, seen)[0, 1:].sum())
    even = len(belief.curves) - belief.uneven
    tone = Estimate(_tones(belief, range(even), slice(None)), damaged)
    if belief.field is None:
        return Damage(tone)
    kinds = belief.kinds.mean(0)
    uneven = float(kinds[2] / kinds[1:].sum())
    wholes = slice(None, None, len(_PARTS))  # the whole, every way round
    tones = _tones(belief, range(even, len(belief.curves)), wholes)
    local = Estimate(Compose((tones, _field(belief.field, wholes, ways))), uneven)
    return Damage(tone, local=None if local.absent else local)


def _pooled(told: Sequence[Damage]) -> Damage:
    """What several judges say together; what is uneven is told by the first that says so, as far as it is believed."""
    tones = [(each.tone.value, each.tone.probability) for each in told if each.tone is not None]
    log_odds = [math.log(max(p, _SUREST) / max(1 - p, _SUREST)) for _, p in tones]
    probability = 1 / (1 + math.exp(-sum(log_odds) / len(log_odds)))
    curves = [value for value, _ in tones if isinstance(value, UncertainTone)]
    gain, offset, gamma = (
        torch.cat([torch.as_tensor(getattr(curve, name)) for curve in curves]) for name in ("gain", "offset", "gamma")
    )
    weights = torch.cat([p * curve.weights / curve.weights.sum() for curve, (_, p) in zip(curves, tones, strict=True)])
    tone = Estimate(UncertainTone(gain, offset, gamma, weights.clamp_min(_SUREST)), probability)
    sure = sum(p for _, p in tones)
    for each, (_, p) in zip(told, tones, strict=True):
        if each.local is not None:
            local = dataclasses.replace(each.local, probability=each.local.probability * p / max(sure, _SUREST))
            return Damage(tone, local=None if local.absent else local)
    return Damage(tone)


def estimate_tone(y: Tensor, judge: ToneJudge, undamaged: float) -> Estimate[UncertainTone]:
    """What `estimate_tones` says, as if it was the same everywhere."""
    tone = estimate_tones(y, judge, undamaged).tone
    assert tone is not None and isinstance(tone.value, UncertainTone)
    return Estimate(tone.value, tone.probability)


def _tones(belief: ToneBelief, which: range, pictures: slice) -> UncertainTone:
    """Some of the curves, for some of the pictures, each as likely as it is."""
    gain, offset, gamma = (
        torch.stack([getattr(belief.curves[k], name)[pictures] for k in which], 1).flatten(0, 1).cpu()
        for name in ("gain", "offset", "gamma")
    )  # [B K, 3]
    weights = belief.weights[pictures, which.start + 1 : which.stop + 1]
    return UncertainTone(gain, offset, gamma, weights.flatten().cpu())


def _field(field: LocalTone, wholes: slice, ways: Sequence[Way]) -> LocalTone:
    """The mean of what is told of a picture every way round."""
    grids = [
        (grid.flip(-1) if mirrored else grid).rot90(-quarters, (-2, -1))
        for grid, (quarters, mirrored) in zip(field.log_gain[wholes].cpu(), ways, strict=True)
    ]
    told = (torch.as_tensor(each)[wholes].mean() for each in (field.pivot, field.dark, field.bright))
    return LocalTone(torch.stack(grids).mean(0), *(float(each) for each in told))


def _parts(y: Tensor, size: int, ways: Sequence[Way]) -> Tensor:
    """Thumbnails [2 ways, 3, size, size] of y [1, 3, H, W]: the whole and its middle, every way round."""
    height, width = y.shape[-2:]
    parts = []
    for left, top, share in _PARTS:
        row, column = int(top * height), int(left * width)
        tall, wide = (max(1, int(share * side)) for side in (height, width))
        part = y[..., row : row + tall, column : column + wide]
        parts.append(F.interpolate(part, (size, size), mode="area"))
    seen = torch.cat(parts)
    turned = [seen.rot90(quarters, (-2, -1)) for quarters, _ in ways]
    return torch.cat([each.flip(-1) if mirrored else each for each, (_, mirrored) in zip(turned, ways, strict=True)])
