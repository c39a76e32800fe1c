"""load_picture on files: what is refused, in which words, and what a file's metadata does."""

from __future__ import annotations

import importlib.util
import io
import logging
import os
import struct
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from PIL import ExifTags, Image, ImageFile

from ldrps.errors import InputError
from ldrps.image.header import read_size
from ldrps.image.picture import load_picture

ORIENTATION = ExifTags.Base.Orientation


def encoded(image, kind, **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def bytes_of(rgb):
    return (rgb[0].permute(1, 2, 0) * 255).round().to(torch.uint8).numpy()


# The size, from the header alone


def test_size_of_every_format(tmp_path, photo):
    for kind in ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF", "AVIF"):
        (tmp_path / kind).write_bytes(encoded(photo(), kind))
        assert read_size(tmp_path / kind, 48 * 40) == (48, 40)


def test_size_of_a_picture_beyond_pillows_limit(tmp_path, png):
    (tmp_path / "large.png").write_bytes(png(20_000, 10_000, 1, 0, b""))
    assert read_size(tmp_path / "large.png", 200_000_000) == (20_000, 10_000)


def test_size_of_a_tiff_that_pillow_cannot_open(tmp_path, photo):
    tifffile.imwrite(tmp_path / "p.tif", np.asarray(photo()) / np.float32(255), photometric="rgb")
    assert read_size(tmp_path / "p.tif", 48 * 40) == (48, 40)


def test_size_is_refused_in_the_words_of_loading(tmp_path, photo, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    levels = np.asarray(photo()).astype(np.uint16)
    planes = {"photometric": "rgb", "planarconfig": "separate", "compression": "zlib"}
    (tmp_path / "text.png").write_text("once upon a time")
    (tmp_path / "cut.png").write_bytes(encoded(photo(), "PNG")[:20])
    (tmp_path / "phone.heic").write_bytes(b"\0\0\0\x10ftypheic\0\0\0\0")
    (tmp_path / "small.png").write_bytes(encoded(photo(31, 31), "PNG"))
    (tmp_path / "large.png").write_bytes(encoded(photo(60, 60), "PNG"))
    tifffile.imwrite(tmp_path / "planes.tif", np.moveaxis(levels, 2, 0), **planes)
    tifffile.imwrite(tmp_path / "complex.tif", levels[..., 0].astype(np.complex64))
    tifffile.imwrite(tmp_path / "large.tif", np.ones((60, 60, 3), np.float32), photometric="rgb")
    tifffile.imwrite(tmp_path / "small.tif", np.ones((31, 60, 3), np.float32), photometric="rgb")
    paths = [tmp_path / "none.png", tmp_path, *sorted(tmp_path.iterdir())]
    for path in paths:
        refusals = []
        for refused in (load_picture, read_size):
            with pytest.raises(InputError) as caught:
                refused(path, max_pixels=2000)
            refusals.append(str(caught.value))
        assert refusals[0] == refusals[1]
    assert len(paths) == 11


# Refusals, in the order of the contract


def test_missing_file(tmp_path):
    with pytest.raises(InputError, match=r"no such\.png does not exist: check the name"):
        load_picture(tmp_path / "no such.png")


def test_folder(tmp_path):
    with pytest.raises(InputError, match="is a folder: name an image file"):
        load_picture(str(tmp_path))


@pytest.mark.parametrize("name", ["a" * 300 + ".png", "null\0.png"])
def test_impossible_name(name):
    with pytest.raises(InputError, match="cannot be read"):
        load_picture(name)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_pipe_is_refused_rather_than_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(InputError, match="not a regular file"):
        load_picture(tmp_path / "pipe.png")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", r"is empty \(0 bytes\)"),
        (b"once upon a time there was a picture", "not an image of a known format"),
        (b"%PDF-1.7\n", "not an image of a known format"),
        (b"\x89PNG\r\n\x1a\n", "begins like a PNG file, but its header is damaged"),
        (b"\xff\xd8\xff\xe0", "begins like a JPEG file, but its header is damaged"),
    ],
)
def test_not_an_image_whatever_the_extension(tmp_path, data, words):
    path = tmp_path / "picture.png"
    path.write_bytes(data)
    with pytest.raises(InputError, match=words):
        load_picture(path)


