"""Image files and PIL images as input: what is opened, how far it is trusted, and how it becomes three planes."""

from __future__ import annotations

import contextlib
import logging
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
import torch
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
from ldrps.image.arrays import pixels, refuse_values
from ldrps.image.limits import refuse_large, refuse_small
from ldrps.image.metadata import carried_exif, upright

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
_NAMES = "PNG, JPEG, MPO, WEBP, TIFF, BMP, GIF, AVIF"


class Decoded(NamedTuple):
    """What Picture holds, less its source."""

    rgb: Tensor  # [1, 3, H, W] in [0, 1]
    alpha: Image.Image | None
    grey: bool
    icc_profile: bytes | None
    exif: bytes | None


def decode_file(path: Path, max_pixels: int) -> Decoded:
    """Read and check an image file. Of several frames or pages the first is taken, with a warning in the log.

    Raises:
        InputError: the file is missing, a folder, no image, too large, damaged, empty or too small, in this order.
    """
    name = str(path)
    with _open_file(path) as file:
        with _blaming(name):
            image = _open_header(file, name)
        decoded = decode_image(image, name, max_pixels)
        if _has_more_frames(image):
            log.warning("%s holds several pictures: only the first is used", name)
        return decoded


def decode_image(image: Image.Image, name: str, max_pixels: int) -> Decoded:
    """Check a PIL image and turn it into planes, upright. The image itself is decoded if it was not, else untouched.

    Raises:
        InputError: the image is too large, damaged, empty, too small or of values out of range, in this order.
    """
    refuse_large(name, *image.size, max_pixels)
    layouts = " ".join(str(tile.args) for tile in getattr(image, "tile", ()))  # gone once the pixels are read
    with _blaming(name):
        image.load()
    refuse_small(name, *image.size)
    with _blaming(name):
        turned = upright(image, name)
        if turned.mode == "La":
            turned = turned.convert("LA")  # the only mode that Pillow turns it into
        grey = turned.mode in ("1", "L", "LA") or "LA;16" in layouts  # Pillow reads 16-bit grey with alpha as RGBA
        if turned.mode in ("I", "F") or turned.mode.startswith("I;16"):
            rgb, alpha, grey = *_deep_grey(turned, name), True
        else:
            if ";16" in layouts:
                log.warning("%s has 16 bits a channel: it is read as 8 bits", name)
            rgb, alpha = _planes(turned)
        profile = image.info.get("icc_profile") or None
        if profile and image.mode in ("CMYK", "LAB"):  # it is about a space that the pixels have left
            log.warning("%s: its %s profile is left out, as the pixels were converted to RGB", name, image.mode)
            profile = None
        return Decoded(rgb, alpha, grey, profile, carried_exif(image, turned.size, name))


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


def _open_header(file: BinaryIO, name: str) -> ImageFile.ImageFile:
    """As PIL.Image.open, but blind to the extension, with our formats only, and without Pillow's limit of pixels.

    That limit is a global of the process; ours belongs to the call.
    """
    prefix = file.read(16)
    for reader in _READERS:
        factory, accepts = Image.OPEN[str(reader.format)]
        verdict = accepts is None or accepts(prefix)
        if isinstance(verdict, str):
            raise InputError(f"{name} cannot be read ({verdict}): convert it to PNG first")
        if not verdict:
            continue
        file.seek(0)
        try:
            return factory(file, name)
        except Image.DecompressionBombError:
            raise
        except Exception as error:
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


def _planes(image: Image.Image) -> tuple[Tensor, Image.Image | None]:
    """An image of 8 bits or fewer to [1, 3, H, W] in [0, 1] and its alpha."""
    alpha = None
    if image.has_transparency_data:
        image = image.convert("RGBA")  # also turns a transparent palette entry or colour into alpha
        alpha = image.getchannel("A")
    return pixels(np.asarray(image.convert("RGB"))), alpha


def _deep_grey(image: Image.Image, name: str) -> tuple[Tensor, Image.Image | None]:
    """One channel of 16 bits (also in 32-bit integers, as Pillow sometimes keeps them) or of floats, as _planes."""
    values = np.asarray(image)
    grey = torch.from_numpy(values.astype(np.float32))
    if image.mode != "F":
        low, high = int(values.min()), int(values.max())
        if low < 0 or high > 65535:
            raise InputError(
                f"{name} has values from {low} to {high}, outside the 16 bits of 0 .. 65535: scale it to that"
            )
        grey /= 65535
    refuse_values(name, grey)
    see_through = image.info.get("transparency")
    alpha = None
    if isinstance(see_through, int):
        alpha = Image.fromarray(np.where(values == see_through, 0, 255).astype(np.uint8))
    return grey.repeat(1, 3, 1, 1), alpha
