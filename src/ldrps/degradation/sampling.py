"""Pictures with fewer, or more, pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal, Self

import torch
from torch import Tensor

from ldrps.degradation.separable import Axis, Separable, mirrored
from ldrps.errors import InputError, SettingsError
from ldrps.image.tiles import Window

Filter = Literal["bicubic", "area"]
_RADIUS = {"bicubic": 2.0, "area": 0.5}


@dataclass(frozen=True, eq=False)
class Sampling(Separable):
    """A picture of `factor` times fewer pixels each way, each of which saw all of its part of the scene.

    Attributes:
        size: (H, W) of the clean picture.
        factor: above 1 for a reduction, below for an enlargement; the result has round(H / factor) rows.
        how: "bicubic", Keys' cubic with a = -0.5, wider where it reduces (the one of MATLAB and Pillow), or "area", the
            mean of the pixels.

    Of `scaled`, the factor is to a power, so that two halves are the whole. The size of the result goes in whole
    pixels, and so does what "area" takes the mean of; a factor that is not whole leaves fewer windows to `at`.

    Raises:
        SettingsError: a factor that is not positive, or that leaves no pixel.
    """

    kind = "sampling"

    size: tuple[int, int]
    factor: float
    how: Filter = "bicubic"

    def __post_init__(self) -> None:
        if not self.factor > 0 or min(self.reduced_size) < 1:
            wide, high = self.size[1], self.size[0]
            raise SettingsError(f"factor is {self.factor}; a picture of {wide}x{high} must keep a pixel each way")

    @property
    def reduced_size(self) -> tuple[int, int]:
        """(H, W) of the result."""
        rows, columns = (round(side / self.factor) for side in self.size)
        return rows, columns

    @property
    def absent(self) -> Tensor:
        return torch.tensor(self.factor == 1)

    @property
    def support(self) -> int:
        return math.ceil(_RADIUS[self.how] * max(self.factor, 1) + self.factor)

    def axes(self, size: tuple[int, int]) -> tuple[Axis, Axis]:
        if size != tuple(self.size):
            (height, width), (rows, columns) = size, self.size
            raise InputError(f"a picture of {width}x{height} and a sampling of {columns}x{rows}: give one of its size")
        down, across = (
            resampled(side, small, self.factor, self.how)
            for side, small in zip(self.size, self.reduced_size, strict=True)
        )
        return down, across

    def clean_size(self, y: Tensor) -> tuple[int, int]:
        return self.size

    def _invert(self, y: Tensor) -> Tensor:
        for dim, side in ((-1, self.size[1]), (-2, self.size[0])):
            y = resampled(y.shape[dim], side, 1 / self.factor).along(y, dim)
        return y

    def _slope(self, y: Tensor) -> Tensor:
        return torch.ones_like(self._invert(y))

    def at(self, window: Window) -> Sampling:
        self.output_window(window)
        return replace(self, size=(window.height, window.width))

    def _scaled(self, strength: float) -> Self:
        return replace(self, factor=self.factor**strength)

    def output_window(self, window: Window) -> Window:
        places = [place / self.factor for place in (window.top, window.left, window.height, window.width)]
        if any(abs(place - round(place)) > 1e-9 for place in places):
            raise InputError(
                f"a window of {window.width}x{window.height} at ({window.left}, {window.top}) cuts pixels of what "
                f"was {self.words()}: give multiples of {self.factor:g}"
            )
        return Window(*(round(place) for place in places))

    def words(self) -> str:
        return f"{'reduced' if self.factor > 1 else 'enlarged'} {max(self.factor, 1 / self.factor):.3g} times"


def resize(x: Tensor, size: tuple[int, int], how: Filter = "bicubic") -> Tensor:
    """Pictures [B, C, H, W] of any values in another size (rows, columns), not clipped, as Pillow resizes floats."""
    for dim, side in ((-1, size[1]), (-2, size[0])):
        if x.shape[dim] != side:
            x = resampled(x.shape[dim], side, x.shape[dim] / side, how).along(x, dim)
    return x


@lru_cache(maxsize=64)
def resampled(length: int, count: int, factor: float, how: Filter = "bicubic", beyond: str = "cut") -> Axis:
    """`count` values that each stand for `factor` of a line of `length`, beginning at its edge.

    What the filter wants from beyond the edge is left out ("cut", as Pillow does) or taken from the mirrored line
    ("mirrored", as MATLAB does).
    """
    with torch.inference_mode(False):  # it is kept, and may have to be differentiated through later
        radius, stretch = _RADIUS[how], max(factor, 1.0)
        centre = (torch.arange(count, dtype=torch.float64) + 0.5) * factor
        begin = (centre - radius * stretch + 0.5).floor().long()
        places = begin[:, None] + torch.arange(math.ceil(2 * radius * stretch) + 1)
        ends = (centre + radius * stretch + 0.5).floor().long()[:, None]
        weight = _FILTERS[how]((places - centre[:, None] + 0.5) / stretch)
        if beyond == "cut":
            weight = weight * ((places >= 0) & (places < length) & (places < ends))
            index = places.clamp(0, length - 1)
        else:
            index = mirrored(places, length)
        weight = weight / weight.sum(1, keepdim=True)
        used = (weight != 0).any(0)
        return Axis(length, index[:, used], weight[:, used])


def _cubic(x: Tensor) -> Tensor:
    x = x.abs()
    inner = (1.5 * x - 2.5) * x * x + 1
    outer = (((x - 5) * x + 8) * x - 4) * -0.5
    return torch.where(x < 1, inner, torch.where(x < 2, outer, torch.zeros_like(x)))


def _box(x: Tensor) -> Tensor:
    return ((x > -0.5) & (x <= 0.5)).double()


_FILTERS = {"bicubic": _cubic, "area": _box}
