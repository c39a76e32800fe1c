"""A picture as the bytes of a file: Pillow's encoders for 8 bits a channel, our own for 16, which Pillow has not."""

from __future__ import annotations

import io
import logging
import struct
import zlib
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, JpegImagePlugin, PngImagePlugin, TiffImagePlugin

from ldrps.errors import OutputError
from ldrps.image.arrays import as_image, row_blocks
from ldrps.image.cargo import NO_CARGO, PHOTOSHOP_TAG, Cargo
from ldrps.image.carry import stowed
from ldrps.image.metadata import Metadata, verbatim
from ldrps.image.original import Original, Tables

log = logging.getLogger(__name__)

_QUALITY = 95
_WITHOUT_ALPHA = ("JPEG", "BMP")
_JPEG_EXIF_LIMIT, _JPEG_XMP_LIMIT = 65533, 65504  # bytes that fit into one marker
_COMPRESSION = 4  # of zlib: beyond it, PNG of 16 bits takes several times as long for a few per cent
_PNG_XMP = "XML:com.adobe.xmp"
_PNG_COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}  # by channels
_INCH = 0.0254  # metres


def encode(
    image: Image.Image | NDArray[Any],
    kind: str,
    metadata: Metadata,
    quality: int | None,
    name: str,
    original: Original | None = None,
    cargo: Cargo = NO_CARGO,
) -> bytes | memoryview:
    """A PIL image of mode RGB, RGBA, L, LA or 1, or uint8 or uint16 [H, W, 1 .. 4], as a file of a format of Pillow's.

    In memory, as Pillow's encoders hide the cause when a disk fails under them. Without a quality it is 95, or as fine
    as the `original` where that is of the same format and finer. The `cargo` is one for this format.

    Raises:
        OutputError: the picture does not fit the format.
    """
    alpha = image.mode in ("RGBA", "LA") if isinstance(image, Image.Image) else image.shape[2] in (2, 4)
    if alpha:
        refuse_alpha(kind, name)
    if kind == "PNG" and len(metadata.icc_profile or b"") > PngImagePlugin.MAX_TEXT_CHUNK:
        found = (
            f"cannot write {name}: the picture's colour profile has {len(metadata.icc_profile or b''):,} bytes, and "
        )
        found += f"readers of PNG take {PngImagePlugin.MAX_TEXT_CHUNK:,}: use .tif, or convert it to sRGB with "
        raise OutputError(f"{found}srgb=True", on_command_line=f"{found}--srgb")
    try:
        if isinstance(image, np.ndarray) and image.dtype == np.uint16:
            if kind == "PNG":
                return _deep_png(image, metadata, cargo)
            if kind == "TIFF":
                return _deep_tiff(image, metadata, cargo.resources)
            log.warning("%s: %s has 8 bits a channel, so the picture's 16 are rounded", name, kind)
        buffer = io.BytesIO()
        shown = image if isinstance(image, Image.Image) else as_image(image)
        shown.save(buffer, kind, **_options(kind, metadata, quality, name, original, cargo))
        return buffer.getbuffer() if kind != "JPEG" or cargo == NO_CARGO else stowed(buffer.getvalue(), cargo)
    except (OSError, ValueError, struct.error) as error:  # above all, a picture too wide for WEBP or JPEG
        raise OutputError(f"cannot write {name} as {kind} ({error}): use .png") from error


def refuse_alpha(kind: str, name: str) -> None:
    """Raise OutputError if a format of Pillow's has no room for alpha."""
    if kind in _WITHOUT_ALPHA:
        raise OutputError(f"cannot write {name}: {kind} has no room for the picture's alpha: use .png")


