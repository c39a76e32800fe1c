"""Bytes that a fuzzer makes, guided by what of our parsers they reach, for as long as is asked.

    pip install atheris
    python benchmarks/fuzz_guided.py [--seconds 3600] [--folder fuzzed] [--parts NAME ...] [FILES OR FOLDERS ...]

Beside the files of `fuzz.py`, those that are given are what it begins with. Each input goes to one of the parts below,
which its first byte chooses: what reads EXIF data, XMP packets, JPEG segments and what is behind them, chunks of PNG,
boxes of AVIF and HEIC, directories of TIFF, resources of Photoshop and profiles, each with what must hold of its
answer; and whole files, in and out again. What fails is left in FOLDER, one input for each place of failure, with its
traceback, and the fuzzer goes on; what takes more than 20 s of a processor, 2 GiB, or the process down with it is left
there too, as libFuzzer calls it (timeout-..., oom-..., crash-...). The exit code is 1 if there is any. FOLDER/corpus
keeps what was reached, for the next time. `--again FILE` tries one input once more.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import logging
import os
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import atheris

with atheris.instrument_imports(include=["ldrps.image", "PIL"], enable_loader_override=False):
    from PIL import Image

    from ldrps.errors import InputError
    from ldrps.image import (
        boxes,
        cargo,
        carry,
        code_points,
        gain_map,
        header,
        heif,
        jpeg_parts,
        metadata,
        photoshop,
        png_chunks,
        raw_exif,
        space,
        tiff_pages,
        xmp,
    )
    from ldrps.image.picture import Picture  # noqa: F401  (with all that reading takes)

from fuzz import check, seeds

SECONDS_EACH, MIB, LONGEST = 20, 2048, 1 << 16
_LAYOUT = {256, 257, 274, 513}


class _Index(Image.Image):
    """As Pillow has a JPEG with an index of two pictures."""

    mpinfo: ClassVar = {
        0xB002: [{"Attribute": {"MPType": "Baseline MP Primary Image"}}, {"Attribute": {"MPType": "Undefined"}}]
    }


def exif(data: bytes) -> None:
    raw = raw_exif.RawExif(data)
    assert 1 <= raw.orientation <= 8
    again = raw_exif.RawExif(data)
    tidy = again.tidy(_LAYOUT, (48, 40), sideways=True)
    assert (tidy is not None) <= raw.has_tags
    if tidy is not None:
        assert len(tidy) <= len(data) + len(raw_exif.HEAD)
        assert raw_exif.RawExif(tidy).orientation == 1
        assert raw_exif.RawExif(tidy).resize((48, 40)) == tidy


def packets(data: bytes) -> None:
    tidy = xmp.tidied(data)
    for change in (xmp.without_gain_map, xmp.without_motion, xmp.without_extension):
        assert len(change(tidy)) <= len(tidy)
    assert not xmp.tells_of_gain_map(data) or len(xmp.without_gain_map(data)) <= len(data)
    xmp.with_length(xmp.of_size(data, (48, 40)), b"GainMap", 7)
    carry.load_up(cargo.NO_CARGO, tidy, "PNG", same_tones=True, strip=False)


def jpeg(data: bytes) -> None:
    parts = jpeg_parts.split_jpeg(data)
    if parts is None:
        return
    assert data[parts.end - 1] == jpeg_parts.END
    head = b"\xff\xd8" + b"".join(each.encoded() for each in parts.segments)
    assert len(head) <= parts.end
    gain_map.is_gain_map(parts.segments)
    behind = cargo.look_behind(data, _Index())
    assert data.endswith(behind.trailer)
    found = cargo.read_cargo(data, _Index(), 1, "fuzzed")
    bare = b"\xff\xd8\xff\xd9"
    stowed = carry.stowed(bare, found)
    inner = jpeg_parts.split_jpeg(stowed)
    assert inner is not None
    assert [each for each in inner.segments if each in found.segments] == list(found.segments)
    assert stowed.endswith(found.trailer)


def chunks(data: bytes) -> None:
    found = png_chunks.read_chunks(io.BytesIO(data))
    if found.gamma is not None or found.corners is not None:
        for channels in (1, 3):
            made = code_points.profile_of_gamma(found.gamma, found.corners, channels)
            assert made is None or space.read_profile(made, channels, "fuzzed") is not None or found.gamma is not None


def boxed(data: bytes) -> None:
    heif.is_heif(io.BytesIO(data))
    found = boxes.read_boxes(io.BytesIO(data))
    if found.points is not None:
        points = code_points.CodePoints(*found.points)
        if points.is_known:
            points.profile(3)


def resources(data: bytes) -> None:
    for turned in (False, True):
        kept = photoshop.kept_resources(data, turned=turned)
        assert photoshop.kept_resources(kept, turned=turned) == kept
        assert len(kept) <= len(data) + 1


def pages(data: bytes) -> None:
    count, _ = tiff_pages.count_pages(io.BytesIO(data))
    assert count >= 1
    metadata.read_tiff_metadata(io.BytesIO(data), (48, 40), "fuzzed")


def profile(data: bytes) -> None:
    code_points.points_of_profile(data)
    for channels in (1, 3):
        space.read_profile(data, channels, "fuzzed")


def whole(data: bytes) -> None:
    with tempfile.TemporaryDirectory(dir=_MEMORY) as folder:
        path = Path(folder) / "fuzzed.bin"
        path.write_bytes(data)
        check(path, path.parent)


def headers(data: bytes) -> None:
    """As far as headers go, which is quick."""
    with io.BytesIO(data) as file, header.blaming("fuzzed"):
        image = header.open_header(file, "fuzzed")
        if image is not None:
            header.refuse_header(image, "fuzzed", 100_000, file)


PARTS: dict[str, Callable[[bytes], None]] = {
    function.__name__: function
    for function in (exif, packets, jpeg, chunks, boxed, resources, pages, profile, whole, headers)
}
_MEMORY = "/dev/shm" if os.path.isdir("/dev/shm") else None


def beginnings(paths: list[Path], parts: list[str]) -> Iterator[bytes]:
    """Inputs to begin with: each file to each part that takes files, and the pieces of it to theirs."""
    found = list(seeds().values())
    for path in paths:
        files = [path] if path.is_file() else sorted(each for each in path.rglob("*") if each.is_file())
        found += [data for each in files if len(data := each.read_bytes()) <= LONGEST]
    for data in found:
        pieces: dict[str, list[bytes]] = {"exif": [], "packets": [], "resources": [], "profile": []}
        for name in ("whole", "headers", "jpeg", "chunks", "boxed", "pages"):
            pieces[name] = [data]
        split = jpeg_parts.split_jpeg(data)
        for segment in [] if split is None else split.segments:
            pieces["exif"] += [segment.data] * segment.data.startswith(jpeg_parts.EXIF)
            pieces["packets"] += [segment.data] * segment.data.startswith(jpeg_parts.XMP)
            pieces["resources"] += [segment.data.removeprefix(photoshop.HEAD)] * segment.data.startswith(photoshop.HEAD)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                info = Image.open(io.BytesIO(data)).info
            except Exception:  # of files made to be damaged
                info = {}
        kinds = {"exif": "exif", "xmp": "packets", "icc_profile": "profile"}
        for name, part in kinds.items():
            if isinstance(info.get(name), bytes):
                pieces[part].append(info[name])
        for part, each in pieces.items():
            if part in parts:
                yield from (bytes([list(PARTS).index(part)]) + one for one in each)


def trial(folder: Path, parts: list[str]) -> Callable[[bytes], None]:
    """What is done with an input; what fails is left in the folder once for each place in the code."""

    def run(data: bytes) -> None:
        name = list(PARTS)[data[0] % len(PARTS)] if data else ""
        if name not in parts:
            return
        try:
            PARTS[name](data[1:])
        except Exception as error:
            if isinstance(error, InputError):
                return
            frames = traceback.extract_tb(error.__traceback__)
            place = "".join(f"{frame.filename}:{frame.lineno}" for frame in frames[-2:]) + type(error).__name__
            path = folder / f"{name}-{hashlib.sha256(place.encode()).hexdigest()[:12]}.bin"
            if not path.exists():
                path.write_bytes(data)
                path.with_suffix(".txt").write_text("".join(traceback.format_exception(error)))

    return run


def fuzz(folder: Path, parts: list[str], seconds: int) -> None:
    """Fuzz in this process until the time is over, or the process is."""
    options = [f"-max_total_time={seconds}", f"-timeout={SECONDS_EACH}", f"-rss_limit_mb={MIB}", f"-max_len={LONGEST}"]
    options += [f"-artifact_prefix={folder}/", "-print_final_stats=1", "-len_control=50"]
    atheris.Setup([sys.argv[0], *options, f"{folder / 'corpus'}"], trial(folder, parts))
    atheris.Fuzz()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("given", nargs="*", type=Path, help="files to begin with, or folders of them")
    parser.add_argument("--seconds", type=int, default=3600)
    parser.add_argument("--folder", type=Path, default=Path("fuzzed"))
    parser.add_argument("--parts", nargs="+", choices=list(PARTS), default=list(PARTS))
    parser.add_argument("--again", type=Path, help="an input that failed")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    if asked.again:
        data = asked.again.read_bytes()
        PARTS[list(PARTS)[data[0] % len(PARTS)]](data[1:])
        return
    if asked.worker:
        fuzz(asked.folder, asked.parts, asked.seconds)
        return
    corpus = asked.folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for data in beginnings(asked.given, asked.parts):
        (corpus / hashlib.sha256(data).hexdigest()[:20]).write_bytes(data)
    end = time.monotonic() + asked.seconds
    while (left := int(end - time.monotonic())) > 0:  # once more after each input that ended the process
        options: list[Any] = ["--worker", "--folder", asked.folder, "--seconds", left, "--parts", *asked.parts]
        subprocess.run([sys.executable, __file__, *map(str, options)], check=False)
        time.sleep(1)
    found = sorted(path for path in asked.folder.iterdir() if path.is_file() and path.suffix != ".txt")
    print("\n".join(map(str, found)) or "nothing failed")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
