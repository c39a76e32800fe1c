"""What was not changed comes back byte for byte, and what was changed never coarser than it was."""

from __future__ import annotations

import dataclasses
import io
import os

import numpy as np
import pytest
import tifffile
from conftest import unchanged
from PIL import ExifTags, Image
from torture_parts import rgb_profile

from ldrps.errors import OutputError
from ldrps.image.picture import load_picture, to_levels
from ldrps.image.write import write_image


def changed(picture):
    """The result of a method that made each pixel darker."""
    return dataclasses.replace(unchanged(picture), levels=to_levels(picture, 0.8 * picture.rgb))


def exif(turn=6):
    data = Image.Exif()
    data[ExifTags.Base.Orientation], data[ExifTags.Base.Artist] = turn, "Ana"
    return data


MARKED = {"exif": exif(), "icc_profile": rgb_profile()}
FILES = {  # the mode of the picture, its suffix, how it is saved
    "baseline": ("RGB", "jpg", {"quality": 97, **MARKED}),
    "subsampled": ("RGB", "jpg", {"quality": 40, "subsampling": "4:2:0"}),
    "progressive": ("RGB", "jpeg", {"progressive": True}),
    "grey": ("L", "jpg", {"exif": exif(3)}),
    "cmyk": ("CMYK", "jpg", {}),
    "png": ("RGB", "png", MARKED),
    "alpha": ("RGBA", "png", {}),
    "palette": ("P", "png", {}),
    "bits": ("1", "png", {}),
    "webp": ("RGB", "webp", {"quality": 60, **MARKED}),
    "lossless": ("RGBA", "webp", {"lossless": True}),
    "avif": ("RGB", "avif", MARKED),
    "fax": ("1", "tif", {"compression": "group4"}),
    "lzw": ("RGB", "tiff", {"compression": "tiff_lzw", "icc_profile": rgb_profile()}),
    "deep": ("I;16", "png", {}),
    "deep-tiff": ("I;16", "tif", {}),
    "bmp": ("RGB", "bmp", {}),
    "bits-bmp": ("1", "bmp", {}),
}


def a_file(name, folder, photo):
    mode, suffix, options = FILES[name]
    image = photo(mode="RGB" if mode == "I;16" else mode)
    if mode == "I;16":
        image = Image.fromarray(np.random.default_rng(3).integers(0, 65536, (40, 48), dtype=np.uint16))
    path = folder / f"source.{suffix}"
    image.save(path, **options)
    return path


@pytest.mark.parametrize("name", FILES)
def test_unchanged_is_the_same_file(name, tmp_path, photo):
    source = a_file(name, tmp_path, photo)
    result = unchanged(load_picture(source))
    assert result.unchanged and result.record()["unchanged"]
    saved = result.save(tmp_path / f"saved{source.suffix}")
    assert saved.read_bytes() == source.read_bytes()


@pytest.mark.parametrize("name", FILES)
def test_changed_is_not(name, tmp_path, photo):
    source = a_file(name, tmp_path, photo)
    result = changed(load_picture(source))
    assert not result.unchanged and not result.record()["unchanged"]
    again = load_picture(result.save(tmp_path / f"saved{source.suffix}"))
    assert again.size == result.picture.size
    assert float(again.rgb.mean()) < 0.95 * float(result.picture.rgb.mean())


def test_a_pixel_makes_the_difference(tmp_path, photo):
    source = a_file("png", tmp_path, photo)
    result = unchanged(load_picture(source))
    result.levels[-1, -1, 2] ^= 1
    assert not result.unchanged
    assert result.save(tmp_path / "saved.png").read_bytes() != source.read_bytes()


def test_floats_of_a_tiff_come_back(tmp_path, photo):
    tifffile.imwrite(tmp_path / "p.tif", np.asarray(photo(), np.float32) / 255, photometric="rgb")
    saved = unchanged(load_picture(tmp_path / "p.tif")).save(tmp_path / "saved.tif")
    assert saved.read_bytes() == (tmp_path / "p.tif").read_bytes()


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("baseline", {"keep_metadata": False}),
        ("baseline", {"srgb": True}),
        ("baseline", {"quality": 97}),
        ("webp", {"quality": 60}),
        ("png", {"keep_metadata": False}),
    ],
)
def test_options_that_ask_for_another_file(name, options, tmp_path, photo):
    source = a_file(name, tmp_path, photo)
    saved = unchanged(load_picture(source)).save(tmp_path / f"saved{source.suffix}", **options)
    assert saved.read_bytes() != source.read_bytes()
    assert load_picture(saved).size == load_picture(source).size


