"""Chunks of a PNG that Pillow passes over. Free of torch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

_HEAD = 8
_LONGEST = 1 << 20  # bytes of a chunk that is kept
_TEXTS = (b"tEXt", b"zTXt", b"iTXt")
_OTHERWISE = (b"XML:com.adobe.xmp\0", b"Raw profile type ")  # texts that are read as what they hold
_SCREEN, _CREDENTIALS = (b"mDCV", b"mDCv", b"cLLI", b"cLLi"), b"caBX"
_PIXELS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
_POINTS, _GAMMA, _CORNERS, _SRGB, _PROFILE = b"cICP", b"gAMA", b"cHRM", b"sRGB", b"iCCP"


class PngChunks(NamedTuple):
    """What a PNG says beside its pixels.

    Attributes:
        points: the data of cICP; b"" without.
        gamma: what gAMA says; None without.
        corners: what cHRM says, eight numbers; None without.
        has_profile: whether there is iCCP or sRGB, which count more than the two above.
        texts: the chunks of texts, each with its kind.
        lost: what no other file can be given, in words.
    """

    points: bytes = b""
    gamma: float | None = None
    corners: tuple[float, ...] | None = None
    has_profile: bool = False
    texts: tuple[tuple[bytes, bytes], ...] = ()
    lost: tuple[str, ...] = ()


NO_CHUNKS = PngChunks()


def read_chunks(file: BinaryIO) -> PngChunks:
    """That of an open file. What is cut or too long is not there."""
    found: dict[bytes, bytes] = {}
    texts: list[tuple[bytes, bytes]] = []
    lost: dict[str, None] = {}
    for kind, data in _chunks(file):
        if kind in _TEXTS and not data.startswith(_OTHERWISE):
            texts.append((kind, data))
        elif kind in _SCREEN:
            lost["what it says of the light of a screen"] = None
        elif kind == _CREDENTIALS:
            lost["what vouches for its content, which would not hold for the result,"] = None
        else:
            found.setdefault(kind, data)
    gamma, corners = found.get(_GAMMA, b""), found.get(_CORNERS, b"")
    return PngChunks(
        points=found[_POINTS] if len(found.get(_POINTS, b"")) == 4 else b"",
        gamma=int.from_bytes(gamma, "big") / 100_000 if len(gamma) == 4 else None,
        corners=_numbers(corners) if len(corners) == 32 else None,
        has_profile=_PROFILE in found or _SRGB in found,
        texts=tuple(texts),
        lost=tuple(lost),
    )


def pixels_alone(file: BinaryIO) -> bytes:
    """The PNG of an open file with what makes its first picture and nothing else; as far as it can be followed."""
    end = file.seek(0, 2)
    file.seek(0)
    parts, at = [file.read(_HEAD)], _HEAD
    while at + 12 <= end:
        file.seek(at)
        head = file.read(8)
        length = int.from_bytes(head[:4], "big")
        if head[4:] in _PIXELS:
            parts += [head, file.read(length + 4)]
        at += 12 + length
    return b"".join(parts)


def _chunks(file: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    """Kind and data of each, but for the pixels."""
    end = file.seek(0, 2)
    at = file.seek(_HEAD)
    while at + 12 <= end:
        file.seek(at)
        head = file.read(8)
        length, kind = int.from_bytes(head[:4], "big"), head[4:]
        if kind == b"IEND" or at + 12 + length > end:
            return
        if kind != b"IDAT" and length <= _LONGEST:
            yield kind, file.read(length)
        at += 12 + length


def _numbers(data: bytes) -> tuple[float, ...]:
    return tuple(int.from_bytes(data[at : at + 4], "big") / 100_000 for at in range(0, len(data), 4))
