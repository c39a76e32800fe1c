"""What the service takes and what it refuses, before a picture costs anything."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ldrps.cost import check_reading, estimate
from ldrps.errors import InputError, SettingsError
from ldrps.image.header import read_size
from ldrps.image.limits import another_size, enlarged_size
from ldrps.printable import printable
from ldrps.service.problems import Problem
from ldrps.settings import Settings

MIB = 2**20
_MAY_BE_NOTHING = ("waiting",)


@dataclass(frozen=True)
class Limits:
    """What a program may ask for.

    Attributes:
        bytes: of the body of a request.
        pixels: of a picture, and of its result.
        waiting: jobs that wait while another is being carried out; further ones are refused.
        kept: jobs that are over and wait to be fetched, of all; beyond that the oldest are forgotten.
        work: seconds that a job may take, as told beforehand, and in fact.
        deadline: seconds that a request may ask to wait for its result.
        arrival: seconds in which a request must have arrived.
        pause: seconds that a client may be silent meanwhile.
        keep: seconds for which a job is kept when it is over.
        settings: bytes of the settings of a job.

    Raises:
        SettingsError: one of them is less than 1; only `waiting` may be 0.
    """

    bytes: int = 100 * MIB
    pixels: int = 50_000_000
    waiting: int = 16
    kept: int = 1000
    work: float = 600.0
    deadline: float = 600.0
    arrival: float = 120.0
    pause: float = 15.0
    keep: float = 3600.0
    settings: int = MIB

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            least = 0 if name in _MAY_BE_NOTHING else 1
            if value < least:
                raise SettingsError(f"the limit {name} is {value}; it must be {least} or more")

    def plain(self) -> dict[str, Any]:
        """As plain data for JSON."""
        return asdict(self)


def check_length(length: int, limit: int) -> None:
    """Refuse a body of more bytes than are taken.

    Raises:
        Problem: it has.
    """
    if length > limit:
        raise Problem(
            413,
            f"the body has {length / MIB:.1f} MiB or more, the limit is {limit / MIB:.4g} MiB: send a smaller picture, "
            "as a JPEG for example",
            field="image",
            headers={"Connection": "close"},
        )


def check_picture(
    files: Mapping[str, Path], settings: Settings, limits: Limits, *, first_frame: bool = False
) -> tuple[int, int]:
    """Find out from headers whether a picture, with its masks, may be restored; its width and height.

    Args:
        files: by the names of the parts of a request: image, and perhaps mask and protect.
        settings: how it is to be restored.
        limits: what is refused.
        first_frame: whether a picture of several frames is taken.

    Raises:
        Problem: it may not; the message names no file of this machine.
    """
    size = _size(files, "image", limits, first_frame)
    result = enlarged_size(size, settings.scale)
    if result[0] * result[1] > limits.pixels:
        raise Problem(
            413,
            f"the result would be {result[0]} x {result[1]} pixels, more than the {limits.pixels / 1e6:.4g} million "
            f"that this service takes: take a smaller scale than {settings.scale:g}",
            field="scale",
        )
    for name in ("mask", "protect"):
        if name in files and sorted(found := _size(files, name, limits)) != sorted(size):
            raise Problem(422, str(another_size(f"the {name}", found, "the image", size)), field=name)
    try:
        check_reading(size, None)
    except InputError as error:
        raise Problem(413, str(error), field="image") from error
    seconds = estimate(size, settings).seconds
    if seconds > limits.work:
        raise Problem(
            422,
            f"this may take {seconds:,.0f} s, more than the {limits.work:g} s that this service gives to a picture: "
            "take the preset fast, fewer steps, a smaller scale or a smaller picture",
            field="preset",
        )
    return size


def nameless(message: str, files: Mapping[str, Path]) -> str:
    """A message in which files go by the parts of the request that they are: where they lie is nobody's business."""
    for name, path in files.items():
        for place in (repr(str(path)), printable(path), str(path)):
            message = message.replace(place, f"the {name}")
    folders = {path.parent for path in files.values()}
    for folder in folders:
        message = message.replace(f"{printable(folder)}/", "").replace(printable(folder), "the service")
    return message


def _size(files: Mapping[str, Path], name: str, limits: Limits, first_frame: bool = True) -> tuple[int, int]:
    try:
        size = read_size(files[name], sys.maxsize, first_frame=first_frame)
    except InputError as error:
        raise Problem(422, nameless(str(error), files), field=name) from error
    if size[0] * size[1] > limits.pixels:
        raise Problem(
            413,
            f"the {name} has {size[0]} x {size[1]} = {size[0] * size[1] / 1e6:.1f} million pixels, more than the "
            f"{limits.pixels / 1e6:.4g} million that this service takes: make it smaller",
            field=name,
        )
    return size
