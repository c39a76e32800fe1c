"""16 bits and floats: read from PNG and TIFF files of every layout, and written with as many bits."""

from __future__ import annotations

import logging
import struct
import zlib

import numpy as np
import pytest
import tifffile
from PIL import ExifTags, Image

from ldrps.errors import InputError
from ldrps.image import deep
from ldrps.image.header import read_size
from ldrps.image.picture import load_picture, to_image, to_levels
from ldrps.image.write import write_image

RNG = np.random.default_rng(3)
RGBA = RNG.integers(0, 65536, (40, 48, 4), dtype=np.uint16)
RGB, GREY = RGBA[..., :3], RGBA[..., 0]
LEVELS = {1: RGBA[..., :1], 2: RGBA[..., [0, 3]], 3: RGB, 4: RGBA}  # by channels
TURNS = {  # what each orientation asks viewers to do
    1: lambda x: x,
    2: lambda x: x[:, ::-1],
    3: lambda x: x[::-1, ::-1],
    4: lambda x: x[::-1],
    5: lambda x: x.swapaxes(0, 1),
    6: lambda x: np.rot90(x, -1),
    7: lambda x: x[::-1, ::-1].swapaxes(0, 1),
    8: lambda x: np.rot90(x),
}


def levels_of(picture):
    return to_levels(picture, picture.rgb)


def png_of(png, levels, extra=b""):
    """A PNG whose rows are not filtered."""
    rows = np.ascontiguousarray(levels, ">u2").view(np.uint8).reshape(len(levels), -1)
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[levels.shape[2]]
    plain = b"".join(b"\0" + row.tobytes() for row in rows)
    return png(levels.shape[1], levels.shape[0], 16, kind, plain, extra)


