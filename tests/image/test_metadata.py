"""XMP, resolution and EXIF: what is carried into which format, and what is dropped on request."""

from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np
import pytest
import tifffile
from PIL import ExifTags, Image, PngImagePlugin
from torture_parts import rgb_profile

from ldrps.errors import OutputError, SettingsError
from ldrps.image.metadata import turned, verbatim
from ldrps.image.picture import load_picture, to_image, to_levels
from ldrps.image.write import write_image

PACKET = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="%d"><dc:title>at the sea</dc:title>'
    b"%s</rdf:Description></x:xmpmeta>"
)
THUMBNAIL = b"<xmp:Thumbnails><rdf:Alt>AAAA\nBBBB</rdf:Alt></xmp:Thumbnails>"
SUFFIXES = [".png", ".jpg", ".webp", ".avif", ".tif"]


@pytest.fixture
def dressed(tmp_path, photo):
    exif = Image.Exif()
    exif[ExifTags.Base.Artist] = "Ana"
    path = tmp_path / "source.jpg"
    photo().save(path, exif=exif, xmp=PACKET % (1, b""), dpi=(300, 200), icc_profile=rgb_profile())
    return load_picture(path)


def artist(picture):
    exif = Image.Exif()
    if picture.exif:
        exif.load(picture.exif)
    return exif.get(ExifTags.Base.Artist)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("bits", [8, 16])
def test_carried_over(tmp_path, dressed, suffix, bits):
    levels = to_levels(dressed, dressed.rgb)
    levels = levels if bits == 8 else levels.astype(np.uint16) * 257
    write_image(levels, tmp_path / f"p{suffix}", like=dressed)
    again = load_picture(tmp_path / f"p{suffix}")
    assert again.bits == (bits if suffix in (".png", ".tif") else 8)
    assert artist(again) == "Ana"
    assert again.xmp == dressed.xmp == PACKET % (1, b"")
    assert again.icc_profile == dressed.icc_profile == rgb_profile()
    if suffix not in (".webp", ".avif"):  # which have no place for it
        assert again.dpi == pytest.approx((300, 200), abs=0.1)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("bits", [8, 16])
def test_dropped_on_request_but_for_profile_and_resolution(tmp_path, dressed, suffix, bits):
    levels = to_levels(dressed, dressed.rgb).astype(f"uint{bits}")
    write_image(levels, tmp_path / f"p{suffix}", like=dressed, keep_metadata=False)
    again = load_picture(tmp_path / f"p{suffix}")
    assert artist(again) is None
    assert again.xmp is None
    assert again.icc_profile == rgb_profile()
    data = (tmp_path / f"p{suffix}").read_bytes()
    assert b"Ana" not in data
    assert b"at the sea" not in data
    if suffix not in (".webp", ".avif"):
        assert again.dpi == pytest.approx((300, 200), abs=0.1)


def test_xmp_says_no_turn_and_holds_no_thumbnail(tmp_path, photo):
    for turn in (b'"6"', b"'3'", b'= "8"'):
        packet = (PACKET % (1, THUMBNAIL)).replace(b'="1"', (b"" if b"=" in turn else b"=") + turn)
        photo().save(tmp_path / "p.jpg", xmp=packet)
        xmp = load_picture(tmp_path / "p.jpg").xmp
        assert b"Thumbnails" not in xmp
        assert b"at the sea" in xmp
        assert not any(number in xmp.split(b"Orientation")[1][:6] for number in (b"6", b"3", b"8"))


@pytest.mark.parametrize("kind", ["TIFF", "JPEG", "PNG"])
def test_turn_said_twice_is_done_once(tmp_path, photo, kind):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    options = {"exif": exif.tobytes()}
    if kind == "PNG":
        options["pnginfo"] = PngImagePlugin.PngInfo()
        options["pnginfo"].add_itxt("XML:com.adobe.xmp", (PACKET % (6, b"")).decode())
    elif kind == "TIFF":
        options = {"tiffinfo": {274: 6, 700: PACKET % (6, b"")}}
    else:
        options["xmp"] = PACKET % (6, b"")
    photo().save(tmp_path / "p", kind, **options)
    picture = load_picture(tmp_path / "p")
    assert picture.size == (40, 48)
    assert b"at the sea" in picture.xmp
    assert b'Orientation="6"' not in picture.xmp
    if kind != "JPEG":
        assert to_image(picture, picture.rgb).tobytes() == photo().transpose(Image.Transpose.ROTATE_270).tobytes()


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_tiff_lying_on_its_side(tmp_path, photo, mode):
    photo(mode=mode).save(tmp_path / "p.tif", tiffinfo={274: 6})
    picture = load_picture(tmp_path / "p.tif")
    assert to_image(picture, picture.rgb).tobytes() == photo(mode=mode).transpose(Image.Transpose.ROTATE_270).tobytes()


def test_resolution_turns_with_the_picture(tmp_path, photo):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    photo().save(tmp_path / "p.jpg", exif=exif, dpi=(300, 200))
    assert load_picture(tmp_path / "p.jpg").dpi == (200, 300)


