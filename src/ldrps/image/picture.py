"""The input contract: whatever a caller has, checked and turned into one form, and the way back."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from ldrps.errors import InputError, LdrpsError, require
from ldrps.image.arrays import as_image, from_numpy, from_tensor, peak, row_blocks
from ldrps.image.cargo import NO_CARGO, Cargo
from ldrps.image.content import Content, find_content
from ldrps.image.decode import Decoded, decode_file, decode_image
from ldrps.image.formats import ALPHA
from ldrps.image.limits import MAX_PIXELS
from ldrps.image.mask import MaskSource, PixelMask, load_mask
from ldrps.image.original import Original
from ldrps.image.space import Profiled, in_grey, srgb_profile

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture to be restored, with what must survive the restoration.

    Attributes:
        rgb: float32 [1, 3, H, W] in [0, 1], upright, on the CPU, in sRGB.
        alpha: transparency as a PIL image of the same size, of mode L, or I;16 if `bits` is 16; or None. Passed through
            untouched.
        grey: whether the source had one channel; the result is turned back to one.
        icc_profile: the embedded colour profile, verbatim, or None.
        exif: EXIF data without orientation and thumbnail, or None.
        source: the path, or "array".
        bits: of a channel of the source, 8 or 16; the result has as many. Floats count as 16 in files and PIL images,
            as 8 in arrays and tensors.
        bilevel: whether the source has one bit a pixel, or a palette of which no more than two colours are used.
        xmp: an XMP packet without orientation and thumbnails, or None.
        dpi: pixels per inch, across and down, or None.
        profiled: the source in its own colour space, if that is not sRGB, to take the result back there.
        original: the file that it was read from; None of what did not come from a file.
        cargo: what else is in that file, and is taken along.
        scale: how many times larger it was made each way since it was read.
        lost: which pixels are lost, and are to be filled; None for none of them.
        protected: which pixels come back as they are; None for none of them.
    """

    rgb: Tensor = field(repr=False)
    alpha: Image.Image | None = None
    grey: bool = False
    icc_profile: bytes | None = field(default=None, repr=False)
    exif: bytes | None = field(default=None, repr=False)
    source: str = "array"
    bits: int = 8
    bilevel: bool = False
    xmp: bytes | None = field(default=None, repr=False)
    dpi: tuple[float, float] | None = None
    profiled: Profiled | None = field(default=None, repr=False)
    original: Original | None = field(default=None, repr=False)
    cargo: Cargo = field(default=NO_CARGO, repr=False)
    scale: float = 1.0
    lost: PixelMask | None = None
    protected: PixelMask | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.rgb.shape[-1], self.rgb.shape[-2]

    @property
    def has_shades(self) -> bool:
        """Whether there is more in it than two colours of a palette, or than black, white and pure colours, as in a
        scan of text.
        """
        blocks = (self.rgb[..., rows, :] for rows in row_blocks(*self.rgb.shape[-2:]))
        return not self.bilevel and not all(bool(((part == 0) | (part == 1)).all()) for part in blocks)

    @cached_property
    def opacity(self) -> Tensor | None:
        """Its alpha, [1, 1, H, W] from 0, transparent, to 1; None without."""
        if self.alpha is None:
            return None
        alpha = np.asarray(self.alpha)
        return torch.from_numpy(alpha.astype(np.float32) / peak(alpha))[None, None]

    @cached_property
    def known(self) -> Tensor | None:
        """How much each pixel tells of what the picture shows, [1, 1, H, W]: nothing where it is transparent or lost.

        None where all tell as much.
        """
        if self.lost is None:
            return self.opacity
        there = 1 - self.lost.values
        return there if self.opacity is None else there * self.opacity

    @cached_property
    def content(self) -> Content:
        """The photograph in it, within bars and frames, and how visible that is."""
        return find_content(self.rgb, self.known)

    def with_masks(self, holes: MaskSource | None, protected: MaskSource | None) -> Picture:
        """As `with_holes` and `with_protection`; None is no mask."""
        picture = self if holes is None else self.with_holes(holes)
        return picture if protected is None else picture.with_protection(protected)

    def with_holes(self, mask: MaskSource) -> Picture:
        """The same with pixels that are lost: white in the mask, in part where it is grey.

        `ALPHA` in place of a mask stands for what is transparent; the picture then has no more alpha. What of a mask is
        black all over is logged.

        Raises:
            InputError: as `load_mask`; a mask of another size, or one that leaves nothing to fill from; no alpha.
        """
        picture = self
        if isinstance(mask, str) and mask == ALPHA:
            if self.opacity is None:
                raise InputError(f"{self.source} has no transparency, so the mask {ALPHA!r} is none: give a mask")
            mask = PixelMask(1 - self.opacity, ALPHA)
            picture = replace(self, alpha=None, original=None)
        lost = load_mask(mask)
        lost.check_size(self.size, self.source)
        if not bool((lost.values > 0).any()):
            logger.warning("%s: nothing of %s is white, so nothing is filled", self.source, lost.name)
            return self
        filled = replace(picture, lost=lost)
        assert filled.known is not None
        if not bool((filled.known > 0).any()):
            raise InputError(f"{self.source} has nothing left where {lost.name} is not white: white is what is filled")
        return filled

    def with_protection(self, mask: MaskSource) -> Picture:
        """The same with pixels that come back as they are: white in the mask, in part where it is grey.

        What of a mask is all black, or all white, is logged.

        Raises:
            InputError: as `load_mask`; a mask of another size.
        """
        protected = load_mask(mask)
        protected.check_size(self.size, self.source)
        if not bool((protected.values > 0).any()):
            logger.warning("%s: nothing of %s is white, so nothing is protected", self.source, protected.name)
            return self
        if bool((protected.values == 1).all()):
            logger.warning("%s: all of %s is white, so nothing is changed", self.source, protected.name)
        return replace(self, protected=protected)

    def keep_protected(self, rgb: Tensor) -> Tensor:
        """A result [1, 3, H, W] with what is protected as it was, to the bit; in part a blend of what is shown."""
        return rgb if self.protected is None else torch.lerp(rgb.clamp(0, 1), self.rgb, self.protected.values)

    def in_colour(self) -> Picture:
        """The same picture as one whose result has three channels; a profile of grey values does not go with those."""
        if not self.grey:
            return self
        return replace(self, grey=False, icc_profile=None, profiled=None, cargo=self.cargo.in_other_colours())


