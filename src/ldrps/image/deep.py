"""More than 8 bits a channel: the colour PNG and TIFF files that Pillow reads as 8 bits, or not at all."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from ldrps.errors import InputError
from ldrps.image.arrays import refuse_values
from ldrps.image.metadata import turned
from ldrps.image.png_chunks import pixels_alone
from ldrps.image.stored import PHOTOMETRIC_COLOURS, bits_of_tiff, is_plain, known_page, page_size

_PHOTOMETRIC, _ORIENTATION = 262, 274  # tags of TIFF
_WHITE_IS_ZERO = 0
_BYTE, _WHOLE = 8, 16  # bits
_OPENCV_SIDE, _OPENCV_PIXELS = 2**20, 2**30  # its own limits, which only variables of the environment change


class Levels(NamedTuple):
    """Pixels as integers, upright.

    Attributes:
        colour: uint8 or uint16 [H, W, 1 or 3].
        alpha: [H, W] of the same type, or None.
    """

    colour: NDArray[Any]
    alpha: NDArray[Any] | None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        height, width = self.colour.shape[:2]
        return width, height


def read_png(file: BinaryIO, size: tuple[int, int], stored: str, turn: int, name: str) -> Levels:
    """A PNG of 16 bits in colour, or grey with alpha, of (width, height) `size`; turned by an orientation of EXIF.

    `stored` is the layout that Pillow makes of its header.

    Raises:
        Exception: whatever damaged data leads to.
    """
    # Of an animation OpenCV mixes the frames, and one that is damaged ends its process.
    array = turned(_opencv(io.BytesIO(pixels_alone(file)), size, name), turn)
    if array.dtype != np.uint16 or array.shape[2] < 3:
        raise ValueError(f"the pixels came out as {array.dtype} of {array.shape[2]} channels")
    colours = 1 if "LA;16" in stored else 3  # grey with alpha comes out as colour with alpha
    return _split(array[..., :colours], array[..., 3] if array.shape[2] == 4 else None)


def read_tiff(file: BinaryIO, name: str, max_pixels: int) -> Levels:
    """A TIFF, grey or RGB, of integers up to 65535 or of floats in [0, 1], with or without alpha.

    Raises:
        InputError: too many pixels, said before any are read; a layout or values that are not taken.
        Exception: whatever damaged data leads to.
    """
    page = known_page(file, name, max_pixels)
    (width, height), samples = page_size(page), int(page.samplesperpixel)
    colours = PHOTOMETRIC_COLOURS[int(page.photometric)]
    if is_plain(page):
        array = page.asarray(maxworkers=1)
        if page.planarconfig == 2 and samples > 1:
            array = np.moveaxis(array, 0, 2)
        array = turned(array.reshape(height, width, samples), getattr(page.tags.get(_ORIENTATION), "value", 1))
    else:
        # Here a few bytes may say that they are many: libtiff inside OpenCV reads no more of them than fit. It makes 16
        # bits of 10 to 14.
        array = _opencv(file, (width, height), name)  # upright
        if array.dtype != page.dtype or array.shape[2] != samples:
            raise ValueError(f"the pixels came out as {array.dtype} of {array.shape[2]} samples")
    kind = int(page.extrasamples[0]) if page.extrasamples else 0  # 1: colours are multiplied by alpha, 2: they are not
    array = _integers(array if kind else array[..., :colours], name)
    colour, alpha = array[..., :colours], array[..., colours] if kind else None
    if int(page.photometric) == _WHITE_IS_ZERO:
        colour = np.iinfo(colour.dtype).max - colour
    return _split(_divided(colour, alpha) if alpha is not None and kind == 1 else colour, alpha)


def deep_grey(image: Image.Image, name: str) -> Levels:
    """A decoded PIL image of one channel, 16 bits (also in 32-bit integers, as Pillow may keep them) or floats.

    Where the tags of a TIFF say that white is zero, which Pillow leaves to its callers, the values are turned round.

    Raises:
        InputError: values outside 0 .. 65535, or of floats outside [0, 1].
    """
    values = _integers(np.asarray(image), name)
    if _BYTE < (bits := bits_of_tiff(image)) < _WHOLE and values.dtype == np.uint16:
        # Pillow leaves levels of 12 bits as they are, which of 16 would be a picture that is nearly black.
        values = (values.astype(np.uint32) * 65535 // (2**bits - 1)).clip(0, 65535).astype(np.uint16)
    if getattr(image, "tag_v2", {}).get(_PHOTOMETRIC) == _WHITE_IS_ZERO:
        values = np.iinfo(values.dtype).max - values
    see_through = image.info.get("transparency")
    alpha = np.where(values == see_through, 0, 65535).astype(np.uint16) if isinstance(see_through, int) else None
    return Levels(values[..., None], alpha)


def _opencv(file: BinaryIO, size: tuple[int, int], name: str) -> NDArray[Any]:
    """[H, W, 1, 3 or 4], RGB. TIFF comes out upright, PNG as it lies."""
    if max(size) > _OPENCV_SIDE or size[0] * size[1] > _OPENCV_PIXELS:
        raise InputError(
            f"{name} is {size[0]} x {size[1]} with more than 8 bits, of which OpenCV reads {_OPENCV_SIDE:,} on a side "
            f"and {_OPENCV_PIXELS:,} in all: make it smaller, or save it with 8 bits"
        )
    import cv2

    file.seek(0)
    with _silent(cv2):
        array = cv2.imdecode(np.frombuffer(file.read(), np.uint8), cv2.IMREAD_UNCHANGED)
    if array is None:
        raise ValueError("its pixels cannot be decoded")
    if array.ndim == 2:
        return array[..., None]
    return np.concatenate([array[..., 2::-1], array[..., 3:]], -1) if array.shape[2] == 4 else array[..., ::-1]


@contextlib.contextmanager
def _silent(cv2: Any) -> Iterator[None]:
    """What OpenCV prints about a damaged file is said by our own error."""
    before = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        cv2.utils.logging.setLogLevel(before)


def _integers(values: NDArray[Any], name: str) -> NDArray[Any]:
    """uint8 as they are, other integers as uint16, and floats in [0, 1] as the nearest uint16."""
    if values.dtype in (np.uint8, np.uint16):
        return values.astype(values.dtype.newbyteorder("="), copy=False)
    if np.issubdtype(values.dtype, np.floating):
        refuse_values(name, torch.from_numpy(values.astype(values.dtype.newbyteorder("="))))
        return (values * np.float32(65535) + np.float32(0.5)).astype(np.uint16)
    low, high = int(values.min()), int(values.max())
    if low < 0 or high > 65535:
        raise InputError(f"{name} has values from {low} to {high}, outside the 16 bits of 0 .. 65535: scale it to that")
    return values.astype(np.uint16)


def _divided(colour: NDArray[Any], alpha: NDArray[Any]) -> NDArray[Any]:
    """Colours that were multiplied by alpha, as they were before; black where nothing is left of them."""
    share = np.maximum(alpha, 1)[..., None] / np.float32(np.iinfo(alpha.dtype).max)
    return np.minimum(colour / share + 0.5, np.iinfo(colour.dtype).max).astype(colour.dtype)


def _split(colour: NDArray[Any], alpha: NDArray[Any] | None) -> Levels:
    return Levels(np.ascontiguousarray(colour), None if alpha is None else np.ascontiguousarray(alpha))
