"""Padding up to the sizes that networks take, and its undoing."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from ldrps.errors import InputError
from ldrps.image.room import is_large, room


def pad_to_multiple(
    x: Tensor, multiple: int, *, before: tuple[int, int] = (0, 0)
) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
    """Pad [B, C, H, W] at the right and the bottom until H and W are multiples of `multiple`; also return the undoing.

    `before` are the pixels to add at the top and at the left, if any. The picture is reflected; along an axis that is
    too short for that, its edge is repeated. `x` itself comes back where nothing is to be padded. The undoing takes
    any [..., H', W'] of the padded size and gives [..., H, W].

    Raises:
        InputError: `multiple` is below 1, `before` is negative, `x` is not [B, C, H, W] with pixels, or what is to be
            cropped has not the padded size.
    """
    if multiple < 1:
        raise InputError(f"a multiple of {multiple} cannot be padded to: give 1 or more")
    if x.ndim != 4 or min(x.shape[-2:]) < 1:
        raise InputError(f"a tensor of shape {tuple(x.shape)} cannot be padded: give [B, C, H, W] with pixels")
    if min(before) < 0:
        raise InputError(f"{before} pixels cannot be added at the top and at the left: give 0 or more")
    height, width = x.shape[-2:]
    top, left = before
    bottom, right = -(top + height) % multiple, -(left + width) % multiple
    padded = x
    is_plain = x.device.type == "cpu" and x.dtype == torch.float32 and bottom < height and right < width
    if is_plain and not any(before) and (bottom or right) and is_large(height, width):
        padded = _in_file(x, bottom, right)
    elif bottom or right or any(before):
        for sides, length in (((left, right, 0, 0), width), ((0, 0, top, bottom), height)):
            if any(sides):
                padded = F.pad(padded, sides, mode="reflect" if max(sides) < length else "replicate")
    size = padded.shape[-2:]

    def crop(y: Tensor) -> Tensor:
        if y.shape[-2:] != size:
            raise InputError(f"a tensor of shape {tuple(y.shape)} cannot be cropped: it must be padded, {tuple(size)}")
        return y[..., top : top + height, left : left + width]

    return padded, crop


def _in_file(x: Tensor, bottom: int, right: int) -> Tensor:
    """[B, C, H, W] reflected at the right and the bottom, without another copy of it in memory."""
    height, width = x.shape[-2:]
    padded = room(*x.shape[:2], height + bottom, width + right)
    padded[..., :height, :width] = x
    if right:
        padded[..., :height, width:] = x[..., width - 1 - right : width - 1].flip(-1)
    if bottom:
        padded[..., height:, :] = padded[..., height - 1 - bottom : height - 1, :].flip(-2)
    return padded


def large_enough(x: Tensor, least: int) -> Tensor:
    """[B, C, H, W] as it is, or continued until both sides are `least` pixels or more, for who takes none smaller."""
    return pad_to_multiple(x, least)[0] if min(x.shape[-2:]) < least else x
