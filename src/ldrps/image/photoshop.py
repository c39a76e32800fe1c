"""Blocks of Photoshop's resources, in which captions and rights by IPTC are kept. Free of torch."""

from __future__ import annotations

import struct
from collections.abc import Iterator

HEAD = b"Photoshop 3.0\0"
_MARK = b"8BIM"
# What is told elsewhere in the file, or no longer holds: resolution, thumbnails, profile, EXIF and XMP data.
_ELSEWHERE = frozenset({0x03ED, 0x0409, 0x040C, 0x040F, 0x0422, 0x0423, 0x0424})
_PATHS = range(0x07D0, 0x0BB7)  # outlines, in shares of the sides


def kept_resources(block: bytes, *, turned: bool) -> bytes:
    """The resources of a block that hold for the restored picture too; b"" if none do.

    Paths are left out of a picture that was turned. What cannot be understood ends the block.
    """
    return b"".join(
        whole for number, whole in _resources(block) if number not in _ELSEWHERE and not (turned and number in _PATHS)
    )


def _resources(block: bytes) -> Iterator[tuple[int, bytes]]:
    """The number of each resource, and the resource as it stands."""
    at = 0
    while block[at : at + 4] == _MARK and at + 12 <= len(block):
        number = int(struct.unpack_from(">H", block, at + 4)[0])
        size_at = at + 6 + _even(1 + block[at + 6])  # behind a name, which is mostly empty
        if size_at + 4 > len(block):
            return
        end = size_at + 4 + int(struct.unpack_from(">I", block, size_at)[0])
        if end > len(block):
            return
        yield number, block[at:end] + bytes(_even(end - size_at) - (end - size_at))
        at = size_at + _even(end - size_at)


def _even(number: int) -> int:
    return number + number % 2
