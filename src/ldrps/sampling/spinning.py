"""Cycle spinning (Coifman and Donoho 1995): a picture on several offsets of the grid of a prior's latents, at once or,
in a chain of pictures, some in one step and others in the next.

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

_VISITED = 4  # offsets of a chain, one to a step; with sixteen it is no better


def on_an_offset(prior: Prior, x: Tensor, number: int, act: Callable[[Tensor], Tensor]) -> Tensor:
    """What `act` makes of the latents of a picture x [1, 3, H, W], of any size, as a picture; on an offset of the grid
    that is another for the next number.
    """
    shift = grid_shifts(_VISITED, prior.factor)[number % _VISITED]
    padded, crop = pad_to_multiple(x, prior.size_multiple, before=shift)
    return crop(prior.decode(act(prior.encode(padded))))


class CycleSpinning:
    """The latents of a picture on some offsets of the grid, a batch for one call, and the mean of their pictures.

    Args:
        prior: what encodes and decodes.
        shifts: the offsets.
        batch: how many of them are encoded, or decoded, at once.
    """

    def __init__(self, prior: Prior, shifts: Sequence[Shift], batch: int = 4) -> None:
        self._prior, self.shifts, self._batch = prior, shifts, batch

    @classmethod
    def over(cls, prior: Prior, count: int, batch: int = 4) -> Self:
        """On so many offsets, spread evenly; 1 is the grid as it lies."""
        return cls(prior, grid_shifts(count, prior.factor), batch)

    @classmethod
    def shared(cls, prior: Prior, count: int, steps: int, batch: int = 4) -> list[Self]:
        """So many offsets shared out among steps, two or more to each: those of a step are spread evenly, and those of
        the next are the same a pixel further along both sides.
        """
        ends = [k * count // steps for k in range(steps + 1)]
        sizes = [end - first for first, end in itertools.pairwise(ends)]
        shifts = [_moved(grid_shifts(size, prior.factor), k, prior.factor) for k, size in enumerate(sizes)]
        return [cls(prior, each, batch) for each in shifts]

    @torch.no_grad()
    def encode(self, image: Tensor) -> Tensor:
        """[1, 3, H, W], multiples of the prior's, to latents [offsets, C, h, w]."""
        views = spread(image, self.shifts, self._prior.size_multiple)
        return torch.cat([self._prior.encode(part) for part in views.split(self._batch)])

    @torch.no_grad()
    def decode(self, latents: Tensor, size: tuple[int, int]) -> Tensor:
        """Latents [offsets, C, h, w] of a picture of that (H, W) to the mean of their pictures, [1, 3, H, W]."""
        views = torch.cat([self._prior.decode(part) for part in latents.split(self._batch)])
        return gather(views, self.shifts, size)

    @torch.no_grad()
    def decode_first(self, latents: Tensor, size: tuple[int, int]) -> Tensor:
        """The picture [1, 3, H, W] of the first offset alone, for a quick look."""
        return gather(self._prior.decode(latents[:1]), self.shifts[:1], size)


def _moved(shifts: Sequence[Shift], pixels: int, factor: int) -> list[Shift]:
    """The offsets of a grid of `factor` pixels, so many further along both sides, each 1 to `factor` as they were."""
    return [((down + pixels - 1) % factor + 1, (right + pixels - 1) % factor + 1) for down, right in shifts]
