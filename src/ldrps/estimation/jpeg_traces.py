"""JPEG told from pixels alone: the steps to which an earlier file has rounded its coefficients show in what was made of
it, though it was cut and saved again, finer.

At the place of the earlier blocks coefficients gather around the multiples of their steps; anywhere else they do not
(Bianchi and Piva, "Detection of nonaligned double JPEG compression based on integer periodicity maps", 2012). Nothing
here is learned, and of a picture that was reduced since nothing is seen.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from itertools import chain

import torch
import torch.nn.functional as F
from torch import Tensor

from ldrps.degradation.jpeg import BASES, BLOCK, TO_YCC, Jpeg, cosines, tables
from ldrps.image.views import samples

_QUALITIES = range(5, 81)  # finer steps than of 80 drown in what rounding to bytes and saving again do
_ORDER = 5  # the sum of the frequencies of a coefficient, up to which it is looked at
_LEAST = 3  # of 255: finer steps cannot be told from rounding
_BINS = 256  # sizes of coefficients, of 255; larger ones are too rare to count
_NEAR = 4  # qualities around one that leave nearly the same traces
# Beyond 0.4 of a step: a smooth distribution has more on the near side of a multiple than on the far one, and with this
# its mean cosine is below 0, so that multiples of a step which are not the step itself do not pass for it either.
_BEYOND = 0.4
# How far the sum of the cosines is from chance, in its deviations, times how far the frequencies agree: 1 where it is
# of one alone, the root of their number where it is of all alike. Of 60 held-out photographs of 200 pixels a side that
# were reduced none has 10, and of 900 graphics none has 42; saved at 10 to 60, and again at 90 or 75 at another place,
# 59 to 60 of the 60 have more, and three in four twice as much (benchmarks/jpeg_traces.py).
_SCORE, _AGREEING, _MEAN = 42.0, 2.0, 0.1


@dataclass(frozen=True)
class _Candidates:
    """Tables that may have been, [T, 2, 8, 8], and the cosine of each size of each coefficient beside its step in each,
    [frequencies, bins, T], with whether it counts.
    """

    tables: Tensor
    cosine: Tensor
    counted: Tensor


@torch.no_grad()
@torch.autocast("cpu", enabled=False)  # half precision rounds away what is looked for
def traced_jpeg(y: Tensor, visible: Tensor | None = None, side: int = 256) -> Jpeg | None:
    """The coarsest compression whose blocks y [1, 3, H, W] in [0, 1] has, at the place where it has them; None of none.

    Its steps of luma are told; those of colours, and how they are sampled, are as programs have them with such steps.

    Args:
        y: the picture, in the size in which it was saved.
        visible: how much each pixel counts, [1, 1, H, W]; a block that was made up in part tells nothing.
        side: no more than side^2 pixels are looked at, from all over the picture.
    """
    indices = [
        _indices(window.of(y), (window.top, window.left), None if visible is None else window.of(visible))
        for window in chain.from_iterable(samples(y.shape[-2], y.shape[-1], side, least=4 * BLOCK))
        if min(window.height, window.width) >= BLOCK
    ]
    if not indices:
        return None
    shape = (len(_frequencies()), BLOCK**2, _BINS)
    sizes = torch.bincount(torch.cat(indices), minlength=math.prod(shape)).reshape(shape).float().cpu()
    candidates = _candidates()
    by_frequency, count = sizes @ candidates.cosine, (sizes @ candidates.counted).sum(0)  # [places, T]
    # What is as much so at other places is the picture's own: a ramp has the same coefficients in all blocks.
    by_frequency = by_frequency - by_frequency.mean(1, keepdim=True).clamp_min(0)
    total = by_frequency.sum(0)
    mean, deviations = total / count.clamp_min(1), total / (count / 2).clamp_min(1).sqrt()
    agreeing = total / by_frequency.square().sum(0).clamp_min(1).sqrt()
    by_base = deviations.unflatten(1, (-1, len(_QUALITIES)))
    # Blocks of one base pass for some of the other, less clearly; and the qualities around one leave nearly its traces.
    best = by_base.amax(2, keepdim=True)
    peaks = (by_base == F.max_pool1d(by_base, 2 * _NEAR + 1, 1, _NEAR)) & (best == best.amax(1, keepdim=True))
    found = peaks.flatten(1) & (deviations * agreeing > _SCORE) & (agreeing > _AGREEING) & (mean > _MEAN)
    if not bool(found.any()):
        return None
    coarseness = candidates.tables[:, 0].mean((1, 2)).float()
    place, table = divmod(int((found * coarseness).argmax()), len(coarseness))
    rows, columns = divmod(place, BLOCK)
    return Jpeg(candidates.tables[table], offset=(-rows % BLOCK, -columns % BLOCK))


def _indices(part: Tensor, origin: tuple[int, int], visible: Tensor | None) -> Tensor:
    """Of each coefficient of each block, wherever blocks may lie, its frequency, the place of the block, and its size:
    as one number, the index of a histogram of [frequencies, places, sizes].
    """
    transform, frequencies = cosines(part.float()), _frequencies()
    filters = torch.stack([torch.outer(transform[u], transform[v]) for u, v in frequencies])[:, None]
    luma = 255 * torch.einsum("bchw,c->bhw", part.float(), filters.new_tensor(TO_YCC[0]))
    index = F.conv2d(luma[:, None], filters)[0].abs_().round_().clamp_max_(_BINS - 1).int()
    rows, columns = (
        (torch.arange(length, device=part.device, dtype=torch.int32) + start) % BLOCK
        for length, start in zip(index.shape[-2:], origin, strict=True)
    )
    frequency = torch.arange(len(frequencies), device=part.device, dtype=torch.int32)[:, None, None]
    index += _BINS * (BLOCK * rows[:, None] + columns)
    index += _BINS * BLOCK**2 * frequency
    if visible is not None:
        index = index[:, (-F.max_pool2d(-visible, BLOCK, 1)[0, 0] > 0.99).to(index.device)]
    return index.flatten()


@cache
def _frequencies() -> list[tuple[int, int]]:
    """Of the coefficients that are looked at."""
    return [(u, v) for u in range(BLOCK) for v in range(BLOCK) if 0 < u + v <= _ORDER]


@cache
def _candidates() -> _Candidates:
    qualities = torch.tensor(_QUALITIES, dtype=torch.float64)
    upright = [tables(qualities, base) for base in BASES]
    all_tables = torch.cat([*upright, *(each.mT for each in upright)])  # of pictures that lie on their side, too
    steps = torch.stack([all_tables[:, 0, u, v] for u, v in _frequencies()]).float()[:, None]
    sizes = torch.arange(_BINS, dtype=torch.float32)[:, None]
    counted = ((sizes > _BEYOND * steps) & (steps > _LEAST) & (sizes < _BINS - 1)).float()
    return _Candidates(all_tables, counted * torch.cos(2 * math.pi * sizes / steps), counted)
