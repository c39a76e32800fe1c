"""A picture that is wanted larger: y = D (k * x) + n, where D reduces as programs do and k may be known."""

from __future__ import annotations

import functools
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor

from ldrps.degradation.sampling import resampled
from ldrps.degradation.separable import separable_step, weighted_step
from ldrps.estimation.damage import Damage
from ldrps.estimation.enlarger import FACTOR, Enlarger
from ldrps.image.limits import enlarged_size
from ldrps.image.tiles import Window, windows
from ldrps.methods.blind import clipped
from ldrps.methods.splitting import SplittingMethod, SplittingPart
from ldrps.prior.base import Prior
from ldrps.sampling.chains import Chain, as_it_is
from ldrps.settings import BlindSettings, Settings, Splitting

_WHITE = 1 - 1e-6  # what undoing the tones makes of white
_MARGIN = 12  # pixels of y around a window, that the enlarger sees too


class Enlarging(SplittingMethod):
    """The default where a scale is asked for: half-quadratic splitting, what a network expects, or something between
    the two, and a data step upon that.

    D is a bicubic reduction, each of whose pixels saw all of its part of the scene; at the picture's edge the filter is
    cut, as Pillow cuts it. A blur of the damage is one of the large picture, in its pixels; nothing is assumed beyond
    the edge of that. Tones are pointwise: they are undone on y, before. What was hidden tells nothing; what is white or
    black may have been more so, as filters overshoot.

    A window is one of the large picture. Around it belongs what the pixels of y that have any of the window in them are
    made of.

    Args:
        y, prior, settings, damage, caption, visible, size: as of `SplittingMethod`; the settings have a scale.
        enlarger: what is asked for the picture to begin with; None for a cubic's.

    Attributes:
        small, large: (H, W) of y without its padding, and of the result.
        share: how much what the enlarger expects counts beside what the loop makes of it.
        down: D along columns and along rows.
        up: the way to the first guess, a cubic, from y, or from what the enlarger makes of it.
    """

    def __init__(
        self,
        y: Tensor,
        prior: Prior,
        settings: Settings,
        damage: Damage,
        caption: str,
        visible: Tensor | None = None,
        size: tuple[int, int] | None = None,
        enlarger: Enlarger | None = None,
    ) -> None:
        self.enlarger, self.given, self.tones = enlarger, y, damage.of_size(y.shape[-2], y.shape[-1])
        assert isinstance(settings.method, BlindSettings)
        self.share = 0.0 if enlarger is None else settings.method.expected
        small = size or (y.shape[-2], y.shape[-1])
        super().__init__(y, prior, settings, damage, caption, visible, small)
        self.small, self.large = small, enlarged_size(small, settings.scale)
        sides = list(zip(self.large, small, strict=True))
        self.down = [resampled(large, little, large / little) for large, little in sides]
        times = 1 if enlarger is None else FACTOR
        self.up = [resampled(times * little, large, times * little / large) for large, little in sides]
        self.windows = windows(*self.large, settings.tile, settings.overlap)
        self.findings = replace(self.findings, windows=len(self.windows), scale=settings.scale)
        if self.share == 1:  # the data step that ends each window is all that is left to do
            self.levels = [self.levels[0][-1:]]
            self.rounds = [self.rounds[0][-1:]]

    @staticmethod
    def numbers(options: BlindSettings) -> Splitting:
        return options.enlarging

    def least_noise(self, splitting: Splitting) -> float:
        """The deviation of the noise, of 1, of a picture in which none was found: what may well be there is not to be
        enlarged as if it were detail.
        """
        return max(super().least_noise(splitting), splitting.unsure * self.damage.possible_noise)

    @property
    def size(self) -> tuple[int, int]:
        return self.large

    def part(self, window: Window) -> SplittingPart:
        return _Part(self, window)

    def guess(self, window: Window) -> Tensor:
        """A window of what `up` makes a first guess of."""
        if self.enlarger is None:
            return self.undone(window.of(self.y), window)
        wide = _around(window, self.small)
        top, left = window.top - FACTOR * wide.top, window.left - FACTOR * wide.left
        seen = self.tones.undo_tone(wide.of(self.given).to(self.prior.device), wide)
        return Window(top, left, window.height, window.width).of(self.enlarger(self._as_seen(seen)))

    def seen(self, window: Window) -> Tensor:
        rows, columns = self.nearest(window)
        return self.y.index_select(-2, rows).index_select(-1, columns)

    def nearest(self, window: Window) -> tuple[Tensor, Tensor]:
        """The rows and the columns of y that lie under those of a window."""
        spans = ((window.top, window.height, 0), (window.left, window.width, 1))
        rows, columns = (
            ((torch.arange(begin, begin + length) + 0.5) * self.small[side] / self.large[side]).long()
            for begin, length, side in spans
        )
        return rows, columns


