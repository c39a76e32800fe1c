"""What a file carries besides its picture and its metadata: videos, gain maps, captions by IPTC, notes of makers."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from PIL import Image

from ldrps.image import photoshop
from ldrps.image.gain_map import is_auxiliary, is_gain_map, turned_gain_map
from ldrps.image.jpeg_parts import (
    APP0,
    APP1,
    APP2,
    APP11,
    APP13,
    APP14,
    EXIF,
    EXTENDED_XMP,
    GAIN_MAP,
    ICC,
    INDEX,
    XMP,
    Segment,
    split_jpeg,
)

log = logging.getLogger(__name__)

PHOTOSHOP_TAG = 34377  # of TIFF
_ENTRIES = 0xB002  # of an index of pictures
_VIDEO = b"ftyp"  # how the first part of it is called
_ZEROS = re.compile(rb"\x00+")
# Of an application, what is written anew by us, or would lie about another file.
_ANEW = ((APP1, EXIF), (APP1, XMP), (APP2, ICC), (APP2, INDEX), (APP2, GAIN_MAP), (APP13, photoshop.HEAD))


@dataclass(frozen=True)
class Cargo:
    """What is carried into another file of the same kind, as bytes.

    Attributes:
        segments: of a JPEG: comments, what its XMP packet had no room for, and what makers note.
        resources: of a JPEG or TIFF, those of Photoshop that hold for any picture.
        gain_map: of a JPEG, the file of the picture of its lights, turned as the picture is.
        trailer: of a JPEG, what is behind its pictures: mostly a video.
        points: of a PNG, the data of its chunk cICP, which says what its colours are.
        texts: of a PNG, the chunks of texts, each with its kind.
        lost: what the file has and no other can be given, in words.
    """

    segments: tuple[Segment, ...] = field(default=(), repr=False)
    resources: bytes = field(default=b"", repr=False)
    gain_map: bytes | None = field(default=None, repr=False)
    trailer: bytes = field(default=b"", repr=False)
    points: bytes = field(default=b"", repr=False)
    texts: tuple[tuple[bytes, bytes], ...] = field(default=(), repr=False)
    lost: tuple[str, ...] = ()

    @property
    def has_video(self) -> bool:
        """Whether there is a video behind the picture."""
        return _VIDEO in self.trailer

    def in_other_colours(self) -> Cargo:
        """The same for a picture whose colours are told in another way: without what is true of the former alone."""
        lost = ["its gain map, which is of other colours,"] * (self.gain_map is not None)
        return replace(self, points=b"", gain_map=None, lost=(*self.lost, *lost))

    @property
    def is_extended(self) -> bool:
        """Whether there is more of the XMP packet."""
        return any(each.data.startswith(EXTENDED_XMP) for each in self.segments)


NO_CARGO = Cargo()


class Behind(NamedTuple):
    """What is behind the first picture of a JPEG.

    Attributes:
        gain_map: the file of it, as it lies; None without.
        pictures: how many there are that somebody may want to see.
        hidden: how many there are to be looked at by programs: maps of depth and the like.
        previews: how many copies of the picture there are.
        trailer: what is behind all of them.
    """

    gain_map: bytes | None
    pictures: int
    hidden: int
    previews: int
    trailer: bytes


def look_behind(data: bytes, image: Image.Image) -> Behind:
    """What is behind the first picture of a JPEG, which `image` was opened from.

    Without an index that says otherwise, a picture is taken for a copy of the first one.
    """
    kinds = _kinds(image)
    gain_map, pictures, hidden, previews = None, 0, 0, 0
    parts = split_jpeg(data)
    end = len(data) if parts is None else parts.end
    number = 0
    # By places: what is left would be copied for each of thousands of pictures.
    while (parts := split_jpeg(data, start := _behind_zeros(data, end))) is not None:
        number += 1
        end = parts.end
        if is_gain_map(parts.segments):
            gain_map = gain_map or data[start:end]
        elif is_auxiliary(parts.segments):
            hidden += 1
        elif number < len(kinds) and "Thumbnail" not in kinds[number]:
            pictures += 1
        else:
            previews += 1
    return Behind(gain_map, pictures, hidden, previews, data[end:] if _behind_zeros(data, end) < len(data) else b"")


def _behind_zeros(data: bytes, at: int) -> int:
    """Where the first byte is that is not 0, from a place on; the end of the data without."""
    zeros = _ZEROS.match(data, at)
    return at if zeros is None else zeros.end()


def read_cargo(data: bytes, image: Image.Image, turn: int, name: str) -> Cargo:
    """That of a JPEG, which `image` was opened from, for the picture turned by an orientation of EXIF."""
    parts = split_jpeg(data)
    if parts is None:
        return NO_CARGO
    behind = look_behind(data, image)
    lost = []
    if behind.hidden:
        lost.append("a map of depth, or another picture for programs")
    if any(each.marker == APP11 for each in parts.segments):
        lost.append("what vouches for its content, which would not hold for the result")
    gain_map = behind.gain_map
    if gain_map is not None:
        try:
            gain_map = turned_gain_map(gain_map, turn, image.width * image.height)
        except Exception as error:  # of foreign bytes
            log.warning("%s: its gain map is damaged (%s)", name, error)
            gain_map = None
            lost.append("a gain map")
    blocks = [each.data for each in parts.segments if each.marker == APP13 and each.data.startswith(photoshop.HEAD)]
    block = b"".join(each.removeprefix(photoshop.HEAD) for each in blocks)
    return Cargo(
        segments=tuple(each for each in parts.segments if each.is_own and not _is_anew(each)),
        resources=photoshop.kept_resources(block, turned=turn > 1),
        gain_map=gain_map,
        trailer=behind.trailer,
        lost=tuple(lost),
    )


def read_tiff_cargo(tags: Mapping[int, Any], turn: int) -> Cargo:
    """That of a TIFF, from its tags."""
    block = tags.get(PHOTOSHOP_TAG)
    resources = photoshop.kept_resources(block, turned=turn > 1) if isinstance(block, bytes) else b""
    return Cargo(resources=resources)


def _is_anew(segment: Segment) -> bool:
    if segment.marker in (APP0, APP11, APP14):
        return True
    return any(segment.marker == marker and segment.data.startswith(head) for marker, head in _ANEW)


def _kinds(image: Image.Image) -> list[str]:
    """What the index of a JPEG calls the pictures in it, the first among them; none without an index."""
    entries = getattr(image, "mpinfo", {}).get(_ENTRIES, [])
    return [str(entry.get("Attribute", {}).get("MPType", "")) for entry in entries]