Source = str | Path | Image.Image | NDArray[Any] | Tensor | Picture  # what may be restored; see `load_picture`


def load_picture(
    image: str | Path | Image.Image | NDArray[Any] | Tensor,
    *,
    max_pixels: int = MAX_PIXELS,
    first_frame: bool = False,
) -> Picture:
    """Read, check and normalise an image.

    Files (PNG, JPEG, MPO, WEBP, TIFF, BMP, GIF, AVIF, and HEIC with the extra `heif`, told by content) and PIL images
    of any mode are turned upright as their EXIF data says, and converted to sRGB as their profile says, and alpha; of
    several frames or pages in a file `first_frame` takes the first. PNG and TIFF may have 16 bits a channel, TIFF also
    floats in [0, 1]; PIL's modes "I" and "F" must hold 0 .. 65535 and [0, 1]. Arrays are numpy [H, W, 3], uint8, uint16
    or floating in [0, 1], and torch [3, H, W] or [1, 3, H, W], floating in [0, 1]. The picture shares no memory with
    `image`.

    Raises:
        InputError: a file that is missing, a folder, not an image, or of several without `first_frame`; more than
            `max_pixels`, or a side below 32 pixels, told from the header before anything is decoded; damaged or cut
            data. An array of the wrong type, rank or number of channels, too many pixels, none, too few, NaN or
            infinite values, values outside [0, 1]. Each in this order.
    """
    require(max_pixels, int, "max_pixels", "give a whole number")
    if isinstance(image, np.ndarray):
        return Picture(from_numpy(image, max_pixels), bits=16 if image.dtype == np.uint16 else 8)
    if isinstance(image, Tensor):
        return Picture(from_tensor(image, max_pixels))
    if isinstance(image, Image.Image):
        source = os.fsdecode(getattr(image, "filename", ""))
        return _picture(decode_image(image, source or "the image", max_pixels), source or "array")
    if isinstance(image, str | Path):
        return _picture(decode_file(Path(image), max_pixels, first_frame=first_frame), str(image))
    raise InputError(f"an image cannot be a {type(image).__name__}: give a path, a PIL image, a numpy or torch array")


