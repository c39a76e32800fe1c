"""Image files as far as their headers go: what is opened, and what is refused before a pixel is read. Free of torch."""

from __future__ import annotations

import contextlib
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

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

from ldrps.errors import InputError, LdrpsError
from ldrps.image.bmp import read_profile
from ldrps.image.frames import find_several, refuse_several
from ldrps.image.heif import is_heif, open_heif
from ldrps.image.limits import MIN_SIDE, refuse_large, refuse_small
from ldrps.image.stored import cannot_hold, is_deep, is_readable_tiff, read_tiff_size, refuse_misread
from ldrps.image.told import read_told

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
_NAMES = "PNG, JPEG, MPO, WEBP, TIFF, BMP, GIF, AVIF, HEIC"


def read_size(path: Path, max_pixels: int, *, first_frame: bool = False) -> tuple[int, int]:
    """Width and height of an image file, as they are stored, from its header alone; of its first picture.

    Raises:
        InputError: as `ldrps.image.decode.decode_file`, but for damage that only the pixels show.
    """
    name = str(path)
    with open_file(path) as file, blaming(name):
        image = open_header(file, name)
        if not first_frame:
            refuse_several(find_several(image, file), name)
        if image is None or (image.format == "TIFF" and is_deep(image)):
            return read_tiff_size(file, name, max_pixels)
        refuse_header(image, name, max_pixels, file)
        return image.size


def is_small(path: str | Path) -> bool:
    """Whether a file is a picture with a side too short to be restored; not what cannot be opened."""
    try:
        with open_file(Path(path)) as file, blaming(str(path)):
            image = open_header(file, str(path))
            return image is not None and min(image.size) < MIN_SIDE
    except InputError:
        return False


def begins_like_ours(head: bytes) -> bool:
    """Whether the first 16 bytes of a file are those of a format of ours."""
    checks = (Image.OPEN[str(reader.format)][1] for reader in _READERS)
    return any(accepts is not None and accepts(head) is True for accepts in checks)


def refuse_header(image: Image.Image, name: str, max_pixels: int, file: BinaryIO | None = None) -> None:
    """Refuse a PIL image, not yet decoded, for what its header says; `file` is what it was opened from.

    Raises:
        InputError: too many pixels, too small a side, a layout that Pillow misreads, or HDR.
        ValueError: the file is too short for what it says, and so damaged.
    """
    refuse_large(name, *image.size, max_pixels)
    refuse_small(name, *image.size)
    refuse_misread(image, name)
    if file is not None:
        read_told(image, file, name)
    if file is not None and cannot_hold(file, image):
        raise ValueError(f"its bytes are too few for {image.width:,} x {image.height:,} pixels")


def refuse_closed(image: Image.Image, name: str) -> None:
    """Refuse a PIL image whose pixels are gone, because it, or the file that it was to be read from, was closed.

    Raises:
        InputError: it is such a one.
    """
    try:
        _ = image.im
    except AssertionError:  # it was opened and not yet read
        if getattr(image, "tile", None) and getattr(getattr(image, "fp", None), "closed", False):
            raise InputError(f"the file of {name} is closed: load() the image before, or open it again") from None
    except ValueError:
        raise InputError(f"{name} is closed: restore it before that, or open it again") from None


@contextlib.contextmanager
def open_file(path: Path) -> Iterator[BinaryIO]:
    """A file to be read.

    Raises:
        InputError: it is missing, a folder, not a regular file, or cannot be read.
    """
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


def open_header(file: BinaryIO, name: str) -> ImageFile.ImageFile | None:
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
            image = factory(file, "")  # given its name, Pillow 13 maps the file, and misreads TIFF lying on its side
            if isinstance(image, BmpImagePlugin.BmpImageFile) and (profile := read_profile(file)):
                image.info["icc_profile"] = profile
            return image
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
def blaming(name: str) -> Iterator[None]:
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
