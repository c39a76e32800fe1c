"""Cycle spinning (Coifman and Donoho 1995): a picture on several offsets of the grid of a prior's latents, at once or,
in a chain of pictures, in turn.

The grid of patches would show in smooth places; what depends on it averages out.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Self

import torch
from torch import Tensor

from ldrps.image.pad import pad_to_multiple
from ldrps.image.views import Shift, gather, grid_shifts, spread
from ldrps.prior.base import Prior

_IN_TURN = 4  # offsets of a chain; with sixteen it is no better


def on_an_offset(prior: Prior, x: Tensor, number: int, act: Callable[[Tensor], Tensor]) -> Tensor:
    """What `act` makes of the latents of a picture x [1, 3, H, W], of any size, as a picture; on an offset of the grid
    that is another for the next number.
    """
    shift = grid_shifts(_IN_TURN, prior.factor)[number % _IN_TURN]
    padded, crop = pad_to_multiple(x, prior.size_multiple, before=shift)
    return crop(prior.decode(act(prior.encode(padded))))


class CycleSpinning:
    """The latents of a picture on some offsets of the grid, a batch for one call, and the mean of their pictures.

    Args:
        prior: what encodes and decodes.
        shifts: the offsets.
    """

    def __init__(self, prior: Prior, shifts: Sequence[Shift]) -> None:
        self._prior, self._shifts = prior, shifts

    @classmethod
    def over(cls, prior: Prior, count: int) -> Self:
        """On so many offsets, spread evenly; 1 is the grid as it lies."""
        return cls(prior, grid_shifts(count, prior.factor))

    def shared(self, steps: int) -> list[CycleSpinning]:
        """The offsets shared out among so many steps; where there are fewer, steps have one that others had before."""
        count = len(self._shifts)
        if count < steps:
            return [CycleSpinning(self._prior, [self._shifts[k % count]]) for k in range(steps)]
        ends = [k * count // steps for k in range(steps + 1)]
        return [CycleSpinning(self._prior, self._shifts[first:end]) for first, end in itertools.pairwise(ends)]

    @torch.no_grad()
    def encode(self, image: Tensor) -> Tensor:
        """[1, 3, H, W], multiples of the prior's, to latents [offsets, C, h, w]."""
        return self._prior.encode(spread(image, self._shifts, self._prior.size_multiple))

    @torch.no_grad()
    def decode(self, latents: Tensor, size: tuple[int, int]) -> Tensor:
        """Latents [offsets, C, h, w] of a picture of that (H, W) to the mean of their pictures, [1, 3, H, W]."""
        return gather(self._prior.decode(latents), self._shifts, size)

    @torch.no_grad()
    def decode_first(self, latents: Tensor, size: tuple[int, int]) -> Tensor:
        """The picture [1, 3, H, W] of the first offset alone, for a quick look."""
        return gather(self._prior.decode(latents[:1]), self._shifts[:1], size)
