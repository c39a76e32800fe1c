"""A JPEG file taken apart into its segments, as bytes, and put together again. Free of torch and Pillow."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

START, END, SCAN, COMMENT = 0xD8, 0xD9, 0xDA, 0xFE  # markers
APP0, APP1, APP2, APP11, APP13, APP14, APP15 = 0xE0, 0xE1, 0xE2, 0xEB, 0xED, 0xEE, 0xEF

XMP = b"http://ns.adobe.com/xap/1.0/\0"
EXTENDED_XMP = b"http://ns.adobe.com/xmp/extension/\0"  # what of an XMP packet has no room in one segment
EXIF = b"Exif\0"
ICC = b"ICC_PROFILE\0"
INDEX = b"MPF\0"  # of the pictures behind this one
GAIN_MAP = b"urn:iso:std:iso:ts:21496:-1\0"

_BEGINS = b"\xff\xd8\xff"
_ROOM = 65533  # bytes in one segment
# In the codes of a picture a byte 255 is followed by 0, or by a mark that they go on. There the last of several is
# enough: a search for all of them would begin anew at each, and take hours for a file made to that end.
_MARKER, _MARKER_IN_CODES = (re.compile(fill + rb"([^\x00\xff\xd0-\xd7])") for fill in (rb"\xff+", rb"\xff"))


class Segment(NamedTuple):
    """A marker of a JPEG and its data."""

    marker: int
    data: bytes

    @property
    def is_own(self) -> bool:
        """Whether it is a comment, or of an application."""
        return self.marker == COMMENT or APP0 <= self.marker <= APP15

    def encoded(self) -> bytes:
        """As it stands in a file.

        Raises:
            ValueError: it has more data than one segment takes.
        """
        if len(self.data) > _ROOM:
            raise ValueError(f"a segment of {len(self.data):,} bytes is more than the {_ROOM:,} that fit")
        return bytes([0xFF, self.marker]) + (len(self.data) + 2).to_bytes(2, "big") + self.data


class JpegParts(NamedTuple):
    """A JPEG among some bytes: its segments before the first scan, and where in the bytes it ends."""

    segments: list[Segment]
    end: int


def begins_jpeg(data: bytes, at: int = 0) -> bool:
    """Whether bytes begin, from a place on, as those of a JPEG do."""
    return data.startswith(_BEGINS, at)


def split_jpeg(data: bytes, at: int = 0) -> JpegParts | None:
    """The parts of a JPEG that begins at a place; None if the bytes there are none, or are cut."""
    if not begins_jpeg(data, at):
        return None
    segments: list[Segment] = []
    at, in_codes = at + 2, False
    while found := (_MARKER_IN_CODES.search(data, at) if in_codes else _MARKER.match(data, at)):
        marker, at = found[1][0], found.end()
        if marker == END:
            return JpegParts(segments, at)
        length = int.from_bytes(data[at : at + 2], "big")
        if length < 2:
            return None
        if not in_codes:
            segments.append(Segment(marker, data[at + 2 : at + length]))
        in_codes = in_codes or marker == SCAN
        at += length
    return None


def with_segments(data: bytes, segments: Iterable[Segment]) -> bytes:
    """A JPEG with segments put behind those of its file format and its metadata, where readers look for them."""
    at = 2
    while data[at : at + 2] in (b"\xff\xe0", b"\xff\xe1"):
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return data[:at] + b"".join(segment.encoded() for segment in segments) + data[at:]
