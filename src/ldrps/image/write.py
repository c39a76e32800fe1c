"""Restored pictures into files: format by suffix, metadata carried over, never half a file."""

from __future__ import annotations

import io
import logging
import os
import stat
from pathlib import Path
from typing import Any

from PIL import Image

from ldrps.errors import OutputError
from ldrps.image.files import replace_file, taken
from ldrps.image.picture import Picture

log = logging.getLogger(__name__)

FORMATS = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".bmp": "BMP",
}
_OPTIONS: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 95, "subsampling": "4:4:4"},
    "WEBP": {"quality": 95},
    "TIFF": {"compression": "raw"},  # compressed, Pillow 13 cannot write the directories of EXIF and GPS data
}
_WITHOUT_ALPHA = ("JPEG", "BMP")
_JPEG_EXIF_LIMIT = 65533  # bytes that fit into one marker


def check_output(path: str | Path, *, overwrite: bool = False) -> None:
    """Find out early, before minutes of work, whether a picture could be written to `path`. Touches nothing.

    Raises:
        OutputError: unknown suffix; `path` is a folder, or exists without `overwrite`; a name or folder
            that cannot be.
    """
    path = Path(path)
    _format(path)
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        mode = None
    except (OSError, ValueError) as error:  # too long, below a file, or with a null character
        raise OutputError(f"cannot write {str(path)!r} ({error}): choose another name") from error
    if mode is not None and stat.S_ISDIR(mode):
        raise OutputError(f"{path} is a folder: name a file in it")
    if mode is not None and not overwrite:
        raise taken(path)
    nearest = next(folder for folder in path.absolute().parents if folder.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
        raise OutputError(f"cannot write {path}: {nearest} is not a folder that may be written: choose another")


def write_image(image: Image.Image, path: str | Path, *, like: Picture | None = None, overwrite: bool = False) -> None:
    """Write a PIL image of mode RGB, RGBA, L or LA; the suffix (.png .jpg .jpeg .webp .tif .tiff .bmp) sets the format.

    EXIF data and colour profile come from `like`, the picture that was restored; without it, only the profile that
    the image itself carries is kept. JPEG is of quality 95 without chroma subsampling. BMP has no room for either.
    Missing folders are made. The file is whole or absent, and what stood at `path` stays until then.

    Raises:
        OutputError: as check_output; or the image does not fit the format, the disk is full, or another process made
            `path` meanwhile.
    """
    path = Path(path)
    check_output(path, overwrite=overwrite)
    data = _encode(image, path, like)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot make the folder {path.parent} ({error.strerror}): choose another") from error
    replace_file(path, lambda file: file.write(data), overwrite=overwrite)


def _format(path: Path) -> str:
    try:
        return FORMATS[path.suffix.lower()]
    except KeyError:
        allowed = " ".join(FORMATS)
        raise OutputError(f"{path} has the suffix {path.suffix!r}, which is not one of {allowed}: use .png") from None


def _encode(image: Image.Image, path: Path, like: Picture | None) -> memoryview:
    """The bytes of the file. In memory, as Pillow's encoders hide the cause when a disk fails under them."""
    kind = _format(path)
    if image.mode not in ("RGB", "RGBA", "L", "LA"):
        raise OutputError(f"cannot write an image of mode {image.mode}: convert it to RGB, RGBA, L or LA")
    if image.mode in ("RGBA", "LA") and kind in _WITHOUT_ALPHA:
        raise OutputError(f"cannot write {path}: {kind} has no room for the picture's alpha: use .png")
    options = dict(_OPTIONS.get(kind, {}))
    profile = like.icc_profile if like is not None else image.info.get("icc_profile")
    options["icc_profile"] = profile or b""  # said in any case, else some formats take the image's own
    exif = like.exif if like is not None else None
    if exif and kind == "JPEG" and len(exif) > _JPEG_EXIF_LIMIT:
        log.warning("%s: %d bytes of EXIF data are left out, a JPEG takes %d", path, len(exif), _JPEG_EXIF_LIMIT)
    elif exif:
        options["exif"] = exif
    buffer = io.BytesIO()
    try:
        image.save(buffer, kind, **options)
    except (OSError, ValueError) as error:  # above all, a picture too wide for WEBP or JPEG
        raise OutputError(f"cannot write {path} as {kind} ({error}): use .png") from error
    return buffer.getbuffer()