def _options(
    kind: str, metadata: Metadata, quality: int | None, name: str, original: Original | None, cargo: Cargo
) -> dict[str, Any]:
    """What Pillow is to be told when it saves a picture of this format."""
    options: dict[str, Any] = {"icc_profile": metadata.icc_profile or b""}  # else some formats take the image's own
    if quality is None and kind == "WEBP" and original is not None and original.lossless:
        quality = 100
    tables = original.tables if quality is None and original is not None else ()
    quality = _QUALITY if quality is None else quality
    if kind == "JPEG":
        options |= {"qtables": _finer(tables)} if tables else {"quality": quality}
        options["subsampling"] = "4:4:4"
        metadata = _fitting_jpeg(metadata, name)
    elif kind == "AVIF":
        options |= {"quality": quality}
    elif kind == "WEBP":
        # Without loss, the quality is the effort; `exact` keeps colours that alpha hides.
        options |= {"lossless": True, "quality": 50, "exact": True} if quality == 100 else {"quality": quality}
    elif kind == "TIFF":
        options |= {"compression": "raw"}  # compressed, Pillow 13 cannot write the directories of EXIF and GPS data
    if metadata.dpi and kind in ("PNG", "JPEG", "TIFF", "BMP"):
        options["dpi"] = metadata.dpi
    if kind == "TIFF":
        options["tiffinfo"] = _tiff_tags(metadata, cargo.resources)
    elif metadata.exif:
        options["exif"] = metadata.exif
    if kind == "PNG":
        options["pnginfo"] = text = PngImagePlugin.PngInfo()
        for chunk, data in _own_chunks(cargo):
            text.add(chunk, data)
        if metadata.xmp:
            text.add_itxt(_PNG_XMP, metadata.xmp.decode("utf-8", "replace"))
    elif metadata.xmp and kind in ("JPEG", "WEBP", "AVIF"):
        options["xmp"] = metadata.xmp
    return options


def _own_chunks(cargo: Cargo) -> list[tuple[bytes, bytes]]:
    """What goes into a PNG beside what we say ourselves."""
    return [(b"cICP", cargo.points)] * bool(cargo.points) + list(cargo.texts)


def _finer(tables: Tables) -> list[list[int]]:
    """Those of our quality, made as fine as some tables at each frequency: one for brightness, one for colour."""
    brightness, colour = _own_tables()
    return [
        [min(steps) for steps in zip(brightness, tables[0], strict=True)],
        [min(steps) for steps in zip(colour, *(tables[1:] or tables), strict=True)],
    ]


@lru_cache(1)
def _own_tables() -> Tables:
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "JPEG", quality=_QUALITY)
    with Image.open(file) as image:
        assert isinstance(image, JpegImagePlugin.JpegImageFile)
        return tuple(tuple(image.quantization[number]) for number in (0, 1))


def _fitting_jpeg(metadata: Metadata, name: str) -> Metadata:
    if len(metadata.exif or b"") > _JPEG_EXIF_LIMIT:
        log.warning(
            "%s: %d bytes of EXIF data are left out, a JPEG takes %d", name, len(metadata.exif or b""), _JPEG_EXIF_LIMIT
        )
        metadata = metadata._replace(exif=None)
    if len(metadata.xmp or b"") > _JPEG_XMP_LIMIT:
        log.warning(
            "%s: %d bytes of XMP data are left out, a JPEG takes %d", name, len(metadata.xmp or b""), _JPEG_XMP_LIMIT
        )
        metadata = metadata._replace(xmp=None)
    return metadata


