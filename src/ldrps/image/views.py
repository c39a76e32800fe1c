"""One picture as networks see it: on several offsets of their grid, reduced, in samples, or as a small square.

Averaging over offsets is cycle spinning (Coifman and Donoho 1995), as known from wavelet denoising: what depends on the
grid averages out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from ldrps.image.pad import pad_to_multiple
from ldrps.image.tiles import Window

Shift = tuple[int, int]  # pixels down, pixels to the right


def grid_shifts(count: int, factor: int) -> list[Shift]:
    """Offsets, 1 to `factor`, that spread evenly over the phases of a grid both ways (Hammersley's points).

    A count of 1 is the grid as it lies, an offset of 0.
    """
    if count == 1:
        return [(0, 0)]
    inverse = [int(f"{k:032b}"[::-1], 2) / 2**32 for k in range(count)]  # radical inverse of k to base 2
    return [(factor - k * factor // count, factor - int(x * factor)) for k, x in enumerate(inverse)]


def spread(image: Tensor, shifts: Sequence[Shift], multiple: int) -> Tensor:
    """Views [len(shifts), C, H', W'] of an image [1, C, H, W], each shifted and padded to multiples of `multiple`.

    H and W must be multiples themselves, so that all views come out equally large.
    """
    return torch.cat([pad_to_multiple(image, multiple, before=shift)[0] for shift in shifts])


def gather(views: Tensor, shifts: Sequence[Shift], size: tuple[int, int]) -> Tensor:
    """The mean [1, C, H, W] of views, shifted back; `size` is (H, W)."""
    height, width = size
    aligned = [
        view[:, down : down + height, right : right + width] for view, (down, right) in zip(views, shifts, strict=True)
    ]
    return torch.stack(aligned).mean(0, keepdim=True)


def thumbnail(image: Tensor, side: int) -> Tensor:
    """An image [1, C, H, W] of no more than side^2 pixels: itself, or reduced by averaging."""
    height, width = image.shape[-2:]
    shrink = side / (height * width) ** 0.5
    if shrink >= 1:
        return image
    return F.interpolate(image, (max(1, int(shrink * height)), max(1, int(shrink * width))), mode="area")


def _as_it_is(part: Tensor, window: Window) -> Tensor:
    return part


def mosaic(image: Tensor, side: int, seen: Callable[[Tensor, Window], Tensor] = _as_it_is) -> Tensor:
    """No more than side^2 pixels of an image [1, C, H, W] as they are: itself, or sixteen samples from all over it.

    The samples are equal and spread evenly, four by four, in the order in which they lie. `side` is a multiple of 4.
    `seen` may make something else of each, of the same size, told where it lies.
    """
    rows = samples(image.shape[-2], image.shape[-1], side)
    return torch.cat([torch.cat([seen(each.of(image), each) for each in row], -1) for row in rows], -2)


def samples(height: int, width: int, side: int, least: int = 1) -> list[list[Window]]:
    """No more than side^2 pixels of a picture of a size: rows of windows that spread evenly, or one of all of it.

    Of a narrow picture each window has `least` pixels a side, if it has so many, though they overlap then.
    """
    if height * width <= side**2:
        return [[Window(0, 0, height, width)]]
    tall, wide = (max(min(length, side) // 4, min(length, least)) for length in (height, width))
    return [[Window(top, left, tall, wide) for left in _spaced(width, wide)] for top in _spaced(height, tall)]


def _spaced(length: int, size: int) -> list[int]:
    """Where four samples begin that are spread evenly over a length."""
    return [round(k * (length - size) / 3) for k in range(4)]


def squared(photo: Tensor, side: int) -> Tensor:
    """The middle of a photo [1, 3, H, W], reduced to [1, 3, side, side]."""
    height, width = photo.shape[-2:]
    short = min(height, width)
    top, left = (height - short) // 2, (width - short) // 2
    middle = photo[..., top : top + short, left : left + short]
    return F.interpolate(middle, (side, side), mode="bicubic", antialias=True).clamp(0, 1)
