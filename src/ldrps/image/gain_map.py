"""Gain maps: small pictures behind a JPEG that say how bright its lights are on screens that can show it."""

from __future__ import annotations

import io
import struct

from PIL import Image, JpegImagePlugin

from ldrps.image.jpeg_parts import APP1, APP2, APP14, GAIN_MAP, INDEX, XMP, Segment, split_jpeg, with_segments
from ldrps.image.metadata import upright
from ldrps.image.xmp import tells_of_gain_map

_VERSION_ALONE = len(GAIN_MAP) + 4  # bytes of the segment that only says that there is a gain map
_AUXILIARY = (b"http://ns.apple.com/pixeldatainfo/", b"urn:com:apple:photo:", b":aux:")
_PRIMARY = 0x20030000  # a picture that stands for all, of the first kind
_PIXEL_SEGMENTS = (b"JFIF", b"Adobe")  # which the encoder writes anew


def is_gain_map(segments: list[Segment]) -> bool:
    """Whether these are the segments of a gain map, by the words of Adobe, of Apple, or of ISO 21496-1."""
    return any(
        (each.marker == APP1 and each.data.startswith(XMP) and _is_apples_or_adobes(each.data))
        or (each.marker == APP2 and each.data.startswith(GAIN_MAP) and len(each.data) > _VERSION_ALONE)
        for each in segments
    )


def is_auxiliary(segments: list[Segment]) -> bool:
    """Whether these are the segments of a map of depth, or of another picture that no one looks at."""
    return any(each.marker == APP1 and any(name in each.data for name in _AUXILIARY) for each in segments)


def turned_gain_map(data: bytes, turn: int, most: int) -> bytes:
    """The file of a gain map for a picture that was turned by an orientation of EXIF: the same file, if it was not.

    Raises:
        ValueError: it has more than `most` pixels, which a few bytes can say: memory and minutes for nothing.
        Exception: whatever damaged data leads to.
    """
    parts = split_jpeg(data)
    if turn in (0, 1) or parts is None:
        return data
    with Image.open(io.BytesIO(data), formats=("JPEG",)) as image:
        assert isinstance(image, JpegImagePlugin.JpegImageFile)
        if image.width * image.height > most:
            raise ValueError(f"it is {image.width} x {image.height}, larger than its picture")
        tables = [list(image.quantization[number]) for number in sorted(image.quantization)]
        buffer = io.BytesIO()
        upright(image, turn).save(buffer, "JPEG", qtables=tables[:2], subsampling="4:4:4")
    kept = [each for each in parts.segments if each.is_own and not each.data.startswith(_PIXEL_SEGMENTS)]
    return with_segments(buffer.getvalue(), [each for each in kept if each.marker != APP14])


def with_gain_map(primary: bytes, gain_map: bytes) -> bytes:
    """A JPEG with a gain map behind it, and what leads there: a note by ISO 21496-1, and an index of both pictures."""
    noted = with_segments(primary, [Segment(APP2, GAIN_MAP + bytes(4))])
    bare = with_segments(noted, [Segment(APP2, INDEX + _index(0, 0, 0))])
    at = bare.index(INDEX) + len(INDEX)  # from where places are counted
    listed = Segment(APP2, INDEX + _index(len(bare), len(gain_map), len(bare) - at))
    return with_segments(noted, [listed]) + gain_map


def _index(primary: int, second: int, at: int) -> bytes:
    """The index of two pictures of so many bytes, the second `at` bytes from the index (CIPA DC-007)."""
    head = b"II*\0" + struct.pack("<IH", 8, 3) + struct.pack("<HHI4s", 0xB000, 7, 4, b"0100")
    head += struct.pack("<HHII", 0xB001, 4, 1, 2) + struct.pack("<HHIII", 0xB002, 7, 32, 50, 0)
    return head + struct.pack("<IIIHH", _PRIMARY, primary, 0, 0, 0) + struct.pack("<IIIHH", 0, second, at, 0, 0)


def _is_apples_or_adobes(packet: bytes) -> bool:
    return tells_of_gain_map(packet) or b":aux:hdrgainmap" in packet
