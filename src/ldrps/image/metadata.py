"""EXIF and XMP data: which way up a picture is, and what of the rest still holds for the restored one."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO, NamedTuple

from numpy.typing import NDArray
from PIL import ExifTags, Image

from ldrps.image import xmp as packets
from ldrps.image.raw_exif import RawExif

log = logging.getLogger(__name__)

_Turn = Image.Transpose
_TURNS = {
    2: _Turn.FLIP_LEFT_RIGHT,
    3: _Turn.ROTATE_180,
    4: _Turn.FLIP_TOP_BOTTOM,
    5: _Turn.TRANSPOSE,
    6: _Turn.ROTATE_270,
    7: _Turn.TRANSVERSE,
    8: _Turn.ROTATE_90,
}

# Tags that say how the source file is laid out, and would lie about any other. Most come from TIFF, where EXIF data
# and the picture share one directory. XMP, ICC and Photoshop blocks there are not EXIF data at all.
_LAYOUT = {
    *(*range(254, 260), 262, *range(263, 267), 273, 274, *range(277, 282), 284, *range(288, 294), 297, 317),
    *(*range(320, 331), *range(332, 337), *range(338, 348), *range(512, 522), 700, 34377, 34675, 37724),
}

_ICC, _XMP, _ORIENTATION = 34675, 700, 274  # of a TIFF
_X_RESOLUTION, _Y_RESOLUTION, _RESOLUTION_UNIT = 282, 283, 296
_GROUPS = (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo)
_SIDEWAYS = range(5, 9)  # the orientations that swap width and height


class Metadata(NamedTuple):
    """What a picture says besides its pixels; None where it says nothing.

    Attributes:
        icc_profile: the colour profile, verbatim.
        exif: EXIF data without orientation and thumbnail.
        xmp: an XMP packet, likewise.
        dpi: pixels per inch, across and down, as the picture stands upright.
    """

    icc_profile: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    dpi: tuple[float, float] | None = None


class _Verbatim(str):
    """A text of EXIF data, which Pillow reads as Latin-1, but would write as ASCII, with question marks."""

    __slots__ = ()

    def encode(self, *_: Any) -> bytes:
        """The bytes as they were; of a text that was set since, as UTF-8 if need be."""
        try:
            return super().encode("latin-1")
        except UnicodeEncodeError:
            return super().encode()


def verbatim(value: Any) -> Any:
    """The value of a tag, or the values of a directory, so that Pillow writes texts as they were read."""
    if isinstance(value, dict):
        return {tag: verbatim(each) for tag, each in value.items()}
    return _Verbatim(value) if isinstance(value, str) else value


def orientation(image: Image.Image, name: str) -> int:
    """How the decoded image is to be turned, 1 to 8, by its EXIF data; 1 where there is none, or TIFF turned it."""
    if image.format == "TIFF":
        return 1  # Pillow turns these itself, and would then take what XMP says for a second turn
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception as error:  # a parser of foreign bytes fails in many ways
        if (raw := RawExif(_block(image))).has_tags:
            return raw.orientation
        log.warning("%s: its EXIF data cannot be read, so it is taken as it lies (%s)", name, error)
        return 1


def tiff_orientation(image: Image.Image) -> int:
    """How a TIFF that is yet to be decoded lies, 1 to 8, by its tags; 1 of anything else."""
    try:
        turn = getattr(image, "tag_v2", {}).get(_ORIENTATION, 1)
    except Exception:  # as above
        return 1
    return turn if turn in _TURNS else 1


def upright(image: Image.Image, turn: int) -> Image.Image:
    """The image turned by an orientation of EXIF; the image itself where that is none.

    ImageOps.exif_transpose would also rewrite the EXIF data, and so fail, turn and all, on a tag it cannot encode.
    """
    return image.transpose(_TURNS[turn]) if turn in _TURNS else image


def turned(array: NDArray[Any], turn: int) -> NDArray[Any]:
    """As `upright`, for an array [H, W, ...]; a view."""
    if turn in _SIDEWAYS:
        array = array.swapaxes(0, 1)
    down, across = turn in (3, 4, 7, 8), turn in (2, 3, 6, 7)
    return array[:: -1 if down else 1, :: -1 if across else 1]


def read_metadata(
    image: Image.Image, turn: int, size: tuple[int, int], name: str, *, from_file: bool = False
) -> Metadata:
    """That of a PIL image, for the picture turned by an orientation of EXIF, then of (width, height) `size`.

    Of a file, EXIF data are taken as they lie in it, unless they share a directory with the picture; those of an image
    that was given may have been changed since it was opened.
    """
    dpi, block = _dpi(image.info.get("dpi"), turn), _block(image)
    if from_file and block and image.format != "TIFF":
        exif = _raw_exif(block, turn, size, name)
    else:
        exif = _exif(image.getexif, turn, size, name)
    return Metadata(image.info.get("icc_profile") or None, exif, _xmp(image.info), dpi)


def read_tiff_metadata(file: BinaryIO, size: tuple[int, int], name: str) -> Metadata:
    """As `read_metadata`, of a TIFF that Pillow cannot open."""

    def exif() -> Image.Exif:
        file.seek(0)
        read = Image.Exif()
        read.load_from_fp(file)
        return read

    try:
        tags = exif()
        profile, xmp, across, down = (tags.get(tag) for tag in (_ICC, _XMP, _X_RESOLUTION, _Y_RESOLUTION))
        turn = tags.get(_ORIENTATION, 1)
        inch = {2: 1.0, 3: 2.54}.get(tags.get(_RESOLUTION_UNIT, 2))
        dpi = _dpi((float(across) * inch, float(down) * inch), turn) if across and down and inch else None
    except Exception as error:  # as above, and the pixels are good whatever the tags
        log.warning("%s: its tags are damaged and will be missing from the result (%s)", name, error)
        return Metadata()
    profile = profile if isinstance(profile, bytes) else None
    return Metadata(profile, _exif(exif, turn, size, name), _xmp({"xmp": xmp}), dpi)


def of_size(exif: bytes | None, xmp: bytes | None, size: tuple[int, int]) -> tuple[bytes | None, bytes | None]:
    """The EXIF and XMP data of `Metadata`, of a picture that has another (width, height) by now."""
    return (
        None if exif is None else RawExif(exif).resize(size),
        None if xmp is None else packets.of_size(xmp, size),
    )


def _block(image: Image.Image) -> bytes:
    """The EXIF data as they lie in the file of a PIL image; b"" without."""
    block = image.info.get("exif")
    return block if isinstance(block, bytes) else b""


def _raw_exif(block: bytes, turn: int, size: tuple[int, int], name: str) -> bytes | None:
    raw = RawExif(block)
    if not raw.has_tags:
        log.warning("%s: its EXIF data are damaged and will be missing from the result", name)
        return None
    return raw.tidy(_LAYOUT, size, sideways=turn in _SIDEWAYS)


def _exif(read: Callable[[], Image.Exif], turn: int, size: tuple[int, int], name: str) -> bytes | None:
    try:
        source = read()
        exif = Image.Exif()
        exif.endian = source.endian  # a maker's note is opaque, and some are in the byte order of the whole
        for tag, value in source.items():
            if tag not in _LAYOUT and tag not in _GROUPS:  # the place of a directory, which may lead nowhere
                exif[tag] = verbatim(value)
        if turn in _SIDEWAYS and _X_RESOLUTION in exif and _Y_RESOLUTION in exif:
            exif[_X_RESOLUTION], exif[_Y_RESOLUTION] = exif[_Y_RESOLUTION], exif[_X_RESOLUTION]
        for group in _GROUPS:
            tags = dict(source.get_ifd(group))
            if ExifTags.Base.ExifInteroperabilityOffset in tags:
                tags[ExifTags.Base.ExifInteroperabilityOffset] = dict(source.get_ifd(ExifTags.IFD.Interop))
            if ExifTags.Base.ExifImageWidth in tags:
                tags[ExifTags.Base.ExifImageWidth], tags[ExifTags.Base.ExifImageHeight] = size
            if tags:
                exif[group] = verbatim(tags)
        return exif.tobytes() if len(exif) else None
    except Exception as error:  # as above
        log.warning("%s: its EXIF data is damaged and will be missing from the result (%s)", name, error)
        return None


def _xmp(info: Mapping[Any, Any]) -> bytes | None:
    packet = info.get("xmp")
    if isinstance(packet, str):
        packet = packet.encode()
    if not isinstance(packet, bytes) or not packet.strip(b"\0 \n"):
        return None
    return packets.tidied(packet)


def _dpi(dpi: Any, turn: int) -> tuple[float, float] | None:
    """Two sane numbers, of the picture once it is turned, or nothing.

    Files hold zeros, infinities, nonsense, and 1 for "not known" here.
    """
    try:
        across, down = float(dpi[0]), float(dpi[1])
    except (TypeError, ValueError, IndexError, ZeroDivisionError):
        return None
    if turn in _SIDEWAYS:
        across, down = down, across
    return (across, down) if 1 < across < 65535 and 1 < down < 65535 else None