def to_levels(picture: Picture, rgb: Tensor) -> NDArray[Any]:
    """The restored picture as integers like its source's: [H, W, C] of colour and alpha, uint8 or uint16 by its `bits`.

    `rgb` is floating [1, 3, H, W] of sRGB on any device, of the picture's size, nominally in [0, 1]; clamped, brought
    into the source's colour space, then rounded. The picture's own `rgb` gives the source back, bit for bit.

    Raises:
        LdrpsError: `rgb` has another shape or type, or holds NaN or infinite values: no such picture is ever written.
    """
    if rgb.shape != picture.rgb.shape or not rgb.is_floating_point():
        raise LdrpsError(
            f"the result for {picture.source} is {rgb.dtype} of shape {tuple(rgb.shape)}, not floating "
            f"{tuple(picture.rgb.shape)}: crop what was padded before it is turned into an image"
        )
    width, height = picture.size
    blocks = list(row_blocks(height, width))  # in blocks, as 100 megapixels of floats are 1.2 GB
    bad = sum(int((~rgb[..., rows, :].isfinite()).sum()) for rows in blocks)
    if bad:
        raise LdrpsError(
            f"the result for {picture.source} has {bad:,} of {rgb.numel():,} values that are NaN or infinite, so it is "
            "not written: try again in float32, or with weaker guidance"
        )
    colours = 1 if picture.grey else 3
    channels = colours + (picture.alpha is not None)
    levels = np.empty((height, width, channels), np.uint16 if picture.bits == 16 else np.uint8)
    for rows in blocks:
        levels[rows, :, :colours] = _colours(picture, rgb, rows, peak(levels))
    if picture.alpha is not None:
        levels[..., colours] = np.asarray(picture.alpha)
    return levels


def are_own(picture: Picture, levels: NDArray[Any]) -> bool:
    """Whether levels that `to_levels` made of a result show the picture as it was read; alpha is as it was in any case.

    In blocks, the first of which mostly tells. A picture that was enlarged is no more as it was read.
    """
    if picture.scale != 1:
        return False
    colours = 1 if picture.grey else 3
    return all(
        np.array_equal(levels[rows, :, :colours], _colours(picture, picture.rgb, rows, peak(levels)))
        for rows in row_blocks(*levels.shape[:2])
    )


def _colours(picture: Picture, rgb: Tensor, rows: slice, white: int) -> NDArray[Any]:
    """Some rows of a result as whole numbers from 0 to `white`, float32 [h, W, 1 or 3]."""
    planes = rgb[0, :, rows].detach().cpu().float().clamp(0, 1)  # [3, h, W]
    if picture.profiled is not None:
        planes = picture.profiled.changed(rows, picture.rgb[0, :, rows], planes).clamp_(0, 1)
    elif picture.grey:
        planes = in_grey(planes)
    # floor(v + 1/2): rounding would send halves to even, and a cast everything down.
    return planes.mul(white).add_(0.5).floor_().permute(1, 2, 0).numpy()


def to_image(picture: Picture, rgb: Tensor) -> Image.Image:
    """As `to_levels`, as a PIL image of 8 bits: mode L, LA, RGB or RGBA, with the source's profile."""
    return as_image(to_levels(picture, rgb), picture.icc_profile)


def to_srgb(picture: Picture, levels: NDArray[Any]) -> tuple[Picture, NDArray[Any]]:
    """Levels of a result in the source's colour space, as `to_levels` makes them, in sRGB, and the picture to match.

    Colours that sRGB cannot show are moved to its border. Grey stays grey, without a profile, which is read as sRGB.
    """
    profile = None if picture.grey else srgb_profile()
    cargo = replace(picture.cargo, points=b"") if picture.profiled is None else picture.cargo.in_other_colours()
    alike = replace(picture, icc_profile=profile, profiled=None, cargo=cargo)
    if picture.profiled is None:
        return alike, levels
    colours = picture.profiled.levels.shape[2]
    moved = to_levels(replace(alike, alpha=None), Profiled(levels[..., :colours], picture.profiled.space).in_srgb())
    return alike, np.concatenate([moved, levels[..., colours:]], -1)


def _picture(decoded: Decoded, source: str) -> Picture:
    fields = decoded._asdict() | decoded.metadata._asdict()
    del fields["metadata"]
    return Picture(**fields, source=source)
