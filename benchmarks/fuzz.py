"""Files of every kind with bytes changed, cut, doubled and moved, in and out again: only our own errors may leave.

    python benchmarks/fuzz.py [--examples 10000] [--seed 0] [--file PATH]

What fails is shrunk and left in PATH (fuzzed.bin here), and the exit code is 1; so it is if a file takes more than ten
seconds of a processor. A decoder that ends the process leaves the file, too. `tests/image/test_mutations.py` tries
some hundred.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import logging
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import containers
import numpy as np
import tifffile
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from PIL import Image
from torture_files import picture
from torture_parts import png_chunk, png_with, rgb_profile

from ldrps.errors import InputError
from ldrps.image.encode import encode
from ldrps.image.header import read_size
from ldrps.image.metadata import Metadata
from ldrps.image.picture import load_picture, to_levels
from ldrps.image.whole import looks_cut
from ldrps.image.write import write_image

PIXELS, SECONDS = 300_000, 10.0
SUFFIXES = {"JPEG": "jpg", "PNG": "png", "TIFF": "tif", "WEBP": "webp", "BMP": "bmp"}
ENDS = 400  # bytes at either end of a file, where headers and directories mostly are


@lru_cache(1)
def seeds() -> dict[str, bytes]:
    """Whole files, by what they are."""
    exif = Image.Exif()
    exif[0x112], exif[0x13B], exif[0x8825] = 6, "Ana", {1: "N", 2: (48.0, 8.0, 14.0)}
    packet = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'></x:xmpmeta>"
    tags = Metadata(rgb_profile(), exif.tobytes(), packet, (300.0, 300.0))

    def ours(kind: str, channels: int, bits: int = 8) -> bytes:
        return bytes(encode(picture(channels, bits), kind, tags, 90, "seed"))

    def pillow(kind: str, mode: str, **options: Any) -> bytes:
        buffer = io.BytesIO()
        Image.fromarray(picture(3)).convert(mode).save(buffer, kind, **options)
        return buffer.getvalue()

    def tiff(levels: np.ndarray[Any, Any], **options: Any) -> bytes:
        buffer = io.BytesIO()
        tifffile.imwrite(buffer, levels, **options)
        return buffer.getvalue()

    floats = (picture(3) / 255).astype(np.float32)
    more = {"save_all": True, "append_images": [Image.fromarray(255 - picture(3))]}
    iptc = containers.segment(0xED, containers.photoshop((0x404, b"\x1c\x02\x78\0\3sea"), (0x40C, b"x")))
    texts = (png_chunk(b"tEXt", b"a\0b"), png_chunk(b"gAMA", bytes(4)), png_chunk(b"cHRM", bytes(range(32))))
    return {
        **{f"{kind} {n}": ours(kind, n) for kind in ("PNG", "TIFF", "WEBP") for n in (1, 4)},
        **{f"{kind} 16 bits {n}": ours(kind, n, 16) for kind in ("PNG", "TIFF") for n in (2, 3)},
        **{kind: ours(kind, 3) for kind in ("JPEG", "AVIF", "BMP")},
        **{f"{kind} {mode}": pillow(kind, mode) for kind, mode in (("GIF", "P"), ("PNG", "P"), ("TIFF", "CMYK"))},
        **{f"{kind} of frames": pillow(kind, "RGB", **more) for kind in ("GIF", "PNG", "WEBP", "TIFF", "MPO", "AVIF")},
        "JPEG CMYK": pillow("JPEG", "CMYK"),
        "JPEG progressive": pillow("JPEG", "RGB", progressive=True),
        "TIFF LZW": pillow("TIFF", "RGB", compression="tiff_lzw"),
        "TIFF G4": pillow("TIFF", "1", compression="group4"),
        "TIFF deflate, 16 bits": tiff(picture(3, 16), photometric="rgb", compression="zlib"),
        "TIFF floats": tiff(floats, photometric="rgb"),
        "TIFF planes": tiff(np.moveaxis(picture(3, 16), 2, 0), photometric="rgb", planarconfig="separate"),
        "TIFF tiles": tiff(picture(3, 16), photometric="rgb", tile=(32, 32)),
        "gain map": containers.ultra_hdr(6, containers.VIDEO),
        "motion": containers.motion_photo(),
        "micro video": containers.motion_photo(micro=True),
        "MPO and motion": pillow("MPO", "RGB", **more) + containers.samsung_trailer(),
        "BMP profile": containers.profiled_bmp(rgb_profile()),
        "IPTC": containers.with_segments(containers.jpeg(), iptc),
        "cICP": containers.coded_png(12, 13, *texts),
        "cICP, gAMA, iCCP": png_with(
            pillow("PNG", "RGB", icc_profile=rgb_profile()), png_chunk(b"cICP", bytes([12, 13, 0, 1])), *texts
        ),
        "gamma": png_with(pillow("PNG", "L"), *texts),
        "nclx": containers.coded_avif(12, 13),
        "HEIC": containers.heic_boxes(points=(12, 13), kinds=(b"tmap",), told=(b"depth",)),
    }


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A file of ours after some accidents."""
    data = bytearray(seeds()[draw(st.sampled_from(sorted(seeds())))])

    def place() -> int:
        size = max(len(data) - 1, 0)
        return min(draw(st.integers(0, ENDS) | st.integers(max(size - ENDS, 0), size) | st.integers(0, size)), size)

    def change() -> None:
        data[place()] = draw(st.sampled_from([0, 1, 127, 128, 255]) | st.integers(0, 255))

    def cut() -> None:
        del data[place() :]

    def drop() -> None:
        at = place()
        del data[at : at + draw(st.integers(1, 64))]

    def double() -> None:
        at = place()
        data[at:at] = data[at : at + draw(st.integers(1, 64))]

    def move() -> None:
        other = seeds()[draw(st.sampled_from(sorted(seeds())))]
        at, start = place(), draw(st.integers(0, min(len(other), ENDS)))
        data[at : at + 32] = other[start : start + 32]

    accidents: list[Callable[[], None]] = [change, change, change, change, cut, drop, double, move]
    for accident in draw(st.lists(st.sampled_from(accidents), min_size=1, max_size=6)):
        if data:
            accident()
    return bytes(data)