class _Part(SplittingPart):
    """One window, with what is around it as far as its pixels of y reach."""

    method: Enlarging

    def __init__(self, method: Enlarging, window: Window) -> None:
        self.method, self.window = method, window
        spans = ((window.top, window.height), (window.left, window.width))
        reach = (0, 0) if method.blur is None else tuple(side // 2 for side in method.blur.kernel.shape[-2:])
        ranges, places, self.axes = [], [], []
        for axis, (begin, length) in zip(method.down, spans, strict=True):
            first, last = axis.made_of(begin, begin + length)
            place, part = axis.between(first, last)
            ranges.append((first, last))
            places.append(place)
            self.axes.append(part)
        self.sharp = _window(places, [axis.length for axis in self.axes])  # what y is made of, before it was blurred
        self.reach = reach
        down, across = reach
        self.frame = Window(
            *(self.sharp.top - down, self.sharp.left - across),
            *(self.sharp.height + 2 * down, self.sharp.width + 2 * across),
        )
        top, left = window.top - self.frame.top, window.left - self.frame.left
        self.inside = Window(top, left, window.height, window.width)
        seen = _window([first for first, _ in ranges], [last - first for first, last in ranges])
        self.y = method.undone(seen.of(method.y), seen)
        self.noise = seen.of(method.noise).to(self.y)
        self.rows, self.columns = (axis.matrix(self.y) for axis in self.axes)

    def chain(self, z: Tensor, number: int) -> Chain:
        if self.method.share < 1:
            return super().chain(z, number)
        return as_it_is(z, self.method.rounds[number][0])

    def picture(self, z: Tensor | None) -> Tensor:
        assert z is not None
        share = self.method.share
        return super().picture(z.lerp(self._guess, share) if 0 < share < 1 else z)

    def start(self) -> Tensor:
        return self._guess

    @functools.cached_property
    @torch.no_grad()
    def _guess(self) -> Tensor:
        """Enlarged, once: it is where the loop begins, and what counts beside its end."""
        method, sharp = self.method, self.sharp
        spans = ((sharp.top, sharp.height), (sharp.left, sharp.width))
        (top, rows), (left, columns) = (
            axis.between(begin, begin + length) for axis, (begin, length) in zip(method.up, spans, strict=True)
        )
        seen = Window(top, left, rows.length, columns.length)
        x = rows.along(columns.along(method.guess(seen), -1), -2)
        down, across = self.reach
        return F.pad(x, (across, across, down, down), mode="replicate")

    @torch.no_grad()
    def agreeing(self, x0: Tensor, level: float) -> Tensor:
        options, blur = self.method.splitting, self.method.blur
        y = self._beyond_the_ends(self._reduced(x0))
        ratio = options.weight * (self.noise / level) ** 2
        if blur is None and bool((ratio == ratio.amin()).all()):
            return separable_step(self.rows, self.columns, x0, y, ratio.amin())
        return weighted_step(self._reduced, self._adjoint, x0, y, 1 / ratio, options.rounds)

    def ends(self) -> tuple[Tensor, Tensor]:
        method = self.method
        rows, columns = method.nearest(self.window)
        wide = Window(int(rows[0]), int(columns[0]), int(rows[-1] - rows[0]) + 1, int(columns[-1] - columns[0]) + 1)
        y = method.undone(wide.of(method.y), wide)
        rows, columns = ((lines - lines[0]).to(y.device) for lines in (rows, columns))
        places, values = (each.index_select(-2, rows).index_select(-1, columns) for each in (clipped(y), y))
        return places, values

    def _reduced(self, x: Tensor) -> Tensor:
        blurred = x if self.method.blur is None else self.method.blur(x)
        return self.rows @ blurred @ self.columns.mT

    def _adjoint(self, y: Tensor) -> Tensor:
        blurred = self.rows.mT @ y @ self.columns
        return blurred if self.method.blur is None else self.method.blur.adjoint(blurred)

    def _beyond_the_ends(self, expected: Tensor) -> Tensor:
        """y, where it is white or black as far beyond as is expected of it: clipped, it tells no more than that."""
        y = torch.where(self.y >= _WHITE, torch.maximum(self.y, expected), self.y)
        return torch.where(self.y <= 0, torch.minimum(self.y, expected), y)


def _around(window: Window, small: tuple[int, int]) -> Window:
    """What a window of a picture `FACTOR` times as large as one of size `small` is made of, and what is around that."""
    sides = []
    for begin, length, side in ((window.top, window.height, small[0]), (window.left, window.width, small[1])):
        first, last = begin // FACTOR - _MARGIN, -(-(begin + length) // FACTOR) + _MARGIN
        sides.append((max(first, 0), min(last, side)))
    (top, bottom), (left, right) = sides
    return Window(top, left, bottom - top, right - left)


def _window(places: list[int], lengths: list[int]) -> Window:
    return Window(places[0], places[1], lengths[0], lengths[1])
