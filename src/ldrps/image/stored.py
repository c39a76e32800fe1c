"""How a file stores its pixels, told from its header: what Pillow does not tell. Free of torch."""

from __future__ import annotations

from typing import Any, BinaryIO

from PIL import Image

from ldrps.errors import InputError
from ldrps.image.limits import refuse_large, refuse_small

_BITS_PER_SAMPLE, _SAMPLE_FORMAT = 258, 339  # tags of TIFF
_SIGNED = 2  # of the latter
_BMP = ("BMP", "DIB")
_RLE4 = 2  # a compression of BMP
_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB = 0, 1, 2
PHOTOMETRIC_COLOURS = {_WHITE_IS_ZERO: 1, _BLACK_IS_ZERO: 1, _RGB: 3}
UNCOMPRESSED = 1
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # markers of a JPEG that begin the description of a frame
_ARITHMETIC = frozenset(range(0xC9, 0xD0))  # of those, the ones whose codes may be shorter than a bit
_ALONE = frozenset({0x01, *range(0xD0, 0xDA)})  # markers without a length
_BLOCK = 8  # pixels a side of what a JPEG encodes together


def is_deep(image: Image.Image) -> bool:
    """Whether the file behind a PIL image, not yet decoded, has more than 8 bits where Pillow would read 8."""
    if image.mode not in ("RGB", "RGBA", "LA"):
        return False
    if image.format == "TIFF":
        return bits_of_tiff(image) > 8
    return image.format == "PNG" and ";16" in layout(image)


def bits_of_tiff(image: Image.Image) -> int:
    """Of a channel of the file behind a PIL image; 0 of anything but a TIFF."""
    bits = getattr(image, "tag_v2", {}).get(_BITS_PER_SAMPLE, 0)
    return max(bits) if isinstance(bits, tuple) else int(bits)


def refuse_misread(image: Image.Image, name: str) -> None:
    """Refuse a file, of which a PIL image was opened, of a layout that Pillow reads as another picture.

    Raises:
        InputError: it is one.
    """
    if image.format in _BMP and image.info.get("compression") == _RLE4:
        raise InputError(
            f"{name} is a BMP compressed in runs of 4 bits (RLE4), which is not read: save it without compression"
        )
    tags = getattr(image, "tag_v2", {})
    if bits_of_tiff(image) <= 8 and _SIGNED in tags.get(_SAMPLE_FORMAT, ()):
        raise InputError(f"{name} is a TIFF of signed bytes, which are not read: convert it to unsigned ones")


def layout(image: Image.Image) -> str:
    """How a PIL image is stored that is yet to be decoded, such as "RGB;16B" for 16 bits; "" if it is decoded."""
    return " ".join(str(tile.args) for tile in getattr(image, "tile", ()))


def is_readable_tiff(file: BinaryIO) -> bool:
    """Whether `read_tiff` knows the layout of a file that Pillow does not."""
    try:
        page = tiff_page(file)
        return page.dtype is not None and page.photometric is not None
    except Exception:  # anything that damaged data leads to
        return False


def read_tiff_size(file: BinaryIO, name: str, max_pixels: int) -> tuple[int, int]:
    """Width and height, as they are stored, of a TIFF that `read_tiff` takes, from its header alone.

    Raises:
        InputError: too many pixels, or a layout that is not taken.
        Exception: whatever damaged data leads to.
    """
    return page_size(known_page(file, name, max_pixels))


def tiff_page(file: BinaryIO) -> Any:
    """The first page of a TIFF, as tifffile has it."""
    import tifffile

    file.seek(0)
    with tifffile.TiffFile(file) as tiff:
        return tiff.pages[0]


def page_size(page: Any) -> tuple[int, int]:
    """Width and height."""
    return int(page.imagewidth), int(page.imagelength)


def is_plain(page: Any) -> bool:
    """Whether a page is neither compressed, nor has several levels in a word."""
    return bool(page.compression == UNCOMPRESSED and page.bitspersample == 8 * page.dtype.itemsize)


def known_page(file: BinaryIO, name: str, max_pixels: int) -> Any:
    """The first page of a TIFF, if it is not too large and its layout is one that is taken."""
    page = tiff_page(file)
    refuse_large(name, *page_size(page), max_pixels)
    refuse_small(name, *page_size(page))
    samples, colours = int(page.samplesperpixel), PHOTOMETRIC_COLOURS.get(int(page.photometric), 0)
    if (
        not colours
        or page.dtype is None
        or page.dtype.kind not in "uif"
        or page.dtype == "int8"
        or not colours <= samples <= colours + 2
        or page.imagedepth != 1
    ):
        raise InputError(
            f"{name} is a TIFF of {samples} samples of type {page.dtype} ({page.photometric.name}), a layout that is "
            "not read: convert it to RGB or grey of 8 or 16 bits"
        )
    if is_plain(page):
        return page
    if page.planarconfig != 1 or samples not in (1, 3, 4) or page.dtype not in ("uint16", "float32", "float64"):
        how = "packed" if page.compression == UNCOMPRESSED else "compressed"
        raise InputError(
            f"{name} is a {how} TIFF ({page.compression.name}) of {samples} samples of type {page.dtype}, "
            "which is not read: save it without compression"
        )
    return page


def cannot_hold(file: BinaryIO, image: Image.Image) -> bool:
    """Whether a file is too short for the pixels of which its header tells, so that most of them would be made up.

    Of JPEG alone: its decoder fills up with grey what is missing, others say that the file is cut short. Each block of
    each of its channels takes a bit or more, unless codes are arithmetic; a blank PNG, AVIF or WEBP may be tiny.
    """
    layers = getattr(image, "layer", None)
    if image.format not in ("JPEG", "MPO") or not layers or _is_arithmetic(file):
        return False
    across, down = (max(layer[axis] for layer in layers) for axis in (1, 2))
    blocks = sum(
        -(-image.width * layer[1] // (across * _BLOCK)) * -(-image.height * layer[2] // (down * _BLOCK))
        for layer in layers
    )
    return file.seek(0, 2) * 8 < blocks


def _is_arithmetic(file: BinaryIO) -> bool:
    """Whether the frame of a JPEG has arithmetic codes, or none is found."""
    file.seek(2)
    while len(head := file.read(2)) == 2 and head[0] == 0xFF:
        if head[1] in _FRAMES:
            return head[1] in _ARITHMETIC
        if head[1] == 0xFF:  # one of several, to fill up
            file.seek(-1, 1)
        elif head[1] not in _ALONE:
            file.seek(int.from_bytes(file.read(2), "big") - 2, 1)
    return True
