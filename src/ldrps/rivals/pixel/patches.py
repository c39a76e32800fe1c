"""A picture of any size in the patches that a model of pixels knows, and means over where they overlap."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ldrps.image.tiles import Window


def patches(height: int, width: int, size: int, stride: int) -> list[Window]:
    """Squares of `size` pixels that cover a picture, `stride` apart; the last of a row or column ends at the border.

    Along a side that is not longer than `size` there is one, as long as the side.
    """
    tops, lefts = (_starts(length, size, stride) for length in (height, width))
    return [Window(top, left, min(size, height), min(size, width)) for top in tops for left in lefts]


def _starts(length: int, size: int, stride: int) -> list[int]:
    last = max(0, length - size)
    return [*range(0, last, stride), last]


class Mean:
    """The mean of what patches say of a field [1, C, H, W], every patch counting alike.

    Args:
        shape: of the field.
        places: all patches that will be added.
        device: of the field.
    """

    def __init__(self, shape: Sequence[int], places: Sequence[Window], device: torch.device) -> None:
        self._sum = torch.zeros(tuple(shape), device=device)
        self._count = torch.zeros(1, 1, *shape[-2:], device=device)
        for place in places:
            place.of(self._count).add_(1)

    def add(self, place: Window, values: Tensor) -> None:
        """Values [1, C, h, w] of a patch."""
        place.of(self._sum).add_(values)

    @property
    def field(self) -> Tensor:
        """[1, C, H, W], once all patches were added."""
        return self._sum / self._count
