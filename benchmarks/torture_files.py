"""The files of the torture folder, each with what must become of it."""

from __future__ import annotations

import io
import os
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from PIL import ExifTags, Image, ImageCms
from torture_parts import (
    PNG_HEAD,
    PROPHOTO,
    Levels,
    as_pil,
    cmyk_profile,
    deep_png,
    encoded,
    grey_profile,
    png,
    png_chunk,
    png_with,
    resized_tiff,
    rgb_profile,
    tiff,
)

WIDTH, HEIGHT = 96, 80
DPI = (300.0, 300.0)
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="%d">at sea</rdf:Description></x:xmpmeta>'
_TURNS: dict[int, Callable[[Levels], Levels]] = {  # what each orientation asks viewers to do
    1: lambda x: x,
    2: lambda x: x[:, ::-1],
    3: lambda x: x[::-1, ::-1],
    4: lambda x: x[::-1],
    5: lambda x: x.swapaxes(0, 1),
    6: lambda x: np.rot90(x, -1),
    7: lambda x: x[::-1, ::-1].swapaxes(0, 1),
    8: np.rot90,
}


@dataclass(frozen=True)
class Case:
    """A file and what must become of it.

    Attributes:
        path: where it lies.
        refused: whether it must be refused; None if either will do.
        bomb: whether that must happen at once, in little memory.
        levels: [H, W, C], uint8 or uint16, exactly as they must come in and go out; None if that is not known.
        profile: that must be kept.
        tagged: whether artist, XMP and resolution must be kept.
    """

    path: Path
    refused: bool | None = False
    bomb: bool = False
    levels: Levels | None = None
    profile: bytes | None = None
    tagged: bool = False


def make(folder: Path) -> list[Case]:
    """Fill an empty folder."""
    folder.mkdir(parents=True, exist_ok=True)
    cases: list[Case] = []

    def put(name: str, data: bytes, **expected: Any) -> None:
        path = folder / name
        path.write_bytes(data)
        cases.append(Case(path, **expected))

    for group in (_modes, _deep, _turned, _profiles, _odd, _broken, _bombs):
        for name, data, expected in group():
            put(name, data, **expected)
    for name in ("🐻‍❄️ 写真.png", "with space.png", "new\nline.png", "-dash.png", ".hidden.png", "é" * 100 + ".png"):
        put(name, encoded(picture(3), "PNG"), levels=picture(3))
    return cases + _places(folder)


