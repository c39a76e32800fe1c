"""Masks that people draw: which pixels of a picture are lost, or are to stay as they are."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from ldrps.errors import InputError
from ldrps.image.arrays import peak, refuse_values
from ldrps.image.decode import Decoded, decode_file, decode_image
from ldrps.image.limits import MAX_PIXELS, another_size

_NEARLY = 8 / 255  # nearer to black or to white is black or white: JPEG ripples
_COLOUR = 24 / 255  # channels further apart than this are a colour, not what JPEG made of grey
_WANTED = "give a grey one, white where it holds and black elsewhere"


@dataclass(frozen=True, eq=False)
class PixelMask:
    """How much something holds for each pixel of a picture.

    Attributes:
        values: float32 [1, 1, H, W] in [0, 1], 1 where the mask is white; upright, as the picture is shown.
        name: the file that it is from, "alpha", or "the mask" of what has no name.
        found: whether nobody drew it: it is of what a network took for marks.
    """

    values: Tensor = field(repr=False)
    name: str = "the mask"
    found: bool = False

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.values.shape[-1], self.values.shape[-2]

    @cached_property
    def sha256(self) -> str:
        """Of its size and its values in 16 bits: of the same mask in another file it is the same."""
        digest = hashlib.sha256(f"{self.size[0]}x{self.size[1]} ".encode())
        digest.update((65535 * self.values.numpy()).round().astype("<u2").tobytes())
        return digest.hexdigest()

    def image(self) -> Image.Image:
        """As a grey picture of 8 bits, white where it holds, which `load_mask` reads."""
        return Image.fromarray((255 * self.values[0, 0]).round().byte().numpy())

    def check_size(self, size: tuple[int, int], source: str) -> None:
        """Raise InputError unless it has the (width, height) of the picture `source`."""
        if self.size != size:
            raise another_size(self.name, self.size, source, size)


MaskSource = str | Path | Image.Image | NDArray[Any] | Tensor | PixelMask  # what may be a mask; see `load_mask`


def load_mask(mask: MaskSource, *, max_pixels: int = MAX_PIXELS) -> PixelMask:
    """Read, check and normalise a mask.

    Files and PIL images are read as pictures are (`load_picture`), turned upright by EXIF data of their own; they are
    grey or look it, and what is transparent in them is black. Arrays are numpy [H, W], of bool, uint8, uint16 or floats
    in [0, 1], and torch the same, or [1, H, W] or [1, 1, H, W]. It shares no memory with `mask`.

    Raises:
        InputError: as `load_picture` for files and PIL images; a mask with colours; an array of the wrong type or
            rank, without pixels, or with values that are NaN or outside [0, 1].
    """
    if isinstance(mask, PixelMask):
        return mask
    if isinstance(mask, np.ndarray | Tensor):
        return PixelMask(_clean(_from_array(mask)))
    if isinstance(mask, Image.Image):
        name = os.fsdecode(getattr(mask, "filename", "")) or "the mask"
        return PixelMask(_clean(_from_image(decode_image(mask, name, max_pixels), name)), name)
    if isinstance(mask, str | Path):
        name = str(mask)
        return PixelMask(_clean(_from_image(decode_file(Path(mask), max_pixels), name)), name)
    raise InputError(f"a mask cannot be a {type(mask).__name__}: give a path, a PIL image, a numpy or torch array")


def _from_image(decoded: Decoded, name: str) -> Tensor:
    rgb = decoded.rgb
    apart = float((rgb.amax(1) - rgb.amin(1)).max())
    if apart > _COLOUR:
        raise InputError(f"{name} has colours, up to {round(255 * apart)} of 255 from grey: {_WANTED}")
    values = rgb.mean(1, keepdim=True)
    if decoded.alpha is not None:
        alpha = np.asarray(decoded.alpha)
        values = values * torch.from_numpy(alpha.astype(np.float32) / peak(alpha))[None, None]
    return values


def _from_array(mask: NDArray[Any] | Tensor) -> Tensor:
    kind, shape = "tensor" if isinstance(mask, Tensor) else "array", tuple(mask.shape)
    name = f"the mask, {'a' if kind == 'tensor' else 'an'} {kind} of shape {shape},"
    inner = shape[next((k for k, side in enumerate(shape[:-2]) if side != 1), max(len(shape) - 2, 0)) :]
    if len(inner) != 2 or len(shape) > 4:
        raise InputError(f"{name} is not of one channel: give (height, width)")
    if 0 in inner:
        raise InputError(f"{name} has no pixels: give one of the picture's size")
    values = mask.detach().cpu() if isinstance(mask, Tensor) else _as_tensor(mask, name)
    values = values.reshape(1, 1, *inner)
    if values.is_floating_point():
        refuse_values(name.rstrip(","), values)
        return torch.empty(values.shape).copy_(values)  # never the caller's memory, which may change
    if values.dtype not in (torch.bool, torch.uint8):
        raise InputError(f"{name} is of type {values.dtype}: give bool, uint8 in 0 .. 255, or floats in [0, 1]")
    return values.float() / (1 if values.dtype == torch.bool else 255)


def _as_tensor(mask: NDArray[Any], name: str) -> Tensor:
    if mask.dtype == np.uint16:
        return torch.from_numpy(mask.astype(np.float32) / 65535)
    if np.issubdtype(mask.dtype, np.floating):
        return torch.from_numpy(mask.astype(np.float64))
    if mask.dtype not in (np.bool_, np.uint8):
        raise InputError(f"{name} is of type {mask.dtype}: give bool, uint8, uint16, or floats in [0, 1]")
    return torch.from_numpy(mask.copy())


def _clean(values: Tensor) -> Tensor:
    """What is nearly black or white as if it were."""
    values = torch.where(values < _NEARLY, 0.0, values)
    return torch.where(values > 1 - _NEARLY, 1.0, values).contiguous()