def test_format_outside_the_list_is_refused(tmp_path, photo):
    path = tmp_path / "picture.png"
    path.write_bytes(encoded(photo(), "PPM"))
    with pytest.raises(InputError, match="give one of PNG, JPEG, MPO, WEBP, TIFF, BMP, GIF, AVIF, HEIC"):
        load_picture(path)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF", "AVIF"])
def test_wrong_extension_does_not_matter(tmp_path, photo, kind):
    path = tmp_path / "picture.txt"
    path.write_bytes(encoded(photo(), kind))
    picture = load_picture(path)
    assert picture.rgb.shape == (1, 3, 40, 48)
    assert picture.rgb.dtype == torch.float32
    assert picture.size == (48, 40)
    assert picture.source == str(path)
    if kind in ("PNG", "TIFF", "BMP"):
        assert np.array_equal(bytes_of(picture.rgb), np.asarray(photo()))


@pytest.mark.parametrize(("width", "height"), [(20_000, 20_000), (100_000_001, 1), (2**31 - 1, 2**31 - 1)])
def test_bomb_is_refused_from_its_header(tmp_path, monkeypatch, png, width, height):
    path = tmp_path / "bomb.png"
    path.write_bytes(png(width, height, 8, 2, b"\0" * 1000))
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda self: pytest.fail("its pixels are read"))
    with pytest.raises(InputError) as caught:
        load_picture(path)
    for word in ("bomb.png", f"{width} x {height}", f"{width * height:,}", "100,000,000", "max_pixels="):
        assert word in str(caught.value)
    assert f"allow it with --max-pixels {width * height}" in caught.value.on_command_line


def test_limit_of_pixels_is_the_callers_and_exact(tmp_path, photo):
    photo().save(tmp_path / "p.png")
    assert load_picture(tmp_path / "p.png", max_pixels=48 * 40).size == (48, 40)
    with pytest.raises(InputError, match="1,920 pixels, more than the limit of 1,919"):
        load_picture(tmp_path / "p.png", max_pixels=48 * 40 - 1)


def test_limit_may_exceed_pillows(tmp_path, png):
    # 200 Mpx pass the limit, and then fail for want of data, not of permission.
    path = tmp_path / "large.png"
    path.write_bytes(png(20_000, 10_000, 1, 0, b"\0" * 1000))
    with pytest.raises(InputError, match="damaged or cut short"):
        load_picture(path, max_pixels=200_000_000)


def test_what_the_header_tells_comes_before_damage(tmp_path, photo):
    path = tmp_path / "p.png"
    path.write_bytes(encoded(photo(31, 31), "PNG")[:900])
    with pytest.raises(InputError, match="more than the limit"):
        load_picture(path, max_pixels=100)
    with pytest.raises(InputError, match="smaller than the limit of 32"):
        load_picture(path)


