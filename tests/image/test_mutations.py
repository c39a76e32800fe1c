"""Files with bytes changed at random: whatever the decoders make of them, only our own errors leave."""

from __future__ import annotations

import contextlib
import io

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torture_files import picture
from torture_parts import rgb_profile

from ldrps.errors import InputError
from ldrps.image.encode import encode
from ldrps.image.metadata import Metadata
from ldrps.image.picture import load_picture, to_levels

EXIF = Image.Exif()
EXIF[0x112], EXIF[0x13B], EXIF[0x8825] = 6, "Ana", {1: "N", 2: (48.0, 8.0, 14.0)}
TAGS = Metadata(rgb_profile(), EXIF.tobytes(), b"<x:xmpmeta xmlns:x='adobe:ns:meta/'></x:xmpmeta>", (300.0, 300.0))


def tiff(levels, **options):
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, levels, **options)
    return buffer.getvalue()


def pillow(kind, mode, **options):
    buffer = io.BytesIO()
    Image.fromarray(picture(3)).convert(mode).save(buffer, kind, **options)
    return buffer.getvalue()


def ours(kind, channels, bits=8):
    return bytes(encode(picture(channels, bits), kind, TAGS, 90, "seed"))


FLOATS = (picture(3) / 255).astype(np.float32)
SEEDS = {
    **{f"{kind} {n}": ours(kind, n) for kind in ("PNG", "TIFF", "WEBP") for n in (1, 4)},
    **{f"{kind} 16 bits {n}": ours(kind, n, 16) for kind in ("PNG", "TIFF") for n in (2, 3)},
    **{kind: ours(kind, 3) for kind in ("JPEG", "AVIF", "BMP")},
    **{f"{kind} {mode}": pillow(kind, mode) for kind, mode in (("GIF", "P"), ("PNG", "P"), ("TIFF", "CMYK"))},
    "JPEG CMYK": pillow("JPEG", "CMYK"),
    "JPEG progressive": pillow("JPEG", "RGB", progressive=True),
    "TIFF LZW": pillow("TIFF", "RGB", compression="tiff_lzw"),
    "TIFF deflate, 16 bits": tiff(picture(3, 16), photometric="rgb", compression="zlib"),
    "TIFF floats": tiff(FLOATS, photometric="rgb"),
    "TIFF planes": tiff(np.moveaxis(picture(3, 16), 2, 0), photometric="rgb", planarconfig="separate"),
    "TIFF tiles": tiff(picture(3, 16), photometric="rgb", tile=(32, 32)),
}


def test_seeds_are_good(tmp_path):
    for name, data in SEEDS.items():
        (tmp_path / name).write_bytes(data)
        assert load_picture(tmp_path / name).rgb.isfinite().all(), name


@pytest.mark.filterwarnings("ignore")  # Pillow warns of broken tags
@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(SEEDS)), st.data())
def test_only_our_own_errors_leave(tmp_path_factory, name, data):
    seed = SEEDS[name]
    damaged = bytearray(seed)
    # Headers and directories matter most, so they are hit most; those of some TIFF files are at the end.
    places = st.integers(0, 300) | st.integers(len(seed) - 300, len(seed) - 1) | st.integers(0, len(seed) - 1)
    for place in data.draw(st.lists(places, min_size=1, max_size=6)):
        damaged[min(max(place, 0), len(seed) - 1)] = data.draw(
            st.sampled_from([0, 1, 127, 128, 255]) | st.integers(0, 255)
        )
    path = tmp_path_factory.getbasetemp() / "mutated"
    path.write_bytes(damaged[: data.draw(st.just(len(damaged)) | st.integers(0, len(damaged)))])
    with contextlib.suppress(InputError):
        picture = load_picture(path, max_pixels=1_000_000)
        assert picture.rgb.isfinite().all()
        assert min(picture.size) >= 32
        assert to_levels(picture, picture.rgb).shape[:2] == picture.size[::-1]
