"""HEIC, the photographs of phones: read with the extra `heif`, and named where that is missing."""

from __future__ import annotations

import importlib.util
from typing import BinaryIO

from PIL import ImageFile

from ldrps.errors import InputError, how_to_install
from ldrps.image.boxes import names_its_items

_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}
_HEAD = 256  # bytes in which the first box, of brands, is looked for


def is_heif(file: BinaryIO) -> bool:
    """Whether a file says that it is HEVC in the HEIF container, which it shares with AVIF. Reads from the start."""
    file.seek(0)
    head = file.read(_HEAD)
    if head[4:8] != b"ftyp":
        return False
    end = min(int.from_bytes(head[:4], "big"), _HEAD)
    main, *compatible = [head[8:12], *(head[at : at + 4] for at in range(16, end, 4))]
    return main in _BRANDS or (main in (b"mif1", b"msf1") and bool(_BRANDS.intersection(compatible)))


def open_heif(file: BinaryIO, name: str) -> ImageFile.ImageFile:
    """The header of a HEIC file as a PIL image, upright as it is.

    Raises:
        InputError: the extra is not installed, or the file lists what is in it in bytes that are no names.
    """
    if importlib.util.find_spec("pi_heif") is None:
        raise InputError(f"{name} is a HEIC file: {how_to_install('heif')}, or convert it to JPEG or PNG")
    if not names_its_items(file):
        raise InputError(f"{name} is damaged: it lists an item of a kind that is no text: get a whole copy of it")
    from pi_heif import HeifImageFile

    file.seek(0)
    return HeifImageFile(file, "")
