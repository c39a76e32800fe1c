"""Image files and PIL images as input: what is opened, how far it is trusted, and how it becomes three planes."""

from __future__ import annotations

import contextlib
import logging
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)
from torch import Tensor

from ldrps.errors import InputError, LdrpsError
from ldrps.image.arrays import pixels
from ldrps.image.deep import Levels, deep_grey, is_deep, is_readable_tiff, layout, read_png, read_tiff, read_tiff_size
from ldrps.image.heif import is_heif, open_heif
from ldrps.image.limits import refuse_large, refuse_small
from ldrps.image.metadata import Metadata, orientation, read_metadata, read_tiff_metadata, tiff_orientation, upright
from ldrps.image.original import Original, original_of
from ldrps.image.space import Profiled, convert_to_srgb, read_profile, srgb_profile

log = logging.getLogger(__name__)

# Formats whose decoders are fuzzed and common; the JPEG reader also takes MPO, the pairs that phones write.
_READERS: tuple[type[ImageFile.ImageFile], ...] = (
    PngImagePlugin.PngImageFile,
    JpegImagePlugin.JpegImageFile,
    WebPImagePlugin.WebPImageFile,
    TiffImagePlugin.TiffImageFile,
    BmpImagePlugin.BmpImageFile,
    GifImagePlugin.GifImageFile,
    AvifImagePlugin.AvifImageFile,
)
_SCALES = {"L;2": 85, "L;4": 17}  # by which levels of 2 and 4 bits become bytes
_NAMES = "PNG, JPEG, MPO, WEBP, TIFF, BMP, GIF, AVIF, HEIC"


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


def decode_file(path: Path, max_pixels: int) -> Decoded:
    """Read and check an image file. Of several frames or pages the first is taken, with a warning in the log.

    Raises:
        InputError: the file is missing, a folder, no image, too large, damaged, empty or too small, in this order.
    """
    name = str(path)
    with _open_file(path) as file:
        with _blaming(name):
            image = _open_header(file, name)
            if image is None:
                levels = read_tiff(file, name, max_pixels)
                metadata = read_tiff_metadata(file, levels.size, name)
        if image is None:
            decoded = _checked(levels, metadata, name)
        else:
            decoded = decode_image(image, name, max_pixels, file=file)
            if _has_more_frames(image):
                log.warning("%s holds several pictures: only the first is used", name)
        with _blaming(name):
            return decoded._replace(original=original_of(path, file, image))


def read_size(path: Path, max_pixels: int) -> tuple[int, int]:
    """Width and height of an image file, as they are stored, from its header alone.

    Raises:
        InputError: as `decode_file`, but for damage that only the pixels show.
    """
    name = str(path)
    with _open_file(path) as file, _blaming(name):
        image = _open_header(file, name)
        if image is None or (image.format == "TIFF" and is_deep(image)):
            size = read_tiff_size(file, name, max_pixels)
        else:
            size = image.size
            refuse_large(name, *size, max_pixels)
    refuse_small(name, *size)
    return size


def decode_image(image: Image.Image, name: str, max_pixels: int, *, file: BinaryIO | None = None) -> Decoded:
    """Check a PIL image and turn it into planes, upright. The image itself is decoded if it was not, else untouched.

    `file` is what it was opened from: with that, colours of 16 bits are read as such, not as 8.

    Raises:
        InputError: the image is too large, damaged, empty, too small or of values out of range, in this order.
    """
    refuse_large(name, *image.size, max_pixels)
    stored, deep = layout(image), file is not None and is_deep(image)
    laid = tiff_orientation(image)  # which Pillow forgets as it turns the picture
    with _blaming(name):
        if file is not None and deep and image.format == "TIFF":
            levels = read_tiff(file, name, max_pixels)
            metadata = read_metadata(image, laid, levels.size, name)
        else:
            image.load()  # of a deep PNG, too: EXIF data may follow the pixels, and Pillow checks more than OpenCV
            refuse_small(name, *image.size)
            turn = orientation(image, name)
            standing = upright(image, turn)
            metadata = read_metadata(image, max(turn, laid), standing.size, name)
            if file is not None and deep:
                levels = read_png(file, image.size, stored, turn, name)
            elif image.mode in ("CMYK", "LAB"):
                levels = _levels(convert_to_srgb(standing, metadata.icc_profile, name), stored, name)
                metadata = metadata._replace(icc_profile=srgb_profile())
            else:
                levels = _levels(standing, stored, name)
            if ";16" in stored and levels.colour.dtype == np.uint8:
                log.warning("%s has 16 bits a channel: it is read as 8 bits", name)
    two = image.mode == "1" or (image.mode == "P" and image.getcolors(2) is not None)
    return _checked(levels, metadata, name)._replace(bilevel=two)


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


@contextlib.contextmanager
def _open_file(path: Path) -> Iterator[BinaryIO]:
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise InputError(f"{path} is a folder: name an image file in it")
        if not stat.S_ISREG(mode):  # opening a pipe would wait for ever
            raise InputError(f"{path} is not a regular file: copy the image into a file first")
        file = path.open("rb")
    except FileNotFoundError as error:
        raise InputError(f"{path} does not exist: check the name and the folder") from error
    except InputError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a null character in the name
        raise InputError(f"{str(path)!r} cannot be read ({error}): check its name and permissions") from error
    with file:
        yield file


def _open_header(file: BinaryIO, name: str) -> ImageFile.ImageFile | None:
    """As PIL.Image.open, but blind to the extension, with our formats only, and without Pillow's limit of pixels.

    That limit is a global of the process; ours belongs to the call. None stands for a TIFF that Pillow does not know,
    but we do.
    """
    prefix = file.read(16)
    if is_heif(file):
        return open_heif(file, name)
    for reader in _READERS:
        factory, accepts = Image.OPEN[str(reader.format)]
        verdict = accepts is None or accepts(prefix)
        if isinstance(verdict, str):
            raise InputError(f"{name} cannot be read ({verdict}): convert it to PNG first")
        if not verdict:
            continue
        file.seek(0)
        try:
            return factory(file, "")  # given its name, Pillow 13 maps the file, and misreads TIFF lying on its side
        except Image.DecompressionBombError:
            raise
        except Exception as error:
            if reader is TiffImagePlugin.TiffImageFile and is_readable_tiff(file):
                return None
            raise InputError(
                f"{name} begins like a {reader.format} file, but its header is damaged, cut or of an unknown kind "
                f"({error or type(error).__name__}): get a whole copy, or convert it to PNG"
            ) from error
    found = "is empty (0 bytes)" if not prefix else "is not an image of a known format"
    raise InputError(f"{name} {found}: give one of {_NAMES}")


@contextlib.contextmanager
def _blaming(name: str) -> Iterator[None]:
    """Turn whatever a decoder throws at damaged data into an InputError; decoders throw nearly every kind."""
    try:
        yield
    except LdrpsError:
        raise
    except Image.DecompressionBombError as error:
        raise InputError(
            f"{name} is larger than Pillow's own limit ({error}): make it smaller, or raise PIL.Image.MAX_IMAGE_PIXELS"
        ) from error
    except MemoryError as error:
        raise InputError(f"{name} does not fit into memory: make it smaller, or close other programs") from error
    except Exception as error:
        reason = str(error) or type(error).__name__
        raise InputError(f"{name} is damaged or cut short ({reason}): get a whole copy of it") from error


def _has_more_frames(image: Image.Image) -> bool:
    try:
        return bool(getattr(image, "is_animated", False))  # GIF parses the second frame to know
    except Exception:  # a damaged second frame, which nobody asked for
        return True


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
