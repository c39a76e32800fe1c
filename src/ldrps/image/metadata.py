"""EXIF data: which way up a picture is, and what of the rest still holds for the restored one."""

from __future__ import annotations

import logging

from PIL import ExifTags, Image

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


def upright(image: Image.Image, name: str) -> Image.Image:
    """The decoded image as its EXIF orientation shows it; the image itself where there is none.

    ImageOps.exif_transpose would also rewrite the EXIF data, and so fail, turn and all, on a tag it cannot encode.
    """
    try:
        turn = _TURNS.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception as error:  # a parser of foreign bytes fails in many ways
        log.warning("%s: its EXIF data cannot be read, so it is taken as it lies (%s)", name, error)
        return image
    return image if turn is None else image.transpose(turn)


def carried_exif(image: Image.Image, size: tuple[int, int], name: str) -> bytes | None:
    """EXIF data of `image` for a picture of (width, height) `size` that stands upright and has no thumbnail."""
    try:
        source = image.getexif()
        exif = Image.Exif()
        exif.endian = source.endian  # a maker's note is opaque, and some are in the byte order of the whole
        for tag, value in source.items():
            if tag not in _LAYOUT:
                exif[tag] = value
        for group in (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo):
            tags = dict(source.get_ifd(group))
            if ExifTags.Base.ExifInteroperabilityOffset in tags:
                tags[ExifTags.Base.ExifInteroperabilityOffset] = dict(source.get_ifd(ExifTags.IFD.Interop))
            if ExifTags.Base.ExifImageWidth in tags:
                tags[ExifTags.Base.ExifImageWidth], tags[ExifTags.Base.ExifImageHeight] = size
            if tags:
                exif[group] = tags
        return exif.tobytes() if len(exif) else None
    except Exception as error:  # as above, and the pixels are good whatever the tags
        log.warning("%s: its EXIF data is damaged and will be missing from the result (%s)", name, error)
        return None
