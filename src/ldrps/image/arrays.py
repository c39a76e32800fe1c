"""Arrays as input, numpy [H, W, 3] and torch [3, H, W], checked rather than guessed at; and pixels as arrays."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.masked import MaskedTensor

from ldrps.errors import InputError, require
from ldrps.image.limits import refuse_large, refuse_small
from ldrps.image.room import room

_ONE, _MANY = "(3, height, width) or (1, 3, height, width)", "(B, 3, height, width)"
_ALPHA = "pass a PIL image, whose alpha is kept, or drop the fourth channel"


def from_numpy(array: NDArray[Any], max_pixels: int) -> Tensor:
    """uint8, uint16 or floating [H, W, 3], the last in [0, 1], to float32 [1, 3, H, W]; a copy.

    Raises:
        InputError: for masks, dtype, rank, channels, size, NaN or range, in this order.
    """
    name = f"the array of shape {array.shape}"
    if "numpy.ma" in sys.modules and np.ma.is_masked(array):  # else there is none; to load it takes 25 ms
        raise InputError(f"{name} has {np.ma.count_masked(array):,} masked values: fill them in, a.filled(value)")
    array = np.asarray(array)  # one of a kind of its own, such as a masked one with nothing masked, as a plain one
    levels = array.dtype in (np.uint8, np.uint16)
    if not levels and not np.issubdtype(array.dtype, np.floating):
        raise InputError(
            f"{name} is of type {array.dtype}: give uint8 in 0 .. 255, uint16 in 0 .. 65535, or floats in [0, 1]"
        )
    if array.ndim == 2 or (array.ndim == 3 and array.shape[2] == 1):
        raise InputError(f"{name} has one channel: repeat it to three, np.dstack([a] * 3)")
    if array.ndim != 3:
        raise InputError(f"{name} has {array.ndim} axes, not the three of (height, width, 3): give one picture")
    if array.shape[2] != 3:
        remedy = "give three"
        if array.shape[2] == 4:
            remedy = _ALPHA
        elif array.shape[0] == 3:
            remedy = "channels come last here, np.moveaxis(a, 0, 2)"
        raise InputError(f"{name} has {array.shape[2]} channels, not 3: {remedy}")
    height, width = array.shape[:2]
    refuse_large(name, width, height, max_pixels)
    refuse_small(name, width, height)
    if levels:
        return pixels(array)
    if array.dtype.itemsize > 8:  # torch has no type as wide as longdouble
        array = array.astype(np.float64)
    # A copy in native byte order: torch takes no other, and the picture must not change with the caller's array.
    values = torch.from_numpy(array.astype(array.dtype.newbyteorder("=")))
    refuse_values(name, values)
    return room(1, 3, *values.shape[:2]).copy_(values.permute(2, 0, 1)[None])


def from_tensor(tensor: Tensor, max_pixels: int) -> Tensor:
    """Floating [3, H, W] or [1, 3, H, W] in [0, 1], on any device, to float32 [1, 3, H, W] on the CPU; a copy.

    Raises:
        InputError: for layout, dtype, rank, channels, size, NaN or range, in this order.
    """
    name = _floats(tensor)
    if tensor.ndim == 4 and len(tensor) > 1:
        raise InputError(f"{name} holds {len(tensor)} pictures: give them one at a time, x[i]")
    batch = tensor if tensor.ndim == 4 else tensor[None]
    _refuse_channels(name, batch, _ONE)
    return _planes(name, batch, max_pixels)


def from_batch(batch: Tensor, max_pixels: int) -> Tensor:
    """Floating [B, 3, H, W] in [0, 1], on any device, to float32 on the CPU; a copy. Each has `max_pixels` at most.

    Raises:
        InputError: as `check_batch` and `from_tensor`.
    """
    return _planes(check_batch(batch), batch, max_pixels)


def check_batch(batch: Tensor) -> str:
    """What a batch is called in errors, once it is one of floats [B, 3, H, W], whatever their values.

    Raises:
        InputError: it is no tensor, or for layout, dtype, rank, channels or size, in this order.
    """
    require(batch, Tensor, "the batch", "give a torch tensor [B, 3, H, W]")
    name = _floats(batch)
    if batch.ndim < 4:
        raise InputError(f"{name} is no batch: give {_MANY}, x[None] of one picture (3, height, width)")
    _refuse_channels(name, batch, _MANY)
    return name


def _floats(tensor: Tensor) -> str:
    """What a tensor is called in errors, once it is one of floats that are all there.

    Raises:
        InputError: it is nested, sparse, masked or without values; or its type is no float of 16 bits or more.
    """
    if tensor.is_nested:  # which cannot even tell its shape
        raise InputError("the tensor is a nested one: give its pictures one at a time, x.unbind()[i]")
    name = f"the tensor of shape {tuple(tensor.shape)}"
    if isinstance(tensor, MaskedTensor):
        raise InputError(f"{name} is masked: fill in what is masked, x.to_tensor(value)")
    if tensor.is_meta:
        raise InputError(f"{name} is on the device meta, where there are no values: give one that holds the picture")
    if tensor.layout != torch.strided:
        raise InputError(f"{name} is of the layout {tensor.layout}: give a dense one, x.to_dense()")
    if not tensor.is_floating_point() or tensor.dtype.itemsize < 2:
        raise InputError(
            f"{name} is of type {tensor.dtype}: give floats of 16 bits or more in [0, 1], x.float(), or "
            "x.float() / 255 if it holds bytes"
        )
    return name


def _refuse_channels(name: str, batch: Tensor, wanted: str) -> None:
    """Raise InputError unless a tensor is [B, 3, H, W] and not empty; `wanted` is the shape that it asks for."""
    inner = tuple(batch.shape[1:])
    if len(inner) == 2 or (len(inner) == 3 and inner[0] == 1):
        remedy = "x.repeat(1, 3, 1, 1)" if wanted == _MANY else "x.reshape(1, *x.shape[-2:]).repeat(3, 1, 1)"
        raise InputError(f"{name} has one channel: repeat it to three, {remedy}")
    if len(inner) != 3:
        raise InputError(f"{name} has {len(inner)} axes to a picture, not three: give {wanted}")
    if inner[0] != 3:
        remedy = "give three"
        if inner[0] == 4:
            remedy = _ALPHA
        elif inner[2] == 3:
            remedy = "channels come first here, x.movedim(-1, -3)"
        raise InputError(f"{name} has {inner[0]} channels, not 3: {remedy}")
    if 0 in batch.shape:  # also an empty batch, whose height and width may be good
        raise InputError(f"{name} is empty: give a picture of at least 32 pixels a side")


def _planes(name: str, batch: Tensor, max_pixels: int) -> Tensor:
    """Floats [B, 3, H, W] in [0, 1] as float32 on the CPU; a copy."""
    height, width = batch.shape[-2:]
    refuse_large(name, width, height, max_pixels)
    refuse_small(name, width, height)
    values = batch.detach().cpu()
    refuse_values(name, values)
    return room(*values.shape).copy_(values)  # never the caller's memory, which may change


def refuse_values(name: str, values: Tensor) -> None:
    """Raise InputError for floats that are NaN, infinite or outside [0, 1]."""
    bad = int((~values.isfinite()).sum())
    if bad:
        raise InputError(f"{name} holds {bad:,} values that are NaN or infinite: replace them, or give the original")
    low, high = float(values.min()), float(values.max())
    if low < 0 or high > 1:
        raise InputError(
            f"{name} has values from {low:.6g} to {high:.6g}, outside [0, 1]: "
            "divide by 255 if it holds bytes, or clip it if they overshoot"
        )


def peak(levels: NDArray[Any]) -> int:
    """The level that means 1: 255 of uint8, 65535 of uint16."""
    return int(np.iinfo(levels.dtype).max)


def pixels(array: NDArray[Any]) -> Tensor:
    """uint8 or uint16 [H, W, 3], or [H, W, 1] that is repeated, to float32 [1, 3, H, W] in [0, 1]; a copy."""
    height, width = array.shape[:2]
    values = room(1, 3, height, width)
    for rows in row_blocks(height, width):
        part = np.ascontiguousarray(array[rows].transpose(2, 0, 1)).astype(np.float32)
        values[0, :, rows] = torch.from_numpy(part).div_(peak(array))
    return values


def row_blocks(height: int, width: int) -> Iterator[slice]:
    """Rows from top to bottom, as many at a time as hold about four megapixels: what is done to them needs no more."""
    step = max(1, 2**22 // max(1, width))
    for top in range(0, height, step):
        yield slice(top, min(height, top + step))


def in_bytes(levels: NDArray[Any]) -> NDArray[np.uint8]:
    """uint8 or uint16 of any shape as the nearest uint8; such as are uint8 are not copied."""
    return levels if levels.dtype == np.uint8 else _BYTES[levels]


def as_image(levels: NDArray[Any], profile: bytes | None = None) -> Image.Image:
    """uint8 or uint16 [H, W, 1 .. 4] as a PIL image of mode L, LA, RGB or RGBA, of 8 bits, with a colour profile."""
    values = in_bytes(levels)
    image = Image.fromarray(np.ascontiguousarray(values[..., 0] if values.shape[2] == 1 else values))
    if profile:
        image.info["icc_profile"] = profile  # pixels without their space would show in wrong colours
    return image


def to_pil(image: Tensor) -> Image.Image:
    """Floating [3, H, W] to a PIL image, clamped to [0, 1] and rounded to bytes: to look at."""
    return Image.fromarray((255 * image.detach().cpu().clamp(0, 1)).round().byte().permute(1, 2, 0).numpy())


_BYTES = ((np.arange(65536) + 128) // 257).astype(np.uint8)  # v / 257, halves up
