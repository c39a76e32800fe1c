"""Result: the depth and space of its levels, the image made of them, and what is saved."""

from __future__ import annotations

import json

import numpy as np
import pytest
from conftest import unchanged
from PIL import ExifTags, Image
from torture_parts import rgb_profile

from ldrps.errors import OutputError, SettingsError
from ldrps.image.picture import load_picture, to_levels
from ldrps.image.space import srgb_profile

RNG = np.random.default_rng(5)


@pytest.fixture
def result(tmp_path):
    """Of a picture of 8 bits in a wide space, with an artist, that was left as it is."""
    image = Image.fromarray(RNG.integers(0, 256, (40, 48, 3), dtype=np.uint8))
    exif = Image.Exif()
    exif[ExifTags.Base.Artist] = "Ana"
    image.save(tmp_path / "source.png", icc_profile=rgb_profile(), exif=exif)
    return unchanged(load_picture(tmp_path / "source.png"))


def test_image_is_made_of_the_levels(result):
    assert np.array_equal(np.asarray(result.image), result.levels)
    assert result.image.info["icc_profile"] == rgb_profile()
    result.image.putpixel((0, 0), (1, 2, 3))  # a copy: the result does not change with it
    assert np.array_equal(np.asarray(result.image), result.levels)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_16_bits_are_saved_and_shown_as_8(tmp_path, channels):
    from ldrps.image.write import write_image

    levels = RNG.integers(0, 65536, (40, 48, channels), dtype=np.uint16)
    write_image(levels, tmp_path / "source.png")
    result = unchanged(load_picture(tmp_path / "source.png"))
    assert result.levels.dtype == np.uint16
    assert result.image.mode == ["L", "LA", "RGB", "RGBA"][channels - 1]
    for suffix in ("png", "tif"):
        again = load_picture(result.save(tmp_path / f"p.{suffix}"))
        assert np.array_equal(to_levels(again, again.rgb), levels)


def test_saved_as_it_was(tmp_path, result):
    again = load_picture(result.save(tmp_path / "p.png"))
    assert np.array_equal(to_levels(again, again.rgb), result.levels)
    assert again.icc_profile == rgb_profile()
    assert b"Ana" in again.exif
    assert json.loads((tmp_path / "p.png.json").read_text())["size"] == [48, 40]


def test_saved_in_srgb(tmp_path, result):
    again = load_picture(result.save(tmp_path / "p.png", srgb=True, trace=False))
    assert again.icc_profile == srgb_profile()
    assert np.abs((again.rgb - result.picture.rgb).numpy()).max() <= 0.51 / 255
    assert b"Ana" in again.exif
    assert not (tmp_path / "p.png.json").exists()


def test_saved_without_metadata(tmp_path, result):
    again = load_picture(result.save(tmp_path / "p.png", keep_metadata=False))
    assert again.exif is None
    assert again.icc_profile == rgb_profile()


def test_quality(tmp_path, result):
    small = result.save(tmp_path / "small.jpg", quality=10).stat().st_size
    assert small < result.save(tmp_path / "large.jpg").stat().st_size / 2
    with pytest.raises(SettingsError, match="quality is 0"):
        result.save(tmp_path / "p.jpg", quality=0)
    assert not (tmp_path / "p.jpg").exists()


def test_record_that_exists_is_kept(tmp_path, result):
    (tmp_path / "p.png.json").write_text("precious")
    with pytest.raises(OutputError, match=r"p\.png\.json exists"):
        result.save(tmp_path / "p.png")
    assert not (tmp_path / "p.png").exists()
    result.save(tmp_path / "p.png", overwrite=True)
    assert json.loads((tmp_path / "p.png.json").read_text())["prior"] == "a prior"
