"""A large picture in windows that overlap, and the picture that is made of their restorations."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ldrps.image.room import room


@dataclass(frozen=True)
class Window:
    """A rectangle of a picture, in pixels."""

    top: int
    left: int
    height: int
    width: int

    def of(self, image: Tensor) -> Tensor:
        """That part of [..., H, W]; a view."""
        return image[..., self.top : self.top + self.height, self.left : self.left + self.width]


def windows(height: int, width: int, tile: int, overlap: int, multiple: int = 1) -> list[Window]:
    """Equal windows of at most `tile` pixels a side that cover a picture, row by row; one if it is small enough.

    Neighbours share at least `overlap` pixels. Height and width are multiples of `multiple`, and so are all places and
    sizes: `overlap` is rounded up to one, `tile` down. Where that leaves less than four overlaps, windows are as large
    as those, so that no more than two meet along a side.
    """
    overlap = math.ceil(overlap / multiple) * multiple
    tile = max(tile // multiple * multiple, 4 * overlap, multiple)
    rows, columns = (_starts(length, tile, overlap, multiple) for length in (height, width))
    (tops, tall), (lefts, wide) = rows, columns
    return [Window(top, left, tall, wide) for top in tops for left in lefts]


def _starts(length: int, tile: int, overlap: int, multiple: int) -> tuple[list[int], int]:
    """Where windows begin along a side, and how long they are."""
    if length <= tile:
        return [0], length
    count = math.ceil((length - overlap) / (tile - overlap))
    size = math.ceil((length + (count - 1) * overlap) / count / multiple) * multiple
    free = (length - size) // multiple
    return [multiple * round(k * free / (count - 1)) for k in range(count)], size


class Canvas:
    """A picture [1, C, H, W] put together of windows; where they overlap one fades into the other.

    The weights along a side are half a cosine over what two neighbours share, so all weights of a pixel add up to one,
    and a window's edge, where its network saw least, counts least.

    Args:
        places: all windows that will be added, as `windows` gives them.
        height, width: of the picture.
    """

    def __init__(self, places: list[Window], height: int, width: int) -> None:
        self._shape = (height, width)
        self._tops = sorted({window.top for window in places})
        self._lefts = sorted({window.left for window in places})
        self._image: Tensor | None = None

    def add(self, window: Window, restored: Tensor) -> None:
        """Put the restored window [1, C, h, w] in its place."""
        if (window.height, window.width) == self._shape:  # the only one: nothing is multiplied by one
            self._image = restored
            return
        if self._image is None:
            plain = restored.device.type == "cpu" and restored.dtype == torch.float32
            self._image = (room if plain else restored.new_zeros)(*restored.shape[:2], *self._shape)
        down = _fade(self._tops, window.top, window.height).to(restored.device)
        across = _fade(self._lefts, window.left, window.width).to(restored.device)
        window.of(self._image).add_(restored * down[:, None] * across)

    @property
    def image(self) -> Tensor:
        """The picture, [1, C, H, W]."""
        assert self._image is not None
        return self._image


def _fade(starts: list[int], start: int, length: int) -> Tensor:
    """The weights of a window along a side, [length]: up over what it shares with the one before, then down."""
    weights = torch.ones(length)
    k = starts.index(start)
    if k > 0:
        shared = starts[k - 1] + length - start
        weights[:shared] = _rising(shared)
    if k < len(starts) - 1:
        shared = start + length - starts[k + 1]
        weights[length - shared :] = 1 - _rising(shared)
    return weights


def _rising(length: int) -> Tensor:
    return (1 - torch.cos(math.pi * (torch.arange(length) + 0.5) / length)) / 2