@pytest.mark.parametrize("channels", LEVELS)
def test_png(tmp_path, png, channels):
    levels = LEVELS[channels]
    (tmp_path / "p.png").write_bytes(png_of(png, levels))
    picture = load_picture(tmp_path / "p.png")
    assert picture.bits == 16
    assert picture.grey == (channels < 3)
    assert np.array_equal(picture.rgb[0, -1].numpy(), levels[..., 0 if channels < 3 else 2] / np.float32(65535))
    assert np.array_equal(levels_of(picture), levels)
    shown = to_image(picture, picture.rgb)
    assert shown.mode == {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[channels]
    assert np.array_equal(np.asarray(shown).reshape(levels.shape), np.floor(levels / 257 + 0.5))


@pytest.mark.parametrize("channels", LEVELS)
@pytest.mark.parametrize("suffix", ["png", "tif", "tiff"])
def test_what_is_written_is_read_again(tmp_path, channels, suffix):
    path = tmp_path / f"p.{suffix}"
    write_image(LEVELS[channels], path)
    picture = load_picture(path)
    assert picture.bits == 16
    assert np.array_equal(levels_of(picture), LEVELS[channels])
    if suffix == "png":
        Image.open(path).load()  # others can read it, too
    else:
        assert np.array_equal(tifffile.imread(path), LEVELS[channels].squeeze())


@pytest.mark.parametrize("orientation", TURNS)
@pytest.mark.parametrize("suffix", ["png", "tif", "lzw.tif"])
def test_orientation_is_applied_once(tmp_path, png, chunk, orientation, suffix):
    path = tmp_path / f"p.{suffix}"
    if suffix == "png":
        exif = Image.Exif()
        exif[ExifTags.Base.Orientation] = orientation
        path.write_bytes(png_of(png, RGB, chunk(b"eXIf", exif.tobytes()[6:])))
    else:
        tag = [(int(ExifTags.Base.Orientation), 3, 1, orientation, True)]
        tifffile.imwrite(path, RGB, photometric="rgb", extratags=tag, compression="zlib" if "lzw" in suffix else None)
    assert np.array_equal(levels_of(load_picture(path)), TURNS[orientation](RGB))


TIFFS = {
    "big endian": (RGB, {"byteorder": ">"}, RGB),
    "BigTIFF": (RGB, {"bigtiff": True}, RGB),
    "deflate": (RGB, {"compression": "zlib"}, RGB),
    "deflate, predicted": (RGB, {"compression": "zlib", "predictor": True}, RGB),
    "tiles": (RGB, {"tile": (16, 16)}, RGB),
    "planes": (np.moveaxis(RGB, 2, 0), {"planarconfig": "separate"}, RGB),
    "alpha": (RGBA, {"extrasamples": ["unassalpha"]}, RGBA),
    "fourth sample of no meaning": (RGBA, {"extrasamples": ["unspecified"]}, RGB),
    "grey and alpha": (LEVELS[2], {"photometric": "minisblack", "extrasamples": ["unassalpha"]}, LEVELS[2]),
    "grey": (GREY, {"photometric": "minisblack"}, LEVELS[1]),
    "white is zero, alpha": (
        LEVELS[2],
        {"photometric": "miniswhite", "extrasamples": ["unassalpha"]},
        np.dstack([65535 - GREY, RGBA[..., 3]]),
    ),
    "floats": ((GREY / 65535).astype(np.float32), {"photometric": "minisblack"}, LEVELS[1]),
    "floats in colour": ((RGB / 65535).astype(np.float32), {}, RGB),
    "doubles in colour": (RGB / 65535, {}, RGB),
    "integers of 32 bits": (RGB.astype(np.uint32), {}, RGB),
}


@pytest.mark.parametrize("case", TIFFS)
def test_tiff(tmp_path, case):
    array, options, expected = TIFFS[case]
    tifffile.imwrite(tmp_path / "p.tif", array, **({"photometric": "rgb"} | options))
    picture = load_picture(tmp_path / "p.tif")
    assert picture.bits == 16
    assert np.array_equal(levels_of(picture), expected)


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("byteorder", ["<", ">"])
def test_grey_whose_white_is_zero_is_no_negative(tmp_path, compression, byteorder):
    tifffile.imwrite(tmp_path / "p.tif", GREY, photometric="miniswhite", compression=compression, byteorder=byteorder)
    assert np.array_equal(levels_of(load_picture(tmp_path / "p.tif")), 65535 - LEVELS[1])


def test_half_floats(tmp_path):
    values = (RGB / 65535).astype(np.float16)
    tifffile.imwrite(tmp_path / "p.tif", values, photometric="rgb")
    assert np.allclose(levels_of(load_picture(tmp_path / "p.tif")) / 65535, values, atol=1e-5)


def test_colours_multiplied_by_alpha_are_divided(tmp_path):
    alpha = np.full((40, 48, 1), 32768, np.uint16)
    alpha[0] = 0
    straight = RGB // 4
    tifffile.imwrite(
        *(tmp_path / "p.tif", np.dstack([(straight * (alpha / 65535) + 0.5).astype(np.uint16), alpha])),
        **{"photometric": "rgb", "extrasamples": ["assocalpha"]},
    )
    levels = levels_of(load_picture(tmp_path / "p.tif"))
    assert np.abs(levels[1:, :, :3].astype(int) - straight[1:]).max() <= 1
    assert np.array_equal(levels[..., 3:], alpha)


def test_transparent_value(tmp_path, png, chunk):
    for levels in (LEVELS[1].copy(), RGB.copy()):
        levels[:20] = levels[0, 0]
        key = struct.pack(f">{levels.shape[2]}H", *levels[0, 0])
        (tmp_path / "p.png").write_bytes(png_of(png, levels, chunk(b"tRNS", key)))
        back = levels_of(load_picture(tmp_path / "p.png"))
        assert np.array_equal(back[..., :-1], levels)
        assert np.array_equal(np.unique(back[:20, :, -1]), [0])
        assert back[20:, :, -1].mean() > 65000


@pytest.mark.parametrize(
    ("array", "options", "words"),
    [
        (RGB.astype(np.uint32) * 70000, {}, "outside the 16 bits"),
        ((RGB / 255).astype(np.float32), {}, r"outside \[0, 1\]"),
        (np.full((40, 48, 3), np.nan, np.float32), {}, "values that are NaN"),
        (np.moveaxis(RGB, 2, 0), {"planarconfig": "separate", "compression": "zlib"}, "save it without compression"),
        (RGB[:, :, 0].astype(np.complex64), {"photometric": "minisblack"}, "layout that is not read"),
    ],
)
def test_refused_tiff(tmp_path, array, options, words):
    tifffile.imwrite(tmp_path / "p.tif", array, **({"photometric": "rgb"} | options))
    with pytest.raises(InputError, match=words):
        load_picture(tmp_path / "p.tif")


def test_limit_of_pixels_comes_before_decoding(tmp_path, png, monkeypatch):
    write_image(RGB, tmp_path / "known.tif")
    tifffile.imwrite(tmp_path / "unknown.tif", (RGB / 65535).astype(np.float32), photometric="rgb")
    (tmp_path / "p.png").write_bytes(png_of(png, RGB))
    monkeypatch.setattr(deep, "_opencv", lambda *a: pytest.fail("decoded in vain"))
    monkeypatch.setattr(tifffile.TiffPage, "asarray", lambda *a, **k: pytest.fail("decoded in vain"))
    for name in ("known.tif", "unknown.tif", "p.png"):
        with pytest.raises(InputError, match="1,920 pixels, more than the limit of 1,919"):
            load_picture(tmp_path / name, max_pixels=1919)


def test_limit_of_opencv_is_named(tmp_path, png, monkeypatch):
    monkeypatch.setattr(deep, "_OPENCV_PIXELS", 1000)
    (tmp_path / "p.png").write_bytes(png_of(png, RGB))
    with pytest.raises(InputError, match=r"48 x 40 .* OpenCV reads .* 1,000 in all: make it smaller"):
        load_picture(tmp_path / "p.png")


@pytest.mark.parametrize("suffix", ["png", "tif", "float.tif", "lzw.tif"])
def test_cut_anywhere(tmp_path, png, suffix):
    path = tmp_path / f"p.{suffix}"
    if suffix == "png":
        path.write_bytes(png_of(png, RGB))
    elif suffix == "tif":
        write_image(RGB, path)
    else:
        array = (RGB / 65535).astype(np.float32) if suffix == "float.tif" else RGB
        tifffile.imwrite(path, array, photometric="rgb", compression="zlib" if suffix == "lzw.tif" else None)
    data = path.read_bytes()
    for sixteenth in range(16):
        path.write_bytes(data[: len(data) * sixteenth // 16])
        with pytest.raises(InputError):
            load_picture(path)


@pytest.mark.parametrize("suffix", [".jpg", ".webp", ".avif", ".bmp"])
def test_other_formats_take_8_bits_with_a_warning(tmp_path, caplog, suffix):
    smooth = np.repeat(np.linspace(0, 65535, 40).astype(np.uint16)[:, None, None], 48, 1).repeat(3, 2)
    with caplog.at_level(logging.WARNING, "ldrps"):
        write_image(smooth, tmp_path / f"p{suffix}")
    assert "has 8 bits a channel, so the picture's 16 are rounded" in caplog.text
    picture = load_picture(tmp_path / f"p{suffix}")
    assert picture.bits == 8
    assert np.abs(levels_of(picture).astype(float) * 257 - smooth).mean() < 700


def tiff_of(data, width, height, bits, *, samples=1, sample_format=1):
    """An uncompressed TIFF of some bytes."""
    entries = [(256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, bits), (259, 3, 1, 1)]
    entries += [(262, 3, 1, 2 if samples == 3 else 1), (273, 4, 1, 200), (277, 3, 1, samples), (278, 4, 1, height)]
    entries += [(279, 4, 1, len(data)), (339, 3, 1, sample_format)]
    body = b"II*\0" + struct.pack("<IH", 8, len(entries))
    for tag, kind, count, value in entries:
        body += struct.pack("<HHI", tag, kind, samples if tag == 258 else count)
        body += struct.pack("<I", 180 if tag == 258 and samples == 3 else value)
    return body.ljust(180, b"\0") + struct.pack("<HHH", bits, bits, bits).ljust(20, b"\0") + data


def packed(levels, bits):
    """Levels [H, W * C] of some bits, one after the other, each row in whole bytes."""
    planes = (levels[..., None].astype(np.uint32) >> np.arange(bits)[::-1]) & 1
    return np.packbits(planes.reshape(len(levels), -1).astype(np.uint8), axis=1).tobytes()


@pytest.mark.parametrize(("bits", "samples"), [(12, 1), (12, 3), (10, 3), (14, 3)])
def test_levels_of_10_to_14_bits_are_as_light_as_those_of_16(tmp_path, bits, samples):
    levels = RNG.integers(0, 2**bits, (40, 48 * samples), dtype=np.uint16)
    levels[0, 0], levels[0, 1] = 0, 2**bits - 1
    (tmp_path / "p.tif").write_bytes(tiff_of(packed(levels, bits), 48, 40, bits, samples=samples))
    picture = load_picture(tmp_path / "p.tif")
    expected = levels.reshape(40, 48, samples) / (2**bits - 1)
    assert picture.bits == 16 and picture.grey == (samples == 1)
    assert np.abs(levels_of(picture) / 65535 - expected).max() < 2**-bits


def test_signed_bytes_are_refused(tmp_path):
    """Pillow takes -1 for 255."""
    levels = RNG.integers(-128, 128, (40, 48), dtype=np.int8)
    (tmp_path / "p.tif").write_bytes(tiff_of(levels.tobytes(), 48, 40, 8, sample_format=2))
    tifffile.imwrite(tmp_path / "q.tif", np.stack([levels] * 3, -1), photometric="rgb")
    for name in ("p.tif", "q.tif"):
        for read in (load_picture, lambda path: read_size(path, 10**6)):
            with pytest.raises(InputError, match=r"signed bytes|of type int8"):
                read(tmp_path / name)


@pytest.mark.parametrize("filter_type", [0, 9])
@pytest.mark.parametrize("channels", [2, 3, 4])
def test_the_first_of_an_animation_is_as_it_lies(tmp_path, png, chunk, channels, filter_type):
    """OpenCV mixes frames, and damage to one that says it is animated ended the process."""
    levels = LEVELS[channels]
    control = chunk(b"acTL", struct.pack(">II", 2, 0)) + chunk(
        b"fcTL", struct.pack(">IIIIIHHBB", 0, 48, 40, 0, 0, 1, 9, 1, 1)
    )
    rows = np.ascontiguousarray(levels, ">u2").view(np.uint8).reshape(len(levels), -1)
    plain = b"".join(bytes([filter_type if number == 20 else 0]) + row.tobytes() for number, row in enumerate(rows))
    data = png(48, 40, 16, {2: 4, 3: 2, 4: 6}[channels], plain, control)
    second = struct.pack(">I", 1) + zlib.compress(bytes(len(plain)))
    last = data.index(b"IEND") - 4
    data = (
        data[:last]
        + chunk(b"fcTL", struct.pack(">IIIIIHHBB", 0, 48, 40, 0, 0, 1, 9, 0, 0))
        + chunk(b"fdAT", second)
        + data[last:]
    )
    (tmp_path / "p.png").write_bytes(data)
    if filter_type:
        with pytest.raises(InputError, match="damaged"):
            load_picture(tmp_path / "p.png", first_frame=True)
        return
    picture = load_picture(tmp_path / "p.png", first_frame=True)
    assert np.array_equal(levels_of(picture), levels)
