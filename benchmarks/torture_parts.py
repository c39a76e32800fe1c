"""Image files from arrays, and what no encoder would write: PNG files chunk by chunk, and colour profiles."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image, ImageCms

Levels = NDArray[Any]

PNG_HEAD = b"\x89PNG\r\n\x1a\n"
# Colorants of three spaces, adapted to D50, as their profiles hold them: rows X, Y, Z of red, green, blue.
DISPLAY_P3 = ((0.5151, 0.2412, -0.0011), (0.2920, 0.6922, 0.0419), (0.1571, 0.0666, 0.7841))
PROPHOTO = ((0.7977, 0.2880, 0.0), (0.1352, 0.7119, 0.0), (0.0313, 0.0001, 0.8249))


def png_chunk(kind: bytes, data: bytes) -> bytes:
    """Length, kind, data and check sum."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, bits: int, colour_type: int, rows: bytes, extra: bytes = b"") -> bytes:
    """A PNG file; `rows` are filtered rows before compression, `extra` chunks between header and pixels."""
    header = struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, 0)
    parts = (png_chunk(b"IHDR", header), extra, png_chunk(b"IDAT", zlib.compress(rows)), png_chunk(b"IEND", b""))
    return PNG_HEAD + b"".join(parts)


def png_with(data: bytes, *chunks: bytes) -> bytes:
    """A PNG file with chunks put behind its header."""
    return data[:33] + b"".join(chunks) + data[33:]


def rgb_profile(colorants: Sequence[Sequence[float]] = DISPLAY_P3, gamma: float = 2.2) -> bytes:
    """An ICC profile of three colorants and one gamma."""
    tags = {f"{name}XYZ".encode(): _xyz(xyz) for name, xyz in zip("rgb", colorants, strict=True)}
    return _profile(b"RGB ", b"XYZ ", tags | {f"{name}TRC".encode(): _gamma(gamma) for name in "rgb"})


def grey_profile(gamma: float) -> bytes:
    """An ICC profile of grey values."""
    return _profile(b"GRAY", b"XYZ ", {b"kTRC": _gamma(gamma)})


def cmyk_profile() -> bytes:
    """An ICC profile of four inks, each of which does what one would think; it leads to colours, not from them."""
    grid = []
    for node in range(16):  # cyan changes slowest
        cyan, magenta, yellow, black = ((node >> shift) & 1 for shift in (3, 2, 1, 0))
        lightness = max(0, 100 - 35 * cyan - 40 * magenta - 10 * yellow) * (1 - black)
        a, b = (-35 * cyan + 70 * magenta) * (1 - black), (-45 * cyan + 85 * yellow) * (1 - black)
        grid += [round(lightness * 2.55), 128 + a, min(255, 128 + b)]
    straight = bytes(range(256))
    unit = struct.pack(">9i", *(65536 * one for one in (1, 0, 0, 0, 1, 0, 0, 0, 1)))
    table = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + unit + straight * 4 + bytes(grid) + straight * 3
    return _profile(b"CMYK", b"Lab ", {b"A2B0": table})


def _profile(space: bytes, pcs: bytes, tags: dict[bytes, bytes]) -> bytes:
    """Header, directory and tags of an ICC profile of version 2."""
    tags = {
        b"desc": b"desc" + struct.pack(">II", 0, 5) + b"ours\0" + bytes(78),
        b"wtpt": _xyz((0.9642, 1, 0.8249)),
    } | tags
    offset = 128 + 4 + 12 * len(tags)
    directory, body = struct.pack(">I", len(tags)), b""
    for name, data in tags.items():
        directory += name + struct.pack(">II", offset + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    head = struct.pack(">I4sI4s4s4s", offset + len(body), b"lcms", 0x02100000, b"mntr", space, pcs)
    head += bytes(12) + b"acsp" + bytes(28) + struct.pack(">3i", *(round(65536 * x) for x in (0.9642, 1, 0.8249)))
    return head + bytes(128 - len(head)) + directory + body


def _xyz(values: Sequence[float]) -> bytes:
    return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(65536 * x) for x in values))


def _gamma(gamma: float) -> bytes:
    return b"curv" + struct.pack(">IIH", 0, 1, round(256 * gamma)) + bytes(2)


def as_pil(levels: Levels) -> Image.Image:
    """uint8 [H, W, C] as a PIL image."""
    return Image.fromarray(levels[..., 0] if levels.shape[2] == 1 else levels)


def encoded(levels: Levels, kind: str, mode: str | None = None, **options: Any) -> bytes:
    """uint8 [H, W, C], in another mode of Pillow\'s if one is named, as a file."""
    image = as_pil(levels)
    if mode == "LAB":
        profiles = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
        image = ImageCms.buildTransform(*profiles, "RGB", "LAB").apply(image)
    elif mode:
        image = image.convert(mode)
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def tiff(levels: Levels, **options: Any) -> bytes:
    """[H, W, C] of any type as a TIFF file, with options of tifffile."""
    channels = levels.shape[2]
    if options.get("planarconfig") == "separate":
        levels = np.moveaxis(levels, 2, 0)
    extra = {} if channels in (1, 3) else {"extrasamples": ["unassalpha"]}
    buffer = io.BytesIO()
    photometric = "rgb" if channels > 2 else "minisblack"
    tifffile.imwrite(buffer, levels if channels > 1 else levels[..., 0], photometric=photometric, **extra, **options)
    return buffer.getvalue()


def deep_png(levels: Levels) -> bytes:
    """uint16 [H, W, C] as a PNG file whose rows are not filtered."""
    rows = np.ascontiguousarray(levels, ">u2").view(np.uint8).reshape(len(levels), -1)
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[levels.shape[2]]
    return png(levels.shape[1], levels.shape[0], 16, kind, b"".join(b"\0" + row.tobytes() for row in rows))


def resized_tiff(data: bytes, side: int) -> bytes:
    """The file with another width and height in its directory."""
    patched = bytearray(data)
    with tifffile.TiffFile(io.BytesIO(data)) as parsed:
        for name in ("ImageWidth", "ImageLength"):
            tag = parsed.pages[0].tags[name]
            struct.pack_into("<HI", patched, tag.offset + 2, 4, 1)
            struct.pack_into("<I", patched, tag.offset + 8, side)
    return bytes(patched)