@pytest.mark.parametrize(("orientation", "dpi"), [(1, (300, 200)), (3, (300, 200)), (6, (200, 300)), (7, (200, 300))])
@pytest.mark.parametrize("kind", ["JPEG", "TIFF", "deep TIFF", "TIFF of floats"])
def test_resolution_in_exif_turns_with_the_picture(tmp_path, photo, kind, orientation, dpi):
    path = tmp_path / "p"
    if kind == "JPEG":
        exif = Image.Exif()
        exif[ExifTags.Base.Orientation] = orientation
        exif[ExifTags.Base.XResolution], exif[ExifTags.Base.YResolution] = 300, 200
        photo().save(path, "JPEG", exif=exif, dpi=(300, 200))
    else:
        levels = np.asarray(photo())
        levels = {"TIFF": levels, "deep TIFF": levels.astype(np.uint16)}.get(kind, levels / np.float32(255))
        tags = [(int(ExifTags.Base.Orientation), 3, 1, orientation, True)]
        tifffile.imwrite(path, levels, photometric="rgb", resolution=(300, 200), resolutionunit=2, extratags=tags)
    picture = load_picture(path)
    kept = Image.Exif()
    kept.load(picture.exif)
    assert picture.size == ((40, 48) if orientation > 4 else (48, 40))
    assert (kept[ExifTags.Base.XResolution], kept[ExifTags.Base.YResolution]) == dpi
    assert picture.dpi == dpi


def test_orientations_of_arrays_are_those_of_pillow(photo):
    names = ["FLIP_LEFT_RIGHT", "ROTATE_180", "FLIP_TOP_BOTTOM", "TRANSPOSE", "ROTATE_270", "TRANSVERSE", "ROTATE_90"]
    for turn, name in enumerate(names, 2):
        expected = np.asarray(photo().transpose(Image.Transpose[name]))
        assert np.array_equal(turned(np.asarray(photo()), turn), expected), name
    for none in (0, 1, 9, 77):
        assert np.array_equal(turned(np.asarray(photo()), none), np.asarray(photo()))


def test_xmp_that_no_jpeg_can_hold_is_left_out_with_a_warning(tmp_path, photo, caplog):
    long = PngImagePlugin.PngInfo()
    long.add_itxt("XML:com.adobe.xmp", "x" * 70_000)
    photo().save(tmp_path / "p.png", pnginfo=long)
    picture = load_picture(tmp_path / "p.png")
    with caplog.at_level(logging.WARNING, "ldrps"):
        write_image(photo(), tmp_path / "p.jpg", like=picture)
    assert "70000 bytes of XMP data are left out, a JPEG takes 65504" in caplog.text
    assert load_picture(tmp_path / "p.jpg").xmp is None


@pytest.mark.parametrize("suffix", [".jpg", ".webp", ".avif"])
def test_quality(tmp_path, photo, suffix):
    sizes = []
    for quality in (20, 95, 100):
        write_image(photo(), tmp_path / f"{quality}{suffix}", quality=quality)
        sizes.append((tmp_path / f"{quality}{suffix}").stat().st_size)
    assert sizes[0] < sizes[1] < sizes[2] or suffix == ".webp"
    write_image(photo(), tmp_path / f"none{suffix}")
    assert (tmp_path / f"none{suffix}").read_bytes() == (tmp_path / f"95{suffix}").read_bytes()
    for quality in (0, 101, -5):
        with pytest.raises(SettingsError, match=rf"quality is {quality}; it must be from 1 to 100"):
            write_image(photo(), tmp_path / f"bad{suffix}", quality=quality)


def test_webp_of_quality_100_has_no_losses(tmp_path, photo):
    write_image(photo(mode="RGBA"), tmp_path / "p.webp", quality=100)
    picture = load_picture(tmp_path / "p.webp")
    assert to_image(picture, picture.rgb).tobytes() == photo(mode="RGBA").tobytes()


@pytest.mark.parametrize("text", ["Portr\u00e4tt p\u00e5 Eva", "\u5bcc\u58eb\u5c71"])
@pytest.mark.parametrize("way", ["jpg tif", "tif jpg", "tif tif", "tif png", "jpg avif", "jpg webp"])
@pytest.mark.parametrize("bits", [8, 16])
def test_texts_of_other_alphabets_stay(tmp_path, photo, text, way, bits):
    """In the picture's directory and in the camera's: byte for byte, not as question marks."""
    source, target = way.split()
    stored = text.encode().decode("latin-1")  # as Pillow has the bytes of a text
    exif = Image.Exif()
    exif[0x010E] = verbatim(stored)
    exif[0x8769] = verbatim({0xA430: stored})
    if bits == 16 and target in ("tif", "png"):
        levels = np.asarray(photo()).astype(np.uint16) * 257
        like = replace(load_picture(photo()), exif=exif.tobytes(), bits=16)
    else:
        photo().save(tmp_path / "p.jpg", exif=exif.tobytes())
        like = load_picture(tmp_path / "p.jpg")
        levels = to_levels(like, like.rgb)
        if source == "tif":
            write_image(levels, tmp_path / "p.tif", like=like)
            like = load_picture(tmp_path / "p.tif")
    write_image(levels, tmp_path / f"out.{target}", like=like)
    with Image.open(tmp_path / f"out.{target}") as image:
        found = image.getexif()
        assert [found[0x010E], found.get_ifd(0x8769)[0xA430]] == [stored, stored]


@pytest.mark.parametrize("bits", [8, 16])
def test_a_profile_that_no_png_could_be_read_with_is_refused(tmp_path, photo, bits):
    """Pillow would write it, and then take the file for damaged."""
    levels = np.asarray(photo()).astype(np.uint16) * 257 if bits == 16 else np.asarray(photo())
    large = replace(load_picture(photo()), icc_profile=rgb_profile().ljust(2**20 + 1, b"\0"), bits=bits)
    with pytest.raises(OutputError, match=r"1,048,577 bytes, and readers of PNG take 1,048,576: use \.tif, or"):
        write_image(levels, tmp_path / "p.png", like=large)
    write_image(levels, tmp_path / "p.tif", like=large)
    assert load_picture(tmp_path / "p.tif").icc_profile == large.icc_profile
    write_image(levels, tmp_path / "p.png", like=replace(large, icc_profile=large.icc_profile[:-1]))
    assert load_picture(tmp_path / "p.png").icc_profile == large.icc_profile[:-1]