def picture(channels: int, bits: int = 8) -> Levels:
    """[H, W, channels], with no two places alike."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    planes = [np.sin(x / 9) + y / 60, np.cos(y / 7) + x / 80, np.sin((x + y) / 11), x / WIDTH + np.cos(y / 5)]
    chosen = {1: [0], 2: [0, 3], 3: [0, 1, 2], 4: [0, 1, 2, 3]}[channels]
    values = np.stack([(plane - plane.min()) / np.ptp(plane) for plane in (planes[i] for i in chosen)], -1)
    return np.asarray((values * (2**bits - 1)).round(), f"uint{bits}")


Made = Iterator[tuple[str, bytes, dict[str, Any]]]


def _modes() -> Made:
    for mode, channels in (("L", 1), ("LA", 2), ("RGB", 3), ("RGBA", 4)):
        for kind, suffix in (("PNG", "png"), ("TIFF", "tif")):
            levels = picture(channels)
            yield f"{mode}.{suffix}", encoded(levels, kind, **_tags(kind)), {"levels": levels, "tagged": True}
    for mode in ("RGB", "RGBA"):
        levels = picture(len(mode))
        yield f"{mode}.webp", encoded(levels, "WEBP", lossless=True, exact=True), {"levels": levels}
        yield f"{mode}.avif", encoded(levels, "AVIF", quality=90), {}
    for mode in ("L", "RGB", "CMYK"):
        yield f"{mode}.jpg", encoded(picture(3), "JPEG", mode, dpi=(300, 300)), {}
    for mode in ("1", "P", "L"):
        yield f"{mode}.gif", encoded(picture(3), "GIF", mode), {}
        yield f"{mode} too.png", encoded(picture(3), "PNG", mode), {}
    for mode in ("1", "P", "CMYK", "LAB"):
        yield f"{mode}.tif", encoded(picture(3), "TIFF", mode), {}
    yield "P with alpha.png", encoded(picture(3), "PNG", "P", transparency=3), {}
    yield "L with key.png", encoded(picture(1), "PNG", transparency=9), {}
    yield "RGB.bmp", encoded(picture(3), "BMP"), {"levels": picture(3)}
    yield "YCbCr.tif", encoded(picture(3), "TIFF", "YCbCr", compression="jpeg"), {}  # raw, Pillow 12 cannot read it
    for compression in ("tiff_lzw", "tiff_adobe_deflate", "packbits"):
        levels = picture(3)
        yield f"{compression}.tif", encoded(levels, "TIFF", compression=compression), {"levels": levels}
    yield "progressive.jpg", encoded(picture(3), "JPEG", progressive=True), {}


def _deep() -> Made:
    for channels, name in ((1, "L"), (2, "LA"), (3, "RGB"), (4, "RGBA")):
        levels = picture(channels, 16)
        yield f"{name} 16.png", deep_png(levels), {"levels": levels}
        yield f"{name} 16.tif", tiff(levels), {"levels": levels}
    levels = picture(3, 16)
    yield "RGB 16 big-endian.tif", tiff(levels, byteorder=">"), {"levels": levels}
    yield "RGB 16 deflate.tif", tiff(levels, compression="zlib", predictor=True), {"levels": levels}
    yield "RGB 16 planes.tif", tiff(levels, planarconfig="separate"), {"levels": levels}
    yield "RGB 16 tiles.tif", tiff(levels, tile=(16, 16)), {"levels": levels}
    yield "RGB 16 BigTIFF.tif", tiff(levels, bigtiff=True), {"levels": levels}
    for channels, name in ((1, "L"), (3, "RGB")):
        levels = picture(channels, 16)
        yield f"{name} float.tif", tiff((levels / 65535).astype(np.float32)), {"levels": levels}
    yield "RGB half.tif", tiff((picture(3) / 255).astype(np.float16)), {}
    yield "RGB float of 255.tif", tiff(picture(3).astype(np.float32)), {"refused": True}
    yield "RGB NaN.tif", tiff(np.full((HEIGHT, WIDTH, 3), np.nan, np.float32)), {"refused": True}


def _turned() -> Made:
    for orientation, turn in _TURNS.items():
        for kind, suffix in (("PNG", "png"), ("TIFF", "tif")):
            data = encoded(picture(4), kind, **_tags(kind, orientation))
            yield f"turned {orientation}.{suffix}", data, {"levels": turn(picture(4)), "tagged": True}
        data = encoded(picture(3), "JPEG", quality=95, **_tags("JPEG", orientation))
        yield f"turned {orientation}.jpg", data, {"tagged": True}
        levels = picture(3, 16)
        tag = [(int(ExifTags.Base.Orientation), 3, 1, orientation, True)]
        yield f"turned {orientation} 16.tif", tiff(levels, extratags=tag), {"levels": turn(levels)}
        chunk = png_chunk(b"eXIf", _exif(orientation).tobytes()[6:])
        yield f"turned {orientation} 16.png", png_with(deep_png(levels), chunk), {"levels": turn(levels)}


def _profiles() -> Made:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for name, profile in (("sRGB", srgb), ("P3", rgb_profile()), ("ProPhoto", rgb_profile(PROPHOTO, 1.8))):
        for kind, suffix in (("PNG", "png"), ("TIFF", "tif")):
            for levels in (picture(3), picture(4)):
                data = encoded(levels, kind, icc_profile=profile)
                expected = {"levels": levels, "profile": profile}
                yield f"{name} {levels.shape[2]}.{suffix}", data, expected
        levels = picture(4, 16)
        chunk = png_chunk(b"iCCP", b"ours\0\0" + zlib.compress(profile))
        yield f"{name} 16.png", png_with(deep_png(levels), chunk), {"levels": levels, "profile": profile}
        yield f"{name} 16.tif", tiff(levels, iccprofile=profile), {"levels": levels, "profile": profile}
        yield f"{name}.jpg", encoded(picture(3), "JPEG", icc_profile=profile), {"profile": profile}
        yield f"{name}.webp", encoded(picture(3), "WEBP", icc_profile=profile), {"profile": profile}
    grey = grey_profile(1.0)
    yield "grey profile.png", encoded(picture(1), "PNG", icc_profile=grey), {"levels": picture(1), "profile": grey}
    yield "CMYK profile.jpg", encoded(picture(3), "JPEG", "CMYK", icc_profile=cmyk_profile()), {}
    yield "CMYK profile.tif", encoded(picture(3), "TIFF", "CMYK", icc_profile=cmyk_profile()), {}
    for name, profile in (
        ("broken", b"rubbish"),
        ("cut", rgb_profile()[:200]),
        ("CMYK on RGB", cmyk_profile()),
        ("huge", rgb_profile() + bytes(900_000)),
    ):
        data = encoded(picture(3), "PNG", icc_profile=profile)
        yield f"profile {name}.png", data, {"levels": picture(3), "profile": profile}
    huge = rgb_profile() + os.urandom(3_000_000)
    yield "profile huge.jpg", encoded(picture(3), "JPEG", icc_profile=huge), {"profile": huge}
    yield "profile huge.tif", encoded(picture(3), "TIFF", icc_profile=huge), {"levels": picture(3), "profile": huge}


def _odd() -> Made:
    first, second = as_pil(picture(3)), Image.new("RGB", (WIDTH, HEIGHT))
    for kind in ("GIF", "PNG", "WEBP", "TIFF", "MPO"):
        buffer = io.BytesIO()
        first.save(buffer, kind, save_all=True, append_images=[second])
        yield f"several.{kind.lower()}", buffer.getvalue(), {"refused": True}
    yield "really a PNG.jpg", encoded(picture(3), "PNG"), {}
    yield "really a PNG with alpha.jpg", encoded(picture(4), "PNG"), {"refused": None}
    yield "really a JPEG.png", encoded(picture(3), "JPEG"), {}
    yield "really a TIFF", encoded(picture(3), "TIFF"), {"levels": picture(3)}
    yield "text.png", b"once upon a time there was a picture", {"refused": True}
    yield "icon.ico", encoded(picture(3), "ICO"), {"refused": True}
    yield "HEIC without pixels.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(200), {"refused": True}
    yield "with a tail.png", encoded(picture(3), "PNG") + b"tail" * 99, {"levels": picture(3)}
    for name, size in (("1 x 1", (1, 1)), ("31 x 500", (31, 500)), ("1 x 20000", (1, 20000))):
        yield f"{name}.png", encoded(np.zeros((size[1], size[0], 3), np.uint8), "PNG"), {"refused": True}
    yield "32 x 5000.png", encoded(np.zeros((5000, 32, 3), np.uint8), "PNG"), {}
    garbage = png_chunk(b"eXIf", b"MM\0\x2a\0\0\0\x08\xff\xff broken")
    yield "broken EXIF.png", png_with(encoded(picture(3), "PNG"), garbage), {"levels": picture(3)}
    yield "broken EXIF.jpg", encoded(picture(3), "JPEG", exif=b"Exif\0\0MM\0\x2a\0\0\0\x08\xff\xff broken"), {}


def _broken() -> Made:
    yield "empty.png", b"", {"refused": True}
    yield "signature only.png", PNG_HEAD, {"refused": True}
    whole = {kind: encoded(picture(3), kind) for kind in ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF", "AVIF")}
    whole |= {"16.PNG": deep_png(picture(3, 16)), "16.TIFF": tiff(picture(3, 16))}
    for kind, data in whole.items():
        for sixteenth in range(1, 16):
            # Formats whose last bytes say nothing of the picture may do without them.
            name = f"cut {sixteenth} of 16.{kind.lower()}"
            yield name, data[: len(data) * sixteenth // 16], {"refused": True if kind != "TIFF" else None}
        flipped = bytearray(data)
        flipped[len(data) // 2] ^= 0x10
        yield f"flipped.{kind.lower()}", bytes(flipped), {"refused": None}


def _bombs() -> Made:
    bomb = {"refused": True, "bomb": True}
    yield "bomb.png", png(100_000, 100_000, 8, 2, bytes(1000)), bomb
    yield "bomb 16.png", png(60_000, 60_000, 16, 6, bytes(1000)), bomb
    yield "bomb.gif", b"GIF89a" + struct.pack("<HHBBB", 65535, 65535, 0, 0, 0) + b"\x2c" + bytes(20), bomb
    yield "bomb.bmp", b"BM" + bytes(8) + struct.pack("<IIiiHHI", 54, 40, 60000, 60000, 1, 24, 0) + bytes(40), bomb
    yield "bomb.tif", resized_tiff(encoded(picture(3), "TIFF"), 2**30), bomb
    yield "bomb float.tif", resized_tiff(tiff(picture(3).astype(np.float32)), 2**30), bomb
    size = struct.pack(">HH", 65500, 65500)
    jpeg = encoded(picture(3), "JPEG")
    at = jpeg.index(b"\xff\xc0")
    yield "bomb.jpg", jpeg[: at + 5] + size + jpeg[at + 9 :], bomb
    bits = struct.pack("<I", 16382 | 16382 << 14)
    yield (
        "bomb.webp",
        b"RIFF" + struct.pack("<I", 26) + b"WEBPVP8L" + struct.pack("<I", 14) + b"\x2f" + bits + bytes(9),
        bomb,
    )
    avif = encoded(picture(3), "AVIF")
    yield "bomb.avif", avif.replace(struct.pack(">II", WIDTH, HEIGHT), struct.pack(">II", 60000, 60000)), bomb
    zeros = zlib.compress(bytes(200_000_000), 9)
    small = encoded(picture(3), "PNG")
    yield "bomb zTXt.png", png_with(small, png_chunk(b"zTXt", b"Comment\0\0" + zeros)), bomb
    yield "bomb iTXt.png", png_with(small, png_chunk(b"iTXt", b"Comment\0\1\0\0\0" + zeros)), bomb
    yield "bomb iCCP.png", png_with(small, png_chunk(b"iCCP", b"ours\0\0" + zeros)), bomb
    yield "bomb.ico", b"\0\0\1\0\1\0\0\0\0\0\1\0\x20\0" + struct.pack("<II", 1000, 22) + bytes(1000), bomb
    strip = bytearray(tiff(picture(3, 16), compression="zlib", rowsperstrip=HEIGHT))
    with tifffile.TiffFile(io.BytesIO(strip)) as parsed:
        tags = parsed.pages[0].tags
        places = tags["StripOffsets"].valueoffset, tags["StripByteCounts"].valueoffset
    struct.pack_into("<I", strip, places[0], len(strip))
    struct.pack_into("<I", strip, places[1], len(zeros))
    yield "bomb in a strip.tif", bytes(strip) + zeros, {"refused": None, "bomb": True}


def _places(folder: Path) -> list[Case]:
    """What is no ordinary file."""
    good = folder / "RGB.png"
    link, loop, pipe, inside = folder / "link.png", folder / "loop.png", folder / "pipe.png", folder / "folder.png"
    link.symlink_to(good.name)
    loop.symlink_to(loop.name)
    (folder / "dangling.png").symlink_to("nowhere.png")
    os.mkfifo(pipe)
    inside.mkdir()
    locked = folder / "read-only.png"
    locked.write_bytes(good.read_bytes())
    locked.chmod(0o444)
    refused = [
        Case(path, refused=True) for path in (loop, folder / "dangling.png", pipe, inside, folder / "no such.png")
    ]
    return [Case(link, levels=picture(3), tagged=True), Case(locked, levels=picture(3), tagged=True), *refused]


def _exif(orientation: int = 1) -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    exif[ExifTags.Base.Artist] = "Ana"
    exif[ExifTags.IFD.GPSInfo] = {1: "N", 2: (48.0, 8.0, 14.0)}
    return exif


def _tags(kind: str, orientation: int = 1) -> dict[str, Any]:
    """Options of Pillow for artist, XMP packet and resolution."""
    options: dict[str, Any] = {"exif": _exif(orientation).tobytes(), "dpi": DPI}
    if kind == "JPEG":
        options["xmp"] = XMP % orientation
    return options
