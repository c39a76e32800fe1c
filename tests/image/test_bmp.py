"""BMP: profiles that Pillow passes over, and runs of 4 bits that it misreads."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from containers import photo, profiled_bmp
from PIL import Image
from torture_parts import rgb_profile

from ldrps.errors import InputError
from ldrps.image.bmp import read_profile
from ldrps.image.header import read_size
from ldrps.image.picture import load_picture, to_levels
from ldrps.image.write import write_image


def test_a_profile_is_followed_and_carried_or_left_out_in_words(tmp_path):
    (tmp_path / "p.bmp").write_bytes(profiled_bmp(rgb_profile()))
    picture = load_picture(tmp_path / "p.bmp")
    assert picture.icc_profile == rgb_profile() and picture.profiled is not None
    levels = to_levels(picture, picture.rgb)
    assert np.array_equal(levels, np.asarray(photo()))
    assert write_image(levels, tmp_path / "out.png", like=picture) == []
    assert load_picture(tmp_path / "out.png").icc_profile == rgb_profile()
    assert write_image(levels, tmp_path / "out.bmp", like=picture) == ["its colour profile: BMP has no room for that"]


@pytest.mark.parametrize(
    "data",
    [
        profiled_bmp(rgb_profile(), b"BGRs"),
        profiled_bmp(rgb_profile(), length=2**31),
        profiled_bmp(rgb_profile(), length=0),
        profiled_bmp(rgb_profile(), place=0),
        profiled_bmp(rgb_profile(), place=2**32 - 1),
        profiled_bmp(rgb_profile())[:-1],
        profiled_bmp(b"")[:130],
    ],
)
def test_profiles_that_are_none(data):
    file = io.BytesIO(data)
    file.seek(7)
    assert read_profile(file) is None and file.tell() == 7


def test_runs_of_4_bits_are_refused(tmp_path):
    """Of an odd number of levels Pillow drops the last, and all that follow are at the wrong places."""
    palette = bytes(each for level in range(16) for each in (17 * level, 17 * level, 17 * level, 0))
    row = b"\0\x03\x12\x30" + b"\x2d\x45" + b"\0\0"  # three levels as they are, then 45 of two
    data = row * 40 + b"\0\1"
    header = struct.pack("<IiiHHIIiiII", 40, 48, 40, 1, 4, 2, len(data), 2835, 2835, 16, 16)
    place = 14 + len(header) + len(palette)
    whole = struct.pack("<2sIHHI", b"BM", place + len(data), 0, 0, place) + header + palette + data
    (tmp_path / "p.bmp").write_bytes(whole)
    assert Image.open(tmp_path / "p.bmp").info["compression"] == 2
    for read in (load_picture, lambda path: read_size(path, 10**6)):
        with pytest.raises(InputError, match="RLE4"):
            read(tmp_path / "p.bmp")