def _deep_png(levels: NDArray[Any], metadata: Metadata, cargo: Cargo) -> bytes:
    """uint16 [H, W, 1 .. 4] as a PNG of 16 bits a channel."""
    height, width, channels = levels.shape
    parts = [b"\x89PNG\r\n\x1a\n"]

    def add(kind: bytes, data: bytes) -> None:
        parts.extend([struct.pack(">I", len(data)), kind, data, struct.pack(">I", zlib.crc32(data, zlib.crc32(kind)))])

    add(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, _PNG_COLOUR_TYPES[channels], 0, 0, 0))
    for kind, chunk in _own_chunks(cargo):
        add(kind, chunk)
    if metadata.icc_profile:
        add(b"iCCP", b"ICC Profile\0\0" + zlib.compress(metadata.icc_profile))
    if metadata.dpi:
        add(b"pHYs", struct.pack(">IIB", *(round(dots / _INCH) for dots in metadata.dpi), 1))
    if metadata.exif:
        add(b"eXIf", metadata.exif.removeprefix(b"Exif\0\0"))
    if metadata.xmp:
        add(b"iTXt", _PNG_XMP.encode() + b"\0\0\0\0\0" + metadata.xmp)
    packer = zlib.compressobj(_COMPRESSION)
    above = np.zeros((1, 2 * width * channels), np.uint8)
    for rows in row_blocks(height, width):
        raw = np.ascontiguousarray(levels[rows], ">u2").view(np.uint8).reshape(rows.stop - rows.start, -1)
        # Filter 2: each byte less the one above it, which leaves small numbers wherever a picture is smooth.
        filtered = np.full((len(raw), raw.shape[1] + 1), 2, np.uint8)
        filtered[:, 1:] = raw - np.concatenate([above, raw[:-1]])
        above = raw[-1:]
        add(b"IDAT", packer.compress(filtered.tobytes()))
    add(b"IDAT", packer.flush())
    add(b"IEND", b"")
    return b"".join(parts)


def _deep_tiff(levels: NDArray[Any], metadata: Metadata, resources: bytes) -> memoryview:
    """uint16 [H, W, 1 .. 4] as an uncompressed TIFF of 16 bits a channel; the directory is written by Pillow."""
    height, width, channels = levels.shape
    data = np.ascontiguousarray(levels, "<u2").data.cast("B")
    tags = _tiff_tags(metadata, resources)
    fixed: dict[int, Any] = {
        TiffImagePlugin.IMAGEWIDTH: width,
        TiffImagePlugin.IMAGELENGTH: height,
        TiffImagePlugin.BITSPERSAMPLE: (16,) * channels,
        TiffImagePlugin.COMPRESSION: 1,
        TiffImagePlugin.PHOTOMETRIC_INTERPRETATION: 1 if channels < 3 else 2,
        TiffImagePlugin.SAMPLESPERPIXEL: channels,
        TiffImagePlugin.ROWSPERSTRIP: height,
        TiffImagePlugin.STRIPBYTECOUNTS: len(data),
        TiffImagePlugin.STRIPOFFSETS: 0,  # from the end of the directory; `save` makes it one from the start
        TiffImagePlugin.PLANAR_CONFIGURATION: 1,
    }
    if channels in (2, 4):
        fixed[TiffImagePlugin.EXTRASAMPLES] = 2  # alpha, by which colours are not multiplied
    if metadata.icc_profile:
        fixed[TiffImagePlugin.ICCPROFILE] = metadata.icc_profile
    if metadata.dpi:
        fixed |= {
            TiffImagePlugin.RESOLUTION_UNIT: 2,
            TiffImagePlugin.X_RESOLUTION: metadata.dpi[0],
            TiffImagePlugin.Y_RESOLUTION: metadata.dpi[1],
        }
    for tag, value in fixed.items():
        tags[tag] = value
    buffer = io.BytesIO()
    tags.save(buffer)
    buffer.write(data)
    return buffer.getbuffer()


def _tiff_tags(metadata: Metadata, resources: bytes) -> TiffImagePlugin.ImageFileDirectory_v2:
    """EXIF and XMP data and Photoshop's resources as a directory of TIFF, to which the picture's own tags are added."""
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    if metadata.exif:
        exif = Image.Exif()
        exif.load(metadata.exif)
        for tag in exif:
            value = exif.get_ifd(tag) if tag in (0x8769, 0x8825) else exif[tag]
            if value != {}:  # of a directory that cannot be read
                tags[tag] = verbatim(value)
    if metadata.xmp:
        tags.tagtype[TiffImagePlugin.XMP] = 1  # bytes
        tags[TiffImagePlugin.XMP] = metadata.xmp
    if resources:
        tags.tagtype[PHOTOSHOP_TAG] = 1
        tags[PHOTOSHOP_TAG] = resources
    return tags
