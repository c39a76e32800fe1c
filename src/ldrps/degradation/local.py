"""Tones that went wrong more at some places than at others."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor

from ldrps.degradation.base import Degradation
from ldrps.degradation.parameter import Parameter, broadcast
from ldrps.errors import InputError, SettingsError
from ldrps.image.tiles import Window

LEAST_SPREAD = 1e-3  # of brightness, of 1, between the first bin and the last
_ROUNDS = 30  # halvings of the range of brightness that is searched
_REACH = (-4.0, 5.0)  # that range


@dataclass(frozen=True, eq=False)
class LocalTone(Degradation):
    """y = pivot + (x - pivot) exp(L), L at each place and for each brightness: a bilateral grid (Chen et al. 2007).

    With a bright pivot it is haze of uneven depth, the pivot its airlight; with a black one it is uneven light. L is
    told place by place and for some levels of brightness, the mean of the channels of y, with straight lines between
    them, and as at the nearest beyond.

    Attributes:
        log_gain: the grid, [bins, rows, columns], from dark to bright, or one for each picture, [B, bins, rows,
            columns]; it spans a whole picture.
        pivot: the value that nothing changes.
        dark, bright: the brightness of the first bin and of the last.
        size: (H, W) of the whole picture, where a part of it may be asked about; (0, 0) where it may not.
        place: (top, left) of the part.
    """

    kind = "local tone"

    log_gain: Tensor
    pivot: Parameter = 0.0
    dark: Parameter = 0.0
    bright: Parameter = 1.0
    size: tuple[int, int] = (0, 0)
    place: tuple[int, int] = (0, 0)

    def __post_init__(self) -> None:
        if self.log_gain.ndim not in (3, 4) or not self.log_gain.numel():
            raise SettingsError(f"log_gain of shape {list(self.log_gain.shape)}; give [bins, rows, columns]")
        if not bool((torch.as_tensor(self.bright) - torch.as_tensor(self.dark) >= LEAST_SPREAD).all()):
            raise SettingsError(
                f"bright is {self.bright}; it must exceed dark, {self.dark}, by {LEAST_SPREAD:g} or more"
            )

    @property
    def absent(self) -> Tensor:
        return (self.log_gain == 0).flatten(-3).all(-1)

    def of_size(self, height: int, width: int) -> LocalTone:
        """The same, of a picture of a size that is told, so that `at` has a meaning."""
        return replace(self, size=(height, width), place=(0, 0))

    def at(self, window: Window) -> LocalTone:
        if not all(self.size):
            raise InputError("a part of local tones needs to know of how large a picture it is: ask of_size first")
        return replace(self, place=(self.place[0] + window.top, self.place[1] + window.left))

    def words(self) -> str:
        grid = self.log_gain if self.log_gain.ndim == 3 else self.log_gain[0]
        return f"tones uneven by a factor of up to {float(grid.abs().max().exp()):.1f}"

    def _invert(self, y: Tensor) -> Tensor:
        pivot = broadcast(self.pivot, y)
        return pivot + (y - pivot) * torch.exp(-self._log_gain(y.mean(1, keepdim=True)))

    def _apply(self, x: Tensor) -> Tensor:
        """L is told by the brightness of y, which is searched for; the last step carries the gradient."""
        before = x.mean(1, keepdim=True)
        with torch.no_grad():
            low, high = (torch.full_like(before, end) for end in _REACH)
            for _ in range(_ROUNDS):
                middle = (low + high) / 2
                below = self._invert(middle) < before
                low, high = torch.where(below, middle, low), torch.where(below, high, middle)
            found = (low + high) / 2
        step = 1e-4
        slope = ((self._invert(found + step) - self._invert(found - step)) / (2 * step)).clamp_min(1e-3)
        luma = found + (before - self._invert(found)) / slope
        pivot = broadcast(self.pivot, x)
        return pivot + (x - pivot) * torch.exp(self._log_gain(luma))

    def _scaled(self, strength: float) -> Self:
        return replace(self, log_gain=self.log_gain * strength)

    def _log_gain(self, luma: Tensor) -> Tensor:
        """L for pictures of brightness `luma` [B, 1, H, W]."""
        levels = self._over(luma)
        last = levels.shape[1] - 1
        dark, bright = (broadcast(each, luma) for each in (self.dark, self.bright))
        place = ((luma - dark) / (bright - dark)).clamp(0, 1) * last
        told = torch.zeros_like(luma)
        for k in range(last + 1):
            told = told + levels[:, k : k + 1] * (1 - (place - k).abs()).clamp_min(0)
        return told

    def _over(self, image: Tensor) -> Tensor:
        """The grid at each pixel of an image, or of the part of it that is meant, [1 or B, bins, h, w]."""
        shape = image.shape[-2:]
        height, width = self.size if all(self.size) else (shape[0], shape[1])
        grid = (self.log_gain if self.log_gain.ndim == 4 else self.log_gain[None]).to(image)
        for axis, (side, start, count) in enumerate(
            ((height, self.place[0], shape[0]), (width, self.place[1], shape[1])), start=2
        ):
            cells = grid.shape[axis]
            # The middle of a pixel, in cells from the middle of the first.
            spot = ((torch.arange(start, start + count, device=grid.device) + 0.5) * cells / side - 0.5).clamp(
                0, cells - 1
            )
            below = spot.floor().long().clamp_max(max(cells - 2, 0))
            share = (spot - below).to(grid).reshape(-1, *(1,) * (3 - axis))
            above = (below + 1).clamp_max(cells - 1)
            grid = torch.lerp(grid.index_select(axis, below), grid.index_select(axis, above), share)
        return grid
