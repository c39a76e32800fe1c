"""Whether a picture's tones were damaged, and how."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from ldrps.degradation import Compose, LocalTone, UncertainTone
from ldrps.estimation.damage import Damage, Estimate
from ldrps.estimation.pooling import with_prior
from ldrps.estimation.tone_posterior import ToneBelief, TonePosterior

# Parts of a picture that are asked about beside the whole: left, top and size, as fractions of its sides.
_PARTS = ((0.0, 0.0, 1.0), (0.0, 0.0, 0.8), (0.2, 0.0, 0.8), (0.0, 0.2, 0.8), (0.2, 0.2, 0.8), (0.1, 0.1, 0.8))
Way = tuple[int, bool]  # quarter turns, and then mirrored or not
_WAYS: tuple[Way, ...] = tuple((quarters, mirrored) for quarters in range(4) for mirrored in (False, True))


@torch.no_grad()
def estimate_tones(y: Tensor, posterior: TonePosterior, undamaged: float) -> Damage:
    """What may have been done to the tones of y [1, 3, H, W] in [0, 1], and how likely it is that anything was.

    What was done to a picture was done to its parts, and to them mirrored and on their side: the posterior is asked
    about all, of those on their side if it has met such, and its beliefs are averaged. What differs from place to place
    is told of the whole alone.

    Args:
        y: the picture, or a small copy.
        posterior: what is asked.
        undamaged: the probability that nothing was done, before the picture is seen.
    """
    ways = _WAYS if posterior.config["turned"] else _WAYS[:2]
    belief = posterior(_parts(y, 2 * int(posterior.config["thumbnail"]), ways))
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


def estimate_tone(y: Tensor, posterior: TonePosterior, undamaged: float) -> Estimate[UncertainTone]:
    """What `estimate_tones` says, as if it was the same everywhere."""
    tone = estimate_tones(y, posterior, undamaged).tone
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
    """Thumbnails [6 ways, 3, size, size] of y [1, 3, H, W]: the whole and five parts, every way round."""
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
