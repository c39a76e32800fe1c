"""What the page takes and what it refuses, before a picture costs anything."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from ldrps.cost import check_reading
from ldrps.errors import InputError, SettingsError

MIB = 2**20
_ALLOW = re.compile(r",? or(?:, if it is genuine,)? allow it with max_pixels=\d+")


@dataclass(frozen=True)
class Limits:
    """What a visitor may ask for.

    Attributes:
        pixels: of a picture.
        upload: bytes of a file.
        pictures: that are restored in one go.
        waiting: requests that wait while another is being carried out; further ones are refused.
        history: results that are kept for each visitor; the oldest go first.
        away: seconds for which pictures are kept when their page was closed: a page that is loaded again has them.

    Raises:
        SettingsError: one of them is less than 1; only `waiting` may be 0.
    """

    pixels: int = 50_000_000
    upload: int = 100 * MIB
    pictures: int = 20
    waiting: int = 16
    history: int = 20
    away: int = 600

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            least = 0 if name == "waiting" else 1
            if value < least:
                raise SettingsError(f"the limit {name} is {value}; it must be {least} or more")


def refuse_upload(path: Path, name: str, limits: Limits) -> None:
    """Look at the length of a file and at its header, and at nothing else.

    Raises:
        InputError: it is gone, has too many bytes or too many pixels, or there is too little memory to read it. A file
            whose size cannot be told passes: reading it will say what is wrong.
    """
    try:
        length = path.stat().st_size
    except OSError as error:
        raise InputError(f"{name} is not here any more: choose it again") from error
    if length > limits.upload:
        raise InputError(
            f"{name} has {length / MIB:.1f} MiB, more than the {limits.upload / MIB:.4g} MiB that this page takes: "
            "save it smaller, as a JPEG for example"
        )
    size = _size(path)
    if size is None:
        return
    if size[0] * size[1] > limits.pixels:
        raise InputError(
            f"{name} has {size[0]} x {size[1]} = {size[0] * size[1] / 1e6:.1f} million pixels, more than the "
            f"{limits.pixels / 1e6:.4g} million that this page takes: make it smaller"
        )
    check_reading(size, None)


def for_visitors(message: str) -> str:
    """An error without the remedy that is the server's alone: who visits the page cannot allow larger pictures."""
    return _ALLOW.sub("", message)


def _size(path: Path) -> tuple[int, int] | None:
    """Width and height as the header has them; None where Pillow sees no picture, or one beyond its own limit."""
    try:
        with Image.open(path) as image:
            return image.size
    except Exception:  # foreign bytes fail in many ways, and reading the picture will name this one
        return None
