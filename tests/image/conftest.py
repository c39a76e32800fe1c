"""Pictures to test with, made rather than kept."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image
from torture_parts import png as make_png
from torture_parts import png_chunk


def make_photo(width: int = 48, height: int = 40, mode: str = "RGB") -> Image.Image:
    """Noise: no two places alike, so that a turn, a shift or a swap of channels shows."""
    rng = np.random.default_rng(7)
    rgba = Image.fromarray(rng.integers(0, 256, (height, width, 4), dtype=np.uint8))
    return rgba if mode == "RGBA" else rgba.convert("RGB").convert(mode) if mode != "LA" else rgba.convert("LA")


@pytest.fixture
def photo() -> Callable[..., Image.Image]:
    return make_photo


@pytest.fixture
def png() -> Callable[..., bytes]:
    return make_png


@pytest.fixture
def chunk() -> Callable[[bytes, bytes], bytes]:
    return png_chunk
