"""Image files and PIL images as input: what is opened, how far it is trusted, and how it becomes three planes."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
from PIL import Image
from torch import Tensor

from ldrps.image.arrays import pixels
from ldrps.image.cargo import NO_CARGO, Cargo, read_cargo, read_tiff_cargo
from ldrps.image.deep import Levels, deep_grey, read_png, read_tiff
from ldrps.image.frames import find_several, refuse_several
from ldrps.image.header import blaming, open_file, open_header, refuse_closed, refuse_header
from ldrps.image.limits import refuse_small
from ldrps.image.metadata import Metadata, orientation, read_metadata, read_tiff_metadata, tiff_orientation, upright
from ldrps.image.original import Original, original_of
from ldrps.image.space import Profiled, convert_to_srgb, read_profile, srgb_profile
from ldrps.image.stored import is_deep, layout
from ldrps.image.told import read_told

log = logging.getLogger(__name__)

_SCALES = {"L;2": 85, "L;4": 17}  # by which levels of 2 and 4 bits become bytes


class Decoded(NamedTuple):
    """What Picture holds, less its source."""

    rgb: Tensor
    alpha: Image.Image | None
    grey: bool
    bits: int
    bilevel: bool
    profiled: Profiled | None
    metadata: Metadata
    original: Original | None = None
    cargo: Cargo = NO_CARGO


def decode_file(path: Path, max_pixels: int, *, first_frame: bool = False) -> Decoded:
    """Read and check an image file. Of several frames or pages the first is taken where that is asked for.

    Raises:
        InputError: the file is missing, a folder, no image, of several pictures without `first_frame`, without pixels,
            too large, too small, all told from the header; or damaged; in this order.
    """
    name = str(path)
    with open_file(path) as file:
        with blaming(name):
            image = open_header(file, name)
            several = find_several(image, file)
        if not first_frame:
            refuse_several(several, name)
        with blaming(name):
            if image is None:
                levels = read_tiff(file, name, max_pixels)
                metadata = read_tiff_metadata(file, levels.size, name)
        decoded = (
            _checked(levels, metadata, name) if image is None else decode_image(image, name, max_pixels, file=file)
        )
        lost = [f"what follows the first of its {several.words}"] * bool(several.words)
        lost += ["its previews, which show it as it was,"] * several.previews
        cargo = replace(decoded.cargo, lost=(*decoded.cargo.lost, *lost))
        with blaming(name):
            original = original_of(path, file, image, holds_more=bool(several.words))
            return decoded._replace(original=original, cargo=cargo)


def decode_image(image: Image.Image, name: str, max_pixels: int, *, file: BinaryIO | None = None) -> Decoded:
    """Check a PIL image and turn it into planes, upright. The image itself is decoded if it was not, else untouched.

    `file` is what it was opened from: with that, colours of 16 bits are read as such, not as 8.

    Raises:
        InputError: the image is closed, too large, too small, damaged or of values out of range, in this order.
    """
    refuse_closed(image, name)
    with blaming(name):
        refuse_header(image, name, max_pixels, file)
    stored, deep = layout(image), file is not None and is_deep(image)
    turn = laid = tiff_orientation(image)  # which Pillow forgets as it turns the picture
    with blaming(name):
        if file is not None and deep and image.format == "TIFF":
            levels = read_tiff(file, name, max_pixels)
            metadata = read_metadata(image, laid, levels.size, name, from_file=True)
        else:
            image.load()  # of a deep PNG, too: EXIF data may follow the pixels, and Pillow checks more than OpenCV
            turn = orientation(image, name)
            standing = upright(image, turn)
            metadata = read_metadata(image, max(turn, laid), standing.size, name, from_file=file is not None)
            if file is not None and deep:
                levels = read_png(file, image.size, stored, turn, name)
            elif image.mode in ("CMYK", "LAB"):
                levels = _levels(convert_to_srgb(standing, metadata.icc_profile, name), stored, name)
                metadata = metadata._replace(icc_profile=srgb_profile())
            else:
                levels = _levels(standing, stored, name)
            if ";16" in stored and levels.colour.dtype == np.uint8:
                log.warning("%s has 16 bits a channel: it is read as 8 bits", name)
        cargo = NO_CARGO
        if file is not None:
            told, cargo = read_told(image, file, name), _cargo(image, file, max(turn, laid), name)
            profile = told.profile(metadata.icc_profile, levels.colour.shape[2], name)
            metadata = metadata._replace(icc_profile=profile)
            if told.boxes.bits > 8:
                log.warning("%s has %d bits a channel: it is read as 8 bits", name, told.boxes.bits)
    two = image.mode == "1" or (image.mode == "P" and image.getcolors(2) is not None)
    return _checked(levels, metadata, name)._replace(bilevel=two, cargo=cargo)


def _checked(levels: Levels, metadata: Metadata, name: str) -> Decoded:
    """Levels as planes of sRGB."""
    height, width, channels = levels.colour.shape
    refuse_small(name, width, height)
    space = read_profile(metadata.icc_profile, channels, name) if metadata.icc_profile else None
    profiled = None if space is None else Profiled(levels.colour, space)
    alpha = None if levels.alpha is None else Image.fromarray(levels.alpha)
    return Decoded(
        rgb=pixels(levels.colour) if profiled is None else profiled.in_srgb(),
        alpha=alpha,
        grey=channels == 1,
        bits=levels.colour.dtype.itemsize * 8,
        bilevel=False,
        profiled=profiled,
        metadata=metadata,
    )


def _cargo(image: Image.Image, file: BinaryIO, turn: int, name: str) -> Cargo:
    """What else there is in a file, of whose picture `image` is, which EXIF data turn."""
    if image.format == "TIFF":
        return read_tiff_cargo(getattr(image, "tag_v2", {}), turn)
    if image.format not in ("JPEG", "MPO"):
        cargo = read_told(image, file, name).cargo()
        return replace(cargo, lost=(*cargo.lost, *["its comment"] * ("comment" in image.info)))
    file.seek(0)
    return read_cargo(file.read(), image, turn, name)


def _levels(image: Image.Image, stored: str, name: str) -> Levels:
    """The pixels of a decoded PIL image of any mode; `stored` is its layout from before that."""
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return deep_grey(image, name)
    if image.mode == "La":
        image = image.convert("LA")  # the only mode that Pillow turns it into
    grey = image.mode in ("1", "L", "LA") or "LA;16" in stored  # Pillow reads 16-bit grey with alpha as RGBA
    alpha, key = None, image.info.get("transparency")
    if stored in _SCALES and isinstance(key, int):
        image = image.copy()
        image.info["transparency"] = key * _SCALES[stored]  # Pillow scales the pixels alone
    if image.has_transparency_data:
        image = image.convert("RGBA")  # also turns a transparent palette entry or colour into alpha
        alpha = np.asarray(image.getchannel("A"))
    colour = np.asarray(image.getchannel(0).convert("L") if grey else image.convert("RGB"))
    return Levels(colour[..., None] if grey else colour, alpha)