def test_a_quality_says_nothing_of_formats_that_have_none(tmp_path, photo):
    source = a_file("png", tmp_path, photo)
    saved = unchanged(load_picture(source)).save(tmp_path / "saved.png", quality=50)
    assert saved.read_bytes() == source.read_bytes()


@pytest.mark.parametrize(
    ("kind", "suffix"), [("PNG", ".jpg"), ("JPEG", ".png"), ("WEBP", ".jpeg"), ("TIFF", ".jpg"), ("PNG", ".webp")]
)
def test_a_file_that_is_called_another_format_comes_back_as_it_was(kind, suffix, tmp_path, photo):
    source = tmp_path / f"named{suffix}"
    photo().save(source, kind)
    result = unchanged(load_picture(source))
    assert result.save(tmp_path / f"saved{suffix}").read_bytes() == source.read_bytes()
    true = {"PNG": ".png", "JPEG": ".jpg", "WEBP": ".webp", "TIFF": ".tif"}[kind]
    assert result.save(tmp_path / f"true{true}").read_bytes() == source.read_bytes()
    with Image.open(result.save(tmp_path / "third.bmp")) as third:
        assert third.format == "BMP"


def test_what_was_restored_is_what_its_name_says(tmp_path, photo):
    source = tmp_path / "named.jpg"
    photo().save(source, "PNG")
    with Image.open(changed(load_picture(source)).save(tmp_path / "saved.jpg")) as saved:
        assert saved.format == "JPEG"


def test_a_gif_which_is_not_written_comes_back_as_png(tmp_path, photo):
    photo(mode="P").save(tmp_path / "p.gif")
    result = unchanged(load_picture(tmp_path / "p.gif"))
    with Image.open(result.save(tmp_path / "p.gif.png")) as saved, Image.open(tmp_path / "p.gif") as source:
        assert saved.format == "PNG"
        assert np.array_equal(np.asarray(saved), np.asarray(source.convert("RGB")))


@pytest.mark.parametrize("image", ["array", "PIL"])
def test_what_is_from_no_file_is_encoded(image, tmp_path, photo):
    source = photo()
    result = unchanged(load_picture(np.asarray(source) if image == "array" else source))
    assert result.unchanged
    assert np.array_equal(np.asarray(Image.open(result.save(tmp_path / "saved.png"))), np.asarray(source))


@pytest.mark.parametrize("fate", ["replaced", "touched", "gone"])
def test_a_file_that_is_another_by_now_is_not_copied(fate, tmp_path, photo, caplog):
    source = a_file("lzw", tmp_path, photo)
    result, before = unchanged(load_picture(source)), source.read_bytes()
    if fate == "replaced":
        photo().rotate(180).save(source, compression="tiff_lzw")
    elif fate == "gone":
        source.unlink()
    else:
        os.utime(source, ns=(0, 0))  # the same bytes: a copy is right
    saved = result.save(tmp_path / "saved.tiff")
    again = load_picture(saved)
    assert np.array_equal(to_levels(again, again.rgb), result.levels)
    assert (saved.read_bytes() == before) is (fate == "touched")
    assert ("encoded anew" in caplog.text) is (fate != "touched")


def test_a_copy_replaces_nothing_unasked_and_may_replace_its_source(tmp_path, photo):
    source = a_file("baseline", tmp_path, photo)
    result, before = unchanged(load_picture(source)), source.read_bytes()
    with pytest.raises(OutputError, match=r"source\.jpg exists"):
        result.save(source, trace=False)
    result.save(source, trace=False, overwrite=True)
    assert source.read_bytes() == before
    assert sorted(tmp_path.iterdir()) == [source]


def test_a_relative_path_is_found_from_anywhere(tmp_path, photo, monkeypatch):
    source = a_file("webp", tmp_path, photo)
    monkeypatch.chdir(tmp_path)
    result = unchanged(load_picture("source.webp"))
    monkeypatch.chdir("/")
    assert result.save(tmp_path / "saved.webp").read_bytes() == source.read_bytes()


# What is changed


def tables(data):
    with Image.open(io.BytesIO(data) if isinstance(data, bytes) else data) as image:
        return {number: list(table) for number, table in image.quantization.items()}


def at_95(photo):
    file = io.BytesIO()
    photo().save(file, "JPEG", quality=95)
    return tables(file.getvalue())


@pytest.mark.parametrize("options", [{"quality": 99}, {"quality": 97, "progressive": True}, {"quality": 60}])
def test_a_changed_jpeg_is_no_coarser_than_its_source_or_95(options, tmp_path, photo):
    photo().save(tmp_path / "p.jpg", **options)
    saved = changed(load_picture(tmp_path / "p.jpg")).save(tmp_path / "saved.jpg")
    ours, own, usual = tables(saved), tables(tmp_path / "p.jpg"), at_95(photo)
    for number in (0, 1):
        assert ours[number] == [min(steps) for steps in zip(own[number], usual[number], strict=True)]
    with Image.open(saved) as image:
        assert [layer[1:3] for layer in image.layer] == [(1, 1)] * 3  # 4:4:4


