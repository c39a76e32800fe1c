"""What no restoration looks like: networks that overflow give black, constant or undefined pictures without a word."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from ldrps.errors import LdrpsError

_CELL, _BLOCK = 64, 8  # pixels a side; structure is told by the means of blocks, in which noise averages away
_STRUCTURE, _NONE = 6 / 255, 1e-4  # deviation in a cell
_BLACK, _NOT_BLACK = 0.5 / 255, 4 / 255  # means
_INSIDE = 0.01  # of black and white: what lies beyond may have been clipped


def check_restored(before: Tensor, after: Tensor, name: str) -> None:
    """Refuse a result [1, 3, H, W] of the picture or window `before` that can only be a failure.

    Raises:
        LdrpsError: it has values that are NaN or infinite; it is black, where the picture is not; or a cell of 64
            pixels a side, where the picture has structure, is of one colour, neither black nor white.
    """
    remedy = "so it is not written: try again in float32, or with weaker guidance"
    bad = int((~after.isfinite()).sum())
    if bad:
        raise LdrpsError(
            f"the result for {name} has {bad:,} of {after.numel():,} values that are NaN or infinite, {remedy}"
        )
    if float(after.mean()) < _BLACK and float(before.mean()) > _NOT_BLACK:
        raise LdrpsError(f"the result for {name} is black, which the picture is not, {remedy}")
    cell = min(_CELL, *after.shape[-2:])
    mean, deviation = _statistics(after, cell)
    one_colour = (deviation < _NONE).all(1) & ((mean > _INSIDE) & (mean < 1 - _INSIDE)).any(1)
    if one_colour.any():
        _, structure = _statistics(F.avg_pool2d(before.to(after.device), _BLOCK), max(1, cell // _BLOCK))
        dead = one_colour[..., : structure.shape[-2], : structure.shape[-1]] & (structure > _STRUCTURE).any(1)
        if dead.any():
            places = f"{int(dead.sum())} places of one colour where the picture has detail"
            raise LdrpsError(f"the result for {name} has {places}, {remedy}")


def _statistics(image: Tensor, cell: int) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation in each whole cell of an image [1, C, H, W], each [1, C, rows, columns]."""
    cells = image.float().unfold(2, cell, cell).unfold(3, cell, cell).flatten(4)
    return cells.mean(-1), cells.std(-1, correction=0)
