"""Pictures to test with, made rather than kept."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image


def make_photo(width: int = 48, height: int = 40, mode: str = "RGB") -> Image.Image:
    """Noise: no two places alike, so that a turn, a shift or a swap of channels shows."""
    rng = np.random.default_rng(7)
    rgba = Image.fromarray(rng.integers(0, 256, (height, width, 4), dtype=np.uint8))
    return rgba if mode == "RGBA" else rgba.convert("RGB").convert(mode) if mode != "LA" else rgba.convert("LA")


def make_png(width: int, height: int, bits: int, colour_type: int, rows: bytes, extra: bytes = b"") -> bytes:
    """A PNG file from its parts, for those that Pillow would not write."""
    header = struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, 0)
    parts = (png_chunk(b"IHDR", header), extra, png_chunk(b"IDAT", zlib.compress(rows)), png_chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


@pytest.fixture
def photo() -> Callable[..., Image.Image]:
    return make_photo


@pytest.fixture
def png() -> Callable[..., bytes]:
    return make_png


@pytest.fixture
def chunk() -> Callable[[bytes, bytes], bytes]:
    return png_chunk
