"""A change of tones told from the levels of a picture alone: a program that made it of 8 bits, and rounded to 8 bits
again, has left levels that nothing fell on, and levels that two fell on.

Which ones tells the curve (Stamm and Liu, "Forensic detection of image manipulation using statistical intrinsic
fingerprints", 2010). Nothing here is learned; of a picture that was resized, or saved coarsely, since nothing is seen.
Whether the change was for the worse is for others to say.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import chain

import torch
import torch.nn.functional as F
from torch import Tensor

from ldrps.degradation import Exposure, Tone
from ldrps.degradation.srgb import to_linear, to_srgb
from ldrps.image.views import samples

_LEVELS = 256
_REACH = 4  # levels to either side: what is smooth over so many is the picture's own
_GAP = 0.02  # of what is around, which passes for a level that nothing fell on
_LEAST = 40  # pixels of a level on average, for its neighbours to be compared
_ROUNDED = 1e-3  # levels by which a picture of 8 bits may be off
_SIDE = 1024  # no more than so many pixels squared are counted
# The mean square of what is not smooth, with less of which nothing was changed: photographs as they are have 0.002 to
# 0.02, those of which values were multiplied 0.024 or more.
_ROUGH = 0.02
_WIDEST = 16  # levels that are left open for the black of a line, more of which is no answer
# How much of what is not smooth a curve must explain, of all channels together and of each, or of one that has a gain
# of its own, and by how much it must be likelier than none, in logarithms. Of 2,500 photographs as they are none is
# taken for changed.
_EXPLAINED, _OF_EACH, _OF_ONE = 0.15, 0.08, 0.3
_LIKELIER, _ONE_LIKELIER = 25.0, 20.0
# Much less is enough for a curve by which white became the brightest level that there is: of 147 pictures that are dark
# or flat, otherwise than by a program, and of 23 real ones none has more than 2.1 for a gain of that kind.
_WHITE_LIKELIER, _DARKENED = 10.0, 230
_FREE = 10.0  # by which the logarithm of the likelihood of a line must exceed that of other curves

Curve = Tone | Exposure


@dataclass(frozen=True)
class _Candidates:
    """F curves that may have been, and the `traces` that each leaves, [F, 256].

    `kind` is what they are, [F], and `parameter` its number, [F]; the first `gains` are gains. `phase` is the part of a
    level by which a line is off, [F], and `white` the level that white becomes, [F], NaN where that is open.
    """

    traces: Tensor
    kind: Tensor
    parameter: Tensor
    phase: Tensor
    white: Tensor
    gains: int


def _by_line(v: Tensor, gain: Tensor) -> Tensor:
    return v / gain


def _by_gamma(v: Tensor, gamma: Tensor) -> Tensor:
    return 255 * (v / 255).clamp_min(0) ** (1 / gamma)


def _by_stops(v: Tensor, stops: Tensor) -> Tensor:
    return 255 * to_srgb(to_linear((v / 255).clamp_min(0)) / torch.exp2(stops))


def _range(least: float, most: float, step: float, none: float, around: float) -> Tensor:
    """Numbers from least to most, less those around that of no change, which leave too few traces."""
    numbers = torch.arange(round((most - least) / step) + 1, dtype=torch.float64) * step + least
    return numbers[(numbers - none).abs() >= around - 1e-9]


_GAIN, _LINE, _GAMMA, _STOPS = range(4)


@torch.no_grad()
def traced_tone(y: Tensor, visible: Tensor | None = None) -> Curve | None:
    """The curve by which a picture y [1, 3, H, W] in [0, 1] was changed when it had 8 bits, or None.

    A gain, a line, a gamma or an exposure of all channels, or a gain of each. What is left open of a line, where its
    black was, is told by the levels that there are. A channel of few levels says nothing.

    Args:
        y: the picture, as it is in its file: what was resized since has no such levels.
        visible: how much each pixel counts, [1, 1, H, W]; what was made up does not.
    """
    with torch.autocast("cpu", enabled=False):
        counted = _histograms(y, visible)
        return None if counted is None else _traced(counted)


def _traced(counted: Tensor) -> Curve | None:
    """The curve that the numbers of pixels of each level tell, [1 or 3, 256]."""
    levels, occupied = torch.arange(_LEVELS).expand_as(counted), counted > 0
    low = torch.where(occupied, levels, _LEVELS).amin(1, keepdim=True)
    high = torch.where(occupied, levels, -1).amax(1, keepdim=True)
    counted = counted.clone()
    counted[:, 0], counted[:, -1] = counted[:, :2].amin(1), counted[:, -2:].amin(1)  # what was cut off is no trace
    there = (levels >= low + 2 * _REACH) & (levels <= high - 2 * _REACH) & (_smooth(counted) >= _LEAST)
    found = torch.where(there, _traces(counted), 0).float()
    total, count = found.square().sum(1), there.sum(1)
    tells = total > 0
    if not bool(tells.any()) or float(total.sum()) < _ROUGH * float(count.sum()):
        return None
    candidates = _candidates()
    explained = 2 * candidates.traces @ found.T - candidates.traces.square() @ there.T.float()  # [F, channels]
    together = explained.sum(1) / total.sum()
    likelihood = -count.sum() / 2 * torch.log1p(-together.clamp_max(1 - 1e-6))
    brightest = int(high.max())
    white = ((candidates.white - brightest).abs() <= 1) & (brightest < _DARKENED)
    # A line is free to be most things, nearly.
    likelier = likelihood + (_LIKELIER - _WHITE_LIKELIER) * white - _FREE * (candidates.kind == _LINE)
    best = int(likelier.argmax())
    of_each = explained / total
    is_clear = _is_clear(together[best], count.sum(), _EXPLAINED, _LIKELIER)
    is_clear &= bool((of_each[best][tells] > _OF_EACH).all())
    if is_clear or (bool(white[best]) and float(likelihood[best]) > _WHITE_LIKELIER):
        return _curve(candidates, best, float(low.min()), brightest)
    gains = [1.0] * len(counted)
    for channel, own in enumerate(of_each[: candidates.gains].argmax(0).tolist()):
        if tells[channel] and _is_clear(of_each[own, channel], count[channel], _OF_ONE, _ONE_LIKELIER):
            gains[channel] = float(candidates.parameter[own])
    return Tone(torch.tensor([gains])) if len(gains) - gains.count(1.0) > 1 else None


def _is_clear(explained: Tensor, count: Tensor, least: float, likelier: float) -> bool:
    """Whether so much of what is seen on so many levels is explained that a curve is the reason."""
    share = explained.clamp(0, 1 - 1e-9)
    return float(share) > least and float(-count / 2 * torch.log1p(-share)) > likelier


def _histograms(y: Tensor, visible: Tensor | None) -> Tensor | None:
    """How many pixels of each channel have each level, [3, 256], or [1, 256] where all have the same; None of a picture
    of more than 8 bits.
    """
    counted = torch.zeros(3, _LEVELS, dtype=torch.float64)
    for window in chain.from_iterable(samples(y.shape[-2], y.shape[-1], _SIDE)):
        part = 255 * window.of(y)[0].float().flatten(1)
        if visible is not None:
            part = part[:, (window.of(visible)[0, 0] > 0.99).flatten().to(part.device)]
        levels = part.round()
        if bool(((part - levels).abs() > _ROUNDED).any()):
            return None
        for channel, values in enumerate(levels.int().clamp(0, _LEVELS - 1)):
            counted[channel] += torch.bincount(values, minlength=_LEVELS).cpu()
    is_grey = bool((counted == counted[:1]).all())  # what all three say is said once
    return counted[:1] if is_grey else counted


def _traces(counted: Tensor) -> Tensor:
    """Of numbers of pixels of levels [N, 256] the logarithm of each, beside that of those around it, [N, 256]."""
    around = _smooth(counted)
    beside = torch.log((counted + _GAP * around + 1e-9) / ((1 + _GAP) * around + 1e-9))
    return beside - _smooth(beside)


def _smooth(values: Tensor) -> Tensor:
    """The mean of [N, 256] over so many levels to either side."""
    kernel = values.new_full((1, 1, 2 * _REACH + 1), 1 / (2 * _REACH + 1))
    return F.conv1d(values[:, None], kernel, padding=_REACH)[:, 0]


@cache
def _candidates() -> _Candidates:
    """Fine enough that white is off by a third of a level at most."""
    gains = _range(0.2, 1.7, 0.002, 1, 0.1)
    in_twentieths = _range(0.2, 1.7, 0.05, 1, 0.1)  # which lead to halves; in floats these go either way
    up, down = (_levels(in_twentieths, _by_line, halves) for halves in ("halves up", "halves down"))
    slopes = _range(0.25, 0.9, 0.002, 1, 0.1)
    gammas = _range(0.3, 3.2, 0.0025, 1, 0.05)
    stops = _range(-2.0, 1.5, 0.005, 0, 0.3)
    families = [
        (_GAIN, gains, 0.0, _levels(gains, _by_line, "halves up")),
        (_GAIN, gains, 0.0, _levels(gains, _by_line, "all down")),
        (_GAIN, in_twentieths, 0.0, _levels(in_twentieths, _by_line, "halves to even")),
        (_GAIN, in_twentieths, 0.0, (up + down) / 2),
        *((_LINE, slopes, k / 5, _levels(slopes, _by_line, "halves up", k / 5, cut=False)) for k in range(5)),
        (_GAMMA, gammas, 0.0, _levels(gammas, _by_gamma, "halves up")),
        (_GAMMA, gammas, 0.0, _levels(gammas, _by_gamma, "all down")),
        (_STOPS, stops, 0.0, _levels(stops, _by_stops, "halves up")),
    ]
    counts = torch.cat([levels for *_, levels in families])
    kind = torch.cat([torch.full((len(numbers),), kind) for kind, numbers, *_ in families])
    phase = torch.cat([torch.full_like(numbers, phase) for _, numbers, phase, _ in families])
    parameter = torch.cat([numbers for _, numbers, *_ in families])
    white = torch.full_like(parameter, math.nan)
    white[kind == _GAIN] = 255 * parameter[kind == _GAIN]
    white[kind == _STOPS] = 255 * to_srgb(torch.exp2(parameter[kind == _STOPS]))
    return _Candidates(_traces(counts).float(), kind, parameter, phase, white, int((kind == _GAIN).sum()))


def _levels(
    numbers: Tensor, inverse: Callable[[Tensor, Tensor], Tensor], rounding: str, phase: float = 0.0, cut: bool = True
) -> Tensor:
    """How many of 256 levels fall on each, by curves that numbers [K] tell, [K, 256]; of endless ones if not `cut`."""
    before = torch.ceil(inverse(_edges(rounding) - phase, numbers[:, None]) - 1e-9)
    before = before.clamp(0, _LEVELS) if cut else before
    counts = before.diff(dim=1)
    counts[:, 0] = counts[:, 1]
    return torch.cat([counts[:, :-1], counts[:, -2:-1]], 1) if cut else counts


def _edges(rounding: str) -> Tensor:
    """The least number that becomes each level, as it is rounded, and one level more, [257]."""
    levels = torch.arange(_LEVELS + 1, dtype=torch.float64)
    if rounding == "all down":
        return levels
    up = {"halves up": levels >= 0, "halves down": levels < 0, "halves to even": levels % 2 == 0}[rounding]
    return levels - 0.5 + torch.where(up, -1e-6, 1e-6)


def _curve(candidates: _Candidates, index: int, low: float, high: float) -> Curve | None:
    """The curve of a candidate for a picture of these levels."""
    kind, number = int(candidates.kind[index]), float(candidates.parameter[index])
    if kind == _GAIN:
        return Tone(number)
    if kind == _GAMMA:
        return Tone(gamma=number)
    if kind == _STOPS:
        return Exposure(number)
    # Black is no brighter than the darkest level, white no darker than the brightest.
    least, most = high - 255 * number, low
    if most - least > _WIDEST or most < least - 1:
        return None
    phase = float(candidates.phase[index])
    return Tone(number, (round((least + most) / 2 - phase) + phase) / 255)
