"""Restored pictures into files: format by suffix, depth and metadata carried over, never half a file."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ldrps.errors import OutputError, SettingsError
from ldrps.image.arrays import as_image
from ldrps.image.cargo import NO_CARGO
from ldrps.image.carry import Load, load_up
from ldrps.image.encode import encode
from ldrps.image.files import as_path, check_output, format_of, replace_file
from ldrps.image.formats import BILEVEL
from ldrps.image.metadata import Metadata
from ldrps.image.picture import Picture
from ldrps.image.same_tones import keeps_tones

log = logging.getLogger(__name__)


def write_image(
    image: Image.Image | NDArray[Any],
    path: str | Path,
    *,
    like: Picture | None = None,
    overwrite: bool = False,
    quality: int | None = None,
    keep_metadata: bool = True,
) -> list[str]:
    """Write a picture; the suffix (.png .jpg .jpeg .webp .avif .tif .tiff .bmp) sets the format.

    The picture is a PIL image of mode RGB, RGBA, L or LA, or an array uint8 or uint16 [H, W, 1 .. 4] of grey or RGB,
    each with or without alpha. PNG and TIFF keep 16 bits, the others take 8, which is logged.

    Colour profile, resolution and, unless `keep_metadata` is false, EXIF and XMP data come from `like`, the picture
    that was restored; without it, only the profile that a PIL image itself carries is kept. BMP has room for the
    resolution alone. A picture of black and white alone has one bit a pixel in PNG, TIFF and BMP, if `like` has.

    `quality`, 1 to 100, is that of JPEG, WEBP and AVIF. None is 95, but no coarser than the JPEG that `like` was read
    from, and without loss if that was such a WEBP. JPEG is without chroma subsampling, and WEBP at 100 without loss.
    What else `like` carries, such as a video behind a JPEG, goes into a file of the same kind, as far as it holds for
    the picture; what does not is logged, and returned, each in words.
    Missing folders are made. The file is whole or absent, and what stood at `path` stays until then.

    Raises:
        OutputError: as check_output; or the image does not fit the format, the disk is full, or another process made
            `path` meanwhile.
        SettingsError: a quality out of range.
    """
    path = as_path(path)
    check_quality(quality)
    check_output(path, overwrite=overwrite)
    if isinstance(image, Image.Image) and image.mode not in ("RGB", "RGBA", "L", "LA"):
        raise OutputError(f"cannot write an image of mode {image.mode}: convert it to RGB, RGBA, L or LA")
    kind, load = format_of(path), Load(NO_CARGO, None)
    metadata = Metadata()
    if like is not None:
        same = like.cargo.gain_map is not None and keeps_tones(like, image)
        load = load_up(like.cargo, like.xmp, kind, same_tones=same, strip=not keep_metadata)
        metadata = Metadata(like.icc_profile, like.exif, load.xmp, like.dpi)
    elif isinstance(image, Image.Image):
        metadata = Metadata(icc_profile=image.info.get("icc_profile"))
    if not keep_metadata:
        metadata = metadata._replace(exif=None, xmp=None)
    load.left_out.extend(_without_room(metadata, kind))
    if like is not None and like.bilevel and kind in BILEVEL and isinstance(image, np.ndarray):
        image = _bilevel(image)
    original = None if like is None else like.original
    data = encode(image, kind, metadata, quality, str(path), original, load.cargo)
    write_file(data, path, overwrite=overwrite)
    for words in load.left_out:
        log.warning("%s: %s", path, words)
    return load.left_out


def _without_room(metadata: Metadata, kind: str) -> list[str]:
    """What of the metadata a format does not take."""
    if kind != "BMP":
        return []
    named = {"colour profile": metadata.icc_profile, "EXIF data": metadata.exif, "XMP data": metadata.xmp}
    return [f"its {words}: {kind} has no room for that" for words, data in named.items() if data]


def write_file(data: bytes | memoryview, path: str | Path, *, overwrite: bool = False) -> None:
    """Write the bytes of a picture's file, as `write_image` does.

    Raises:
        OutputError: as `write_image`.
    """
    path = as_path(path)
    check_output(path, overwrite=overwrite)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot make the folder {path.parent} ({error.strerror}): choose another") from error
    replace_file(path, lambda file: file.write(data), overwrite=overwrite)


def _bilevel(levels: NDArray[Any]) -> Image.Image | NDArray[Any]:
    """uint8 [H, W, 1] as a PIL image of one bit a pixel; as they are, if there are shades or colours."""
    if levels.shape[2] > 1 or not np.isin(levels, (0, 255)).all():
        return levels
    return as_image(levels).convert("1", dither=Image.Dither.NONE)


def check_quality(quality: int | None) -> None:
    """Raise SettingsError for a quality that is neither None nor a number from 1 to 100."""
    if quality is not None and not (isinstance(quality, int) and 1 <= quality <= 100):
        raise SettingsError(f"quality is {quality!r}; it must be from 1 to 100, in whole numbers")