def check(path: Path, out: Path) -> None:
    """Read a file, look at it in the other ways that there are, write what was read, and read that.

    Raises:
        AssertionError: it took long, or what was read cannot be written as it was.
        Exception: anything that is not an error of ours.
    """
    began = time.process_time()
    looks_cut(path)
    with contextlib.suppress(InputError):
        read_size(path, PIXELS)
    with contextlib.suppress(InputError):
        read = load_picture(path, max_pixels=PIXELS, first_frame=True)
        levels = to_levels(read, read.rgb)
        assert read.rgb.isfinite().all()
        assert min(read.size) >= 32
        assert levels.shape[:2] == read.size[::-1]
        original = read.original
        suffix = SUFFIXES.get("" if original is None else original.kind, "png")
        target = out / f"fuzzed.{suffix if read.alpha is None or suffix not in ('jpg', 'bmp') else 'png'}"
        write_image(levels, target, like=read, overwrite=True)
        try:
            again = load_picture(target)
        except InputError as error:
            raise AssertionError(f"what was written cannot be read: {error}") from error
        assert again.size == read.size, "it is turned, or of another size"
    assert time.process_time() - began < SECONDS, "it took long"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--file", type=Path, default=Path("fuzzed.bin"), help="where each file is put, one after another"
    )
    asked = parser.parse_args()
    warnings.simplefilter("ignore")  # Pillow warns of broken tags
    logging.disable(logging.CRITICAL)
    asked.file.parent.mkdir(parents=True, exist_ok=True)
    tried = 0

    @seed(asked.seed)
    @settings(
        max_examples=asked.examples,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(damaged())
    def try_all(data: bytes) -> None:
        nonlocal tried
        tried += 1
        asked.file.write_bytes(data)
        check(asked.file, asked.file.parent)

    try:
        try_all()
    except BaseException as error:
        error.__notes__ = []  # the file, in letters
        traceback.print_exception(error)
        sys.exit(f"failed after {tried} files: see {asked.file}")
    for path in (asked.file, *asked.file.parent.glob("fuzzed.*")):
        path.unlink(missing_ok=True)
    print(f"{tried} files, each read or refused in words")


if __name__ == "__main__":
    main()