@pytest.mark.parametrize("progressive", [False, True])
def test_jpeg_cut_anywhere(tmp_path, photo, progressive):
    data = encoded(photo(160, 120), "JPEG", progressive=progressive, quality=90)
    path = tmp_path / "cut.jpg"
    for cut in [*(len(data) * k // 16 for k in range(1, 16)), len(data) - 2, len(data) - 1]:
        path.write_bytes(data[:cut])
        with pytest.raises(InputError, match=r"cut\.jpg .*(cut short|header is damaged).*get a whole copy"):
            load_picture(path)
    path.write_bytes(data)
    assert load_picture(path).size == (160, 120)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF", "BMP", "GIF", "AVIF"])
def test_other_formats_cut_in_half(tmp_path, photo, kind):
    data = encoded(photo(96, 96), kind)
    path = tmp_path / "cut"
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(InputError, match=r"(cut short|header is damaged).*get a whole copy"):
        load_picture(path)
    assert not ImageFile.LOAD_TRUNCATED_IMAGES


def test_flipped_bit_in_png(tmp_path, photo):
    data = bytearray(encoded(photo(), "PNG"))
    data[len(data) // 2] ^= 0x10
    (tmp_path / "p.png").write_bytes(data)
    with pytest.raises(InputError, match="damaged"):
        load_picture(tmp_path / "p.png")


@pytest.mark.parametrize("size", [(31, 500), (500, 31), (1, 1)])
def test_small(tmp_path, photo, size):
    photo(*size).save(tmp_path / "s.png")
    with pytest.raises(InputError, match=rf"s\.png is {size[0]} x {size[1]} pixels, smaller than the limit of 32"):
        load_picture(tmp_path / "s.png")


def test_smallest_that_is_taken(tmp_path, photo):
    photo(32, 32).save(tmp_path / "s.png")
    assert load_picture(tmp_path / "s.png").size == (32, 32)


def test_file_that_says_it_has_no_pixels(tmp_path, png):
    (tmp_path / "z.png").write_bytes(png(0, 40, 8, 2, b""))
    with pytest.raises(InputError, match="header is damaged"):
        load_picture(tmp_path / "z.png")


@pytest.mark.parametrize("name", ["mit Leerzeichen.png", "🐻‍❄️.png", "a.b.c.png", ".hidden", "é" * 120 + ".png"])
def test_names(tmp_path, photo, name):
    photo().save(tmp_path / name, "PNG")
    assert load_picture(tmp_path / name).size == (48, 40)


# Orientation and EXIF


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied_once_and_cleared(tmp_path, photo, orientation, kind):
    shown = photo()
    # What a camera held that way would have stored: the inverse of what the tag asks viewers to do.
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}
    stored = shown.transpose(Image.Transpose(undo[orientation])) if orientation > 1 else shown
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    exif[ExifTags.Base.Make] = "Ours"
    path = tmp_path / "turned"
    options = {"WEBP": {"lossless": True}, "JPEG": {"quality": 100, "subsampling": 0}}.get(kind, {})
    stored.save(path, kind, exif=exif, **options)

    picture = load_picture(path)

    assert picture.size == shown.size
    error = np.abs(bytes_of(picture.rgb).astype(int) - np.asarray(shown)).mean()
    assert error < (1 if kind == "JPEG" else 1e-9)
    kept = Image.Exif()
    kept.load(picture.exif)
    assert kept.get(ORIENTATION, 1) == 1
    assert kept[ExifTags.Base.Make] == "Ours"


def full_exif():
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    exif[ExifTags.Base.Artist] = "Ana"
    exif[ExifTags.Base.DateTime] = "2026:11:23 10:11:12"
    exif[ExifTags.Base.XResolution] = 300.0
    camera = exif.get_ifd(ExifTags.IFD.Exif)
    camera[ExifTags.Base.ExposureTime] = 0.01
    camera[ExifTags.Base.UserComment] = b"ASCII\0\0\0at the sea"
    camera[ExifTags.Base.MakerNote] = b"Maker\0\1\2"
    camera[ExifTags.Base.ExifImageWidth] = 48
    camera[ExifTags.Base.ExifImageHeight] = 40
    camera[ExifTags.Base.ExifInteroperabilityOffset] = {1: "R98"}
    exif[ExifTags.IFD.Exif] = dict(camera)
    exif[ExifTags.IFD.GPSInfo] = {1: "N", 2: (48.0, 8.0, 14.0), 3: "E", 4: (11.0, 34.0, 31.0)}
    return exif


def test_exif_keeps_all_but_orientation_size_and_thumbnail(tmp_path, photo):
    data = full_exif().tobytes()
    # A second directory with a thumbnail, hung behind the first as cameras do.
    start = data.index(b"\0\x2a") + 6
    count = struct.unpack(">H", data[start : start + 2])[0]
    link = start + 2 + 12 * count
    thumbnail = b"\xff\xd8thumbnail\xff\xd9"
    second = len(data) - 6
    entries = struct.pack(">HHHII", 2, 513, 4, 1, second + 30) + struct.pack(">HHII", 514, 4, 1, len(thumbnail))
    data = data[:link] + struct.pack(">I", second) + data[link + 4 :] + entries + struct.pack(">I", 0) + thumbnail
    path = tmp_path / "p.jpg"
    photo().save(path, exif=data)
    with Image.open(path) as source:
        assert source.getexif().get_ifd(ExifTags.IFD.IFD1)[514] == len(thumbnail)  # the test's own work

    picture = load_picture(path)

    assert picture.size == (40, 48)
    assert b"thumbnail" not in picture.exif
    kept = Image.Exif()
    kept.load(picture.exif)
    assert ORIENTATION not in kept
    assert kept[ExifTags.Base.Artist] == "Ana"
    assert kept[ExifTags.Base.DateTime] == "2026:11:23 10:11:12"
    assert kept[ExifTags.Base.XResolution] == 300
    camera = kept.get_ifd(ExifTags.IFD.Exif)
    assert float(camera[ExifTags.Base.ExposureTime]) == pytest.approx(0.01)
    assert camera[ExifTags.Base.UserComment] == b"ASCII\0\0\0at the sea"
    assert camera[ExifTags.Base.MakerNote] == b"Maker\0\1\2"
    assert (camera[ExifTags.Base.ExifImageWidth], camera[ExifTags.Base.ExifImageHeight]) == (40, 48)
    assert kept.get_ifd(ExifTags.IFD.Interop) == {1: "R98"}
    assert kept.get_ifd(ExifTags.IFD.GPSInfo)[2] == (48.0, 8.0, 14.0)
    assert not kept.get_ifd(ExifTags.IFD.IFD1)


def test_tiff_layout_is_not_taken_for_exif(tmp_path, photo):
    photo().save(tmp_path / "p.tif", exif=full_exif().tobytes(), icc_profile=b"p" * 200)
    kept = Image.Exif()
    kept.load(load_picture(tmp_path / "p.tif").exif)
    assert set(kept) == {
        *(ExifTags.Base.Artist, ExifTags.Base.DateTime, ExifTags.Base.XResolution),
        *(ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo),
    }
    assert kept.get_ifd(ExifTags.IFD.GPSInfo)[4] == (11.0, 34.0, 31.0)


def test_damaged_exif_costs_the_exif_not_the_picture(tmp_path, photo, caplog):
    photo().save(tmp_path / "p.jpg", exif=b"Exif\0\0MM\0\x2a\0\0\0\x08\xff\xff broken")
    with pytest.warns(UserWarning, match="Corrupt EXIF"):
        picture = load_picture(tmp_path / "p.jpg")
    assert picture.size == (48, 40)
    assert picture.exif is None

    image = photo()
    image.info["exif"] = b"Exif\0\0garbage!"
    with caplog.at_level(logging.WARNING, "ldrps"):
        assert load_picture(image).exif is None
    assert "EXIF data cannot be read" in caplog.text

    image = photo()
    image.getexif()[ORIENTATION] = 6
    image.getexif()[ExifTags.Base.Artist] = object()  # a tag that cannot be encoded does not stop the turn
    with caplog.at_level(logging.WARNING, "ldrps"):
        picture = load_picture(image)
    assert picture.size == (40, 48)
    assert picture.exif is None
    assert "EXIF data is damaged and will be missing" in caplog.text


def test_no_exif_and_no_profile_is_none(tmp_path, photo):
    photo().save(tmp_path / "p.png")
    picture = load_picture(tmp_path / "p.png")
    assert picture.exif is None
    assert picture.icc_profile is None
    assert picture.alpha is None
    assert not picture.grey


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF", "AVIF"])
def test_profile_is_kept_verbatim(tmp_path, photo, kind):
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    photo().save(tmp_path / "p", kind, icc_profile=profile)
    assert load_picture(tmp_path / "p").icc_profile == profile


def test_relative_path_and_path_object(tmp_path, photo, monkeypatch):
    photo().save(tmp_path / "p.png")
    monkeypatch.chdir(tmp_path)
    assert load_picture("p.png").source == "p.png"
    assert load_picture(Path("p.png")).size == (48, 40)
