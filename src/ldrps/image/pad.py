"""Padding up to the sizes that networks take, and its undoing."""

from __future__ import annotations

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor

from ldrps.errors import InputError


def pad_to_multiple(x: Tensor, multiple: int) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
    """Pad [B, C, H, W] at the right and the bottom until H and W are multiples of `multiple`; also return the undoing.

    The picture is reflected; along an axis that is too short for that, its edge is repeated. `x` itself comes back
    where nothing is to be padded. The undoing takes any [..., H', W'] of the padded size and gives [..., H, W].

    Raises:
        InputError: `multiple` is below 1, `x` is not [B, C, H, W] with pixels, or what is to be cropped has not the
            padded size.
    """
    if multiple < 1:
        raise InputError(f"a multiple of {multiple} cannot be padded to: give 1 or more")
    if x.ndim != 4 or min(x.shape[-2:]) < 1:
        raise InputError(f"a tensor of shape {tuple(x.shape)} cannot be padded: give [B, C, H, W] with pixels")
    height, width = x.shape[-2:]
    bottom, right = -height % multiple, -width % multiple
    padded = x
    for amount, length, sides in ((right, width, (0, right, 0, 0)), (bottom, height, (0, 0, 0, bottom))):
        if amount:
            padded = F.pad(padded, sides, mode="reflect" if amount < length else "replicate")
    size = padded.shape[-2:]

    def crop(y: Tensor) -> Tensor:
        if y.shape[-2:] != size:
            raise InputError(f"a tensor of shape {tuple(y.shape)} cannot be cropped: it must be padded, {tuple(size)}")
        return y[..., :height, :width]

    return padded, crop
