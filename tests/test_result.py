"""Result: the depth and space of its levels, the image made of them, and what is saved."""

from __future__ import annotations

import dataclasses
import json
import os
import re

import numpy as np
import pytest
import torch
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


@pytest.mark.parametrize("trace", [True, False])
@pytest.mark.parametrize(
    ("path", "message"),
    [
        (".", "has the suffix ''"),
        ("", "has the suffix ''"),
        ("/", "has the suffix ''"),
        ("..", "has the suffix ''"),
        ("p", "has the suffix ''"),
        ("folder.png", "is a folder"),
        ("a\0b.png", "cannot write 'a.*choose another name"),
        (260 * "x" + ".png", "cannot write x.*choose another name"),
        (None, "the path is a NoneType, None: give a text"),
        (3, "the path is a int, 3"),
        (b"p.png", "the path is a bytes"),
    ],
)
def test_a_path_that_cannot_be(tmp_path, monkeypatch, result, path, message, trace):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.png").mkdir()
    before = set(os.listdir(tmp_path))
    with pytest.raises(OutputError, match=message):
        result.save(path, trace=trace)
    assert set(os.listdir(tmp_path)) == before


@pytest.mark.parametrize("quality", ["high", 50.5, None])
def test_a_quality_that_is_no_whole_number(tmp_path, result, quality):
    if quality is None:
        result.save(tmp_path / "p.jpg", quality=quality)
        return
    with pytest.raises(SettingsError, match=re.escape(f"quality is {quality!r}; it must be from 1 to 100")):
        result.save(tmp_path / "p.jpg", quality=quality)


def test_the_tensor_is_a_new_one_of_what_was_restored(result):
    floats = result.picture.rgb * 0.9 + 0.0501
    before_rounding = dataclasses.replace(result, rgb=floats + 0.1)
    assert torch.equal(before_rounding.tensor, (floats + 0.1).clamp(0, 1))
    before_rounding.tensor.zero_()
    assert before_rounding.tensor.mean() > 0.1


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "wide", "16"])
def test_the_tensor_of_levels_is_what_they_mean(mode):
    image = Image.fromarray(RNG.integers(0, 256, (40, 48, 4), dtype=np.uint8))
    source = np.asarray(image.convert("RGB")).astype(np.uint16) * 257 if mode == "16" else image
    if isinstance(source, Image.Image):
        source = source.convert("RGB" if mode == "wide" else mode)
        source.info["icc_profile"] = rgb_profile() if mode == "wide" else None
    levels_alone = unchanged(load_picture(source))
    assert levels_alone.rgb is None
    tensor = levels_alone.tensor
    assert tensor.shape == (1, 3, 40, 48) and tensor.dtype == torch.float32
    torch.testing.assert_close(tensor, levels_alone.picture.rgb, atol=1e-6 if mode != "wide" else 0.51 / 255, rtol=0)
    floats = dataclasses.replace(levels_alone, rgb=levels_alone.picture.rgb)
    torch.testing.assert_close(tensor, floats.tensor, atol=1e-6 if mode != "wide" else 0.51 / 255, rtol=0)
    tensor.zero_()
    assert levels_alone.tensor.mean() > 0.3
