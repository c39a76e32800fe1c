"""What a header tells of a file that cannot hold what it claims, and what that costs."""

from __future__ import annotations

import io
import struct
import subprocess
import sys

import pytest
from PIL import Image, features
from torture_parts import png

from ldrps.errors import InputError
from ldrps.image.header import read_size
from ldrps.image.picture import load_picture


def jpeg(image, **options):
    file = io.BytesIO()
    image.save(file, "JPEG", **options)
    return file.getvalue()


def claiming(data, width, height):
    """The same JPEG, with another size in the description of its frame."""
    at = next(data.index(marker) for marker in (b"\xff\xc0", b"\xff\xc2") if marker in data) + 5
    return data[:at] + struct.pack(">HH", height, width) + data[at + 4 :]


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"optimize": True, "subsampling": "4:4:4"}])
@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_a_jpeg_that_claims_more_than_it_can_hold(mode, options, tmp_path, photo):
    (tmp_path / "p.jpg").write_bytes(claiming(jpeg(photo(mode=mode), **options), 9999, 9999))
    for read in (read_size, load_picture):
        with pytest.raises(
            InputError, match=r"cut short \(its bytes are too few for 9,999 x 9,999 pixels\): get a whole"
        ):
            read(tmp_path / "p.jpg", max_pixels=100_000_000)


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": "4:4:4"}, {"subsampling": "4:2:0"}])
@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize("size", [(32, 32), (33, 4001), (2047, 1500)])
def test_the_least_jpegs_that_there_are(size, mode, options, tmp_path):
    """Of one colour, as coarse as can be, and without a byte too many."""
    least = jpeg(Image.new(mode, size, 0), quality=1, optimize=True, **options)
    (tmp_path / "p.jpg").write_bytes(least)
    assert read_size(tmp_path / "p.jpg", 10**8) == size
    assert load_picture(tmp_path / "p.jpg").size == size


def test_arithmetic_codes_may_be_shorter(tmp_path, photo):
    data = claiming(jpeg(photo()), 999, 999).replace(b"\xff\xc0", b"\xff\xc9")
    (tmp_path / "p.jpg").write_bytes(data)
    assert read_size(tmp_path / "p.jpg", 10**8) == (999, 999)


def test_other_formats_may_be_tiny(tmp_path):
    for suffix, options in (
        ("webp", {"lossless": True}),
        ("avif", {}),
        ("png", {}),
        ("tif", {"compression": "group4"}),
    ):
        if suffix == "avif" and not features.check("avif"):
            continue
        path = tmp_path / f"blank.{suffix}"
        Image.new("1" if suffix == "tif" else "RGB", (3000, 2000)).save(path, **options)
        assert path.stat().st_size < 20_000
        assert load_picture(path).size == (3000, 2000)


PROGRAM = """
import resource, sys
from ldrps.errors import InputError
from ldrps.image.picture import load_picture
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
before = peak()
for path in sys.argv[1:]:
    try:
        load_picture(path)
    except InputError:
        print(peak() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="counts memory in KiB")
def test_what_the_header_condemns_costs_no_more_than_reading_it(tmp_path, photo):
    """It was 916 MiB for a PNG one pixel wide, 2.4 GiB for a JPEG of 6 kB."""
    (tmp_path / "thin.png").write_bytes(png(1, 99_999_999, 8, 2, b"\0" * 100))
    (tmp_path / "flat.png").write_bytes(png(99_999_999 // 31, 31, 16, 2, b"\0" * 100))
    (tmp_path / "claim.jpg").write_bytes(claiming(jpeg(photo()), 9999, 9999))
    paths = sorted(tmp_path.iterdir())
    told = subprocess.run([sys.executable, "-c", PROGRAM, *paths], capture_output=True, text=True, check=True).stdout
    peaks = [int(each) for each in told.split()]  # after each of them, since the first
    assert len(peaks) == len(paths) == 3
    assert peaks[-1] < 50 << 10, dict(zip(paths, peaks, strict=True))
