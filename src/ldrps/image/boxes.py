"""What an AVIF or a HEIC says beside its pixels, told from its boxes (ISO/IEC 14496-12 and 23008-12). Free of torch."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

_LONGEST = 1 << 24  # bytes of the box of descriptions that are looked at
_ALPHA = (b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha", b"urn:mpeg:hevc:2015:auxid:1")
_GAIN_MAP_WORD = b"gainmap"


class BoxedFacts(NamedTuple):
    """What the boxes say of the picture that is shown.

    Attributes:
        points: primaries, transfer and whether the range is full, by H.273; None where they do not say.
        bits: of a channel.
        gain_map: whether the file has one.
        hidden: whether it has a map of depth, or another picture for programs.
        video: whether there is one behind.
    """

    points: tuple[int, int, bool] | None = None
    bits: int = 8
    gain_map: bool = False
    hidden: bool = False
    video: bool = False


NO_FACTS = BoxedFacts()


def read_boxes(file: BinaryIO) -> BoxedFacts:
    """Of an open file; nothing is known of one that is damaged there, which its decoder will tell."""
    try:
        return _read(file)
    except (struct.error, IndexError, ValueError):
        return NO_FACTS


def names_its_items(file: BinaryIO) -> bool:
    """Whether all kinds of items in an open file are text, as they must be: pi_heif 1.4 ends the process if not."""
    for kind, data in _top(file):
        for inner, items in _boxes(data[4:]) if kind == b"meta" else ():
            if inner == b"iinf" and not all(_is_text(each) for each, _, more in _infos(items) for each in (each, more)):
                return False
    return True


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _read(file: BinaryIO) -> BoxedFacts:
    meta, video = b"", False
    for kind, data in _top(file):
        if kind == b"meta":
            meta = meta or data
        video = video or kind == b"mpvd"
    facts = _facts(dict(_boxes(meta[4:])))
    return facts._replace(video=video)


def _top(file: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    """The kind of each box of a file, and what is in those of descriptions."""
    end, at = file.seek(0, 2), 0
    while at + 8 <= end:
        file.seek(at)
        head = file.read(16)
        size, kind = int.from_bytes(head[:4], "big"), head[4:8]
        header = 16 if size == 1 else 8
        size = int.from_bytes(head[8:16], "big") if size == 1 else size or end - at
        if size < header:
            return
        file.seek(at + header)
        yield kind, file.read(min(size - header, _LONGEST)) if kind == b"meta" else b""
        at += size


def _facts(meta: dict[bytes, bytes]) -> BoxedFacts:
    within = dict(_boxes(meta.get(b"iprp", b"")))
    properties = list(_boxes(within.get(b"ipco", b"")))
    kinds = [kind for kind, *_ in _infos(meta.get(b"iinf", b""))]
    told = [data[4:] for kind, data in properties if kind == b"auxC"]
    told = [each for each in told if not each.startswith(_ALPHA)]
    gain_map = b"tmap" in kinds or any(_GAIN_MAP_WORD in each.lower() for each in told)
    points, bits = None, 8
    for number in _of_item(within.get(b"ipma", b""), _primary(meta.get(b"pitm", b""))):
        if not 1 <= number <= len(properties):
            continue
        kind, data = properties[number - 1]
        if kind == b"colr" and data[:4] == b"nclx":
            primaries, transfer, _, full = struct.unpack_from(">HHHB", data, 4)
            points = primaries, transfer, bool(full & 0x80)
        elif kind == b"pixi":
            bits = max(data[5 : 5 + data[4]], default=8)
    return BoxedFacts(points, bits, gain_map, any(_GAIN_MAP_WORD not in each.lower() for each in told))


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at + 8 <= len(data):
        size, header = int.from_bytes(data[at : at + 4], "big") or len(data) - at, 8
        if size == 1:
            size, header = int.from_bytes(data[at + 8 : at + 16], "big"), 16
        if size < header:
            return
        yield data[at + 4 : at + 8], data[at + header : at + size]
        at += size


def _infos(data: bytes) -> Iterator[tuple[bytes, int, bytes]]:
    """What kind each item is of, its number, and of what type its content is, if there are many of that kind."""
    if not data:
        return
    for kind, info in _boxes(data[6 if data[0] == 0 else 8 :]):
        if kind == b"infe" and info[:1] in (b"\2", b"\3"):
            wide = info[0] == 3
            number = int.from_bytes(info[4 : 8 if wide else 6], "big")
            at = 10 if wide else 8
            named, texts = info[at : at + 4], info[at + 4 :].split(b"\0")  # its name, then what it holds
            yield named, number, texts[1] if named == b"mime" and len(texts) > 1 else b""


def _primary(data: bytes) -> int:
    return int.from_bytes(data[4 : 6 if data[:1] == b"\0" else 8], "big")


def _of_item(data: bytes, item: int) -> list[int]:
    """The numbers, from 1, of the properties of an item."""
    if len(data) < 8:
        return []
    wide_item, wide_number = data[0] > 0, bool(data[3] & 1)
    at = 8
    for _ in range(int.from_bytes(data[4:8], "big")):
        width = 4 if wide_item else 2
        found = int.from_bytes(data[at : at + width], "big")
        count = data[at + width]
        at += width + 1
        step = 2 if wide_number else 1
        if found == item:
            mask = 0x7FFF if wide_number else 0x7F
            return [int.from_bytes(data[n : n + step], "big") & mask for n in range(at, at + count * step, step)]
        at += count * step
    return []