def test_a_mixture_of_tables(tmp_path, photo):
    """Fine for low frequencies, coarse for high ones."""
    mixed = [[1] * 32 + [90] * 32, [2] * 32 + [80] * 32]
    photo().save(tmp_path / "p.jpg", qtables=mixed)
    saved = tables(changed(load_picture(tmp_path / "p.jpg")).save(tmp_path / "saved.jpg"))
    for number, own in enumerate(mixed):
        assert saved[number] == [min(steps) for steps in zip(own, at_95(photo)[number], strict=True)]


def test_the_only_table_of_a_grey_jpeg_or_one_of_four_inks(tmp_path, photo):
    for mode in ("L", "CMYK"):
        photo(mode=mode).save(tmp_path / "p.jpg", quality=99)
        saved = changed(load_picture(tmp_path / "p.jpg")).save(tmp_path / f"{mode}.jpg")
        assert max(tables(saved)[0]) <= max(tables(tmp_path / "p.jpg")[0])


def test_a_quality_that_is_asked_for_counts_more(tmp_path, photo):
    photo().save(tmp_path / "p.jpg", quality=99)
    saved = changed(load_picture(tmp_path / "p.jpg")).save(tmp_path / "saved.jpg", quality=95)
    assert tables(saved) == at_95(photo)


@pytest.mark.parametrize("extended", [False, True])
@pytest.mark.parametrize("lossless", [False, True])
def test_a_changed_webp_loses_nothing_if_its_source_lost_nothing(lossless, extended, tmp_path, photo):
    more = {"icc_profile": rgb_profile()} if extended else {}  # in a file with further chunks
    photo().save(tmp_path / "p.webp", lossless=lossless, **more)
    result = changed(load_picture(tmp_path / "p.webp"))
    again = load_picture(result.save(tmp_path / "saved.webp"))
    assert np.array_equal(to_levels(again, again.rgb), result.levels) is lossless


# One bit a pixel


@pytest.mark.parametrize(("name", "suffix"), [("bits", "tif"), ("bits", "bmp"), ("fax", "png"), ("bits-bmp", "png")])
def test_one_bit_stays_one_bit_in_another_format(name, suffix, tmp_path, photo):
    source = a_file(name, tmp_path, photo)
    with (
        Image.open(unchanged(load_picture(source)).save(tmp_path / f"saved.{suffix}")) as saved,
        Image.open(source) as own,
    ):
        assert saved.mode == "1"
        assert np.array_equal(np.asarray(saved), np.asarray(own))


@pytest.mark.parametrize("suffix", ["jpg", "webp"])
def test_formats_without_single_bits_take_greys(suffix, tmp_path, photo):
    result = unchanged(load_picture(a_file("bits", tmp_path, photo)))
    assert load_picture(result.save(tmp_path / f"saved.{suffix}", quality=100)).size == (48, 40)


def test_shades_that_a_method_drew_have_eight_bits(tmp_path, photo):
    with Image.open(changed(load_picture(a_file("bits", tmp_path, photo))).save(tmp_path / "saved.png")) as saved:
        assert saved.mode == "L"
        assert saved.getextrema() == (0, 204)


def test_pictures_without_shades(tmp_path, photo):
    def has_shades(image, suffix="png"):
        image.save(tmp_path / f"p.{suffix}")
        return load_picture(tmp_path / f"p.{suffix}").has_shades

    two = Image.new("P", (48, 40))
    two.putpalette([200, 180, 150, 30, 40, 60])
    two.paste(1, (10, 10, 20, 20))
    assert not any(has_shades(two, suffix) for suffix in ("png", "gif", "tif"))
    bits = photo(mode="1")
    assert not any(has_shades(bits, suffix) for suffix in ("png", "gif", "tif", "bmp"))
    assert not has_shades(bits.convert("L")) and not has_shades(bits.convert("RGB"))
    assert has_shades(photo()) and has_shades(photo(mode="P"))
    assert has_shades(two.convert("RGB"))  # dark and light of a picture with shades might be all that is left of it
    grey = photo(mode="L")
    grey.paste(255, (0, 0, 48, 39))
    assert has_shades(grey)  # in the last row


def test_write_image_of_one_bit(tmp_path, photo):
    like = load_picture(photo(mode="1"))
    assert like.bilevel
    write_image(to_levels(like, like.rgb), tmp_path / "p.tif", like=like)
    assert Image.open(tmp_path / "p.tif").mode == "1"
