"""The input contract: whatever a caller has, checked and turned into one form, and the way back."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from ldrps.errors import InputError, LdrpsError
from ldrps.image.arrays import from_numpy, from_tensor
from ldrps.image.decode import decode_file, decode_image
from ldrps.image.limits import MAX_PIXELS

LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601, as Pillow's own conversion to L


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture to be restored, with what must survive the restoration.

    Attributes:
        rgb: float32 [1, 3, H, W] in [0, 1], upright, on the CPU, in the colour space of the file.
        alpha: transparency as a PIL image of mode L and the same size, or None. Passed through untouched.
        grey: whether the source had one channel; the result is turned back to one.
        icc_profile: the embedded colour profile, verbatim, or None.
        exif: EXIF data without orientation and thumbnail, or None.
        source: the path, or "array".
    """

    rgb: Tensor = field(repr=False)
    alpha: Image.Image | None = None
    grey: bool = False
    icc_profile: bytes | None = field(default=None, repr=False)
    exif: bytes | None = field(default=None, repr=False)
    source: str = "array"

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.rgb.shape[-1], self.rgb.shape[-2]

    def in_colour(self) -> Picture:
        """The same picture as one whose result has three channels; a profile of grey values does not go with those."""
        return replace(self, grey=False, icc_profile=None) if self.grey else self


def load_picture(image: str | Path | Image.Image | NDArray[Any] | Tensor, *, max_pixels: int = MAX_PIXELS) -> Picture:
    """Read, check and normalise an image.

    Files (PNG, JPEG, MPO, WEBP, TIFF, BMP, GIF, AVIF, told by content) and PIL images of any mode are turned upright as
    their EXIF data says, and converted to RGB and alpha; of several frames in a file the first is taken, 16-bit colour
    becomes 8-bit, and both are logged. Grey may have 16 bits; PIL's modes "I" and "F" must hold 0 .. 65535 and [0, 1].
    Arrays are numpy [H, W, 3], uint8 or floating in [0, 1], and torch [3, H, W] or [1, 3, H, W], floating in [0, 1].
    The picture shares no memory with `image`.

    Raises:
        InputError: a file that is missing, a folder, or not an image; more than `max_pixels`, told from the header
            before anything is decoded; damaged or cut data; no pixels; a side below 32 pixels. An array of the wrong
            type, rank or number of channels, too many pixels, none, too few, NaN or infinite values, values outside
            [0, 1]. Each in this order.
    """
    if isinstance(image, np.ndarray):
        return Picture(from_numpy(image, max_pixels))
    if isinstance(image, Tensor):
        return Picture(from_tensor(image, max_pixels))
    if isinstance(image, Image.Image):
        source = os.fsdecode(getattr(image, "filename", ""))
        return Picture(*decode_image(image, source or "the image", max_pixels), source=source or "array")
    if isinstance(image, str | Path):
        return Picture(*decode_file(Path(image), max_pixels), source=str(image))
    raise InputError(f"an image cannot be a {type(image).__name__}: give a path, a PIL image, a numpy or torch array")


def to_image(picture: Picture, rgb: Tensor) -> Image.Image:
    """The restored picture as a PIL image like its source: mode L, LA, RGB or RGBA, with the source's profile.

    `rgb` is floating [1, 3, H, W] on any device, of the picture's size, nominally in [0, 1]; clamped, then rounded.

    Raises:
        LdrpsError: `rgb` has another shape or type, or holds NaN or infinite values: no such picture is ever written.
    """
    if rgb.shape != picture.rgb.shape or not rgb.is_floating_point():
        raise LdrpsError(
            f"the result for {picture.source} is {rgb.dtype} of shape {tuple(rgb.shape)}, not floating "
            f"{tuple(picture.rgb.shape)}: crop what was padded before it is turned into an image"
        )
    rgb = rgb.detach().cpu().float()
    bad = int((~rgb.isfinite()).sum())
    if bad:
        raise LdrpsError(
            f"the result for {picture.source} has {bad:,} of {rgb.numel():,} values that are NaN or infinite, so it is "
            "not written: try again in float32, or with weaker guidance"
        )
    planes = rgb[0].clamp(0, 1)  # [3, H, W]
    if picture.grey:
        planes = torch.einsum("chw,c->hw", planes, torch.tensor(LUMA))[None]  # [1, H, W]
    # floor(v + 1/2): torch.round and Pillow's cast would send halves to even, and everything down.
    levels = planes.mul_(255).add_(0.5).floor_().to(torch.uint8)  # in place: 100 megapixels are 1.2 GB each
    image = Image.fromarray(np.ascontiguousarray(levels.permute(1, 2, 0).squeeze(2).numpy()))
    if picture.alpha is not None:
        image.putalpha(picture.alpha)
    if picture.icc_profile:
        image.info["icc_profile"] = picture.icc_profile  # pixels without their space would show in wrong colours
    return image
