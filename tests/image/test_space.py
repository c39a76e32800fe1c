"""Colour profiles: into sRGB for the work, back without loss, and what is done with those that are of no use."""

from __future__ import annotations

import io
import logging

import numpy as np
import pytest
import torch
from PIL import Image, ImageCms
from torture_parts import DISPLAY_P3, PROPHOTO, cmyk_profile, grey_profile, rgb_profile

from ldrps.image.arrays import as_image
from ldrps.image.picture import load_picture, to_image, to_levels, to_srgb
from ldrps.image.space import srgb_profile
from ldrps.image.write import write_image

RELATIVE = {"renderingIntent": ImageCms.Intent.RELATIVE_COLORIMETRIC, "flags": ImageCms.Flags.BLACKPOINTCOMPENSATION}
WIDE = {"display P3": rgb_profile(DISPLAY_P3), "ProPhoto": rgb_profile(PROPHOTO, 1.8)}


def with_profile(image, profile):
    image.info["icc_profile"] = profile
    return image


@pytest.mark.parametrize("profile", WIDE.values(), ids=WIDE)
def test_pixels_come_in_as_srgb(photo, profile):
    image = photo(64, 64)
    expected = ImageCms.profileToProfile(image, io.BytesIO(profile), ImageCms.createProfile("sRGB"), **RELATIVE)
    picture = load_picture(with_profile(image, profile))
    shown = picture.rgb[0].permute(1, 2, 0).numpy() * 255
    moved = np.abs(np.asarray(image).astype(float) - np.asarray(expected)).mean()
    assert moved > 5, "the profile matters"
    assert np.abs(shown - np.asarray(expected)).mean() < 0.7
    assert picture.icc_profile == profile


@pytest.mark.parametrize("profile", WIDE.values(), ids=WIDE)
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_unchanged_picture_comes_back_bit_equal(photo, profile, mode):
    picture = load_picture(with_profile(photo(mode=mode), profile))
    back = to_image(picture, picture.rgb)
    assert back.tobytes() == photo(mode=mode).tobytes()
    assert back.info["icc_profile"] == profile


def test_unchanged_16_bits_come_back_bit_equal(tmp_path):
    levels = np.random.default_rng(0).integers(0, 65536, (40, 48, 3), dtype=np.uint16)
    wide = load_picture(with_profile(Image.new("RGB", (40, 40)), WIDE["display P3"]))
    write_image(levels, tmp_path / "p.png", like=wide)
    picture = load_picture(tmp_path / "p.png")
    assert picture.profiled is not None
    assert np.array_equal(to_levels(picture, picture.rgb), levels)


def test_change_is_carried_into_the_space_of_the_source(photo):
    """A gentle change in sRGB, done to colours that both spaces have, is what lcms makes of the changed picture."""
    muted = Image.fromarray((np.asarray(photo()) * 0.2 + 100).astype(np.uint8))
    picture = load_picture(with_profile(muted, WIDE["display P3"]))
    changed = picture.rgb * 0.8 + 0.1
    carried = np.asarray(to_image(picture, changed)).astype(float)
    expected = ImageCms.profileToProfile(
        *(as_image((changed[0].permute(1, 2, 0).numpy() * 255 + 0.5).astype(np.uint8)), ImageCms.createProfile("sRGB")),
        io.BytesIO(WIDE["display P3"]),
        **RELATIVE,
    )
    assert np.abs(carried - np.asarray(expected)).max() <= 3
    assert np.abs(carried - np.asarray(expected)).mean() < 0.8


def test_colours_outside_srgb_stay_outside():
    red = with_profile(Image.new("RGB", (40, 40), (250, 20, 10)), WIDE["ProPhoto"])
    picture = load_picture(red)
    assert picture.rgb[0, 0].max() == pytest.approx(1, abs=1e-3), "clipped for the work"
    slightly_darker = to_image(picture, picture.rgb - 0.01)
    assert np.abs(np.asarray(slightly_darker)[0, 0].astype(int) - [250, 20, 10]).max() < 6


@pytest.mark.parametrize("gamma", [1.0, 1.8])
def test_grey_profile_stays_grey(photo, gamma):
    picture = load_picture(with_profile(photo(mode="L"), grey_profile(gamma)))
    assert picture.grey
    assert picture.rgb.mean() * 255 > np.asarray(photo(mode="L")).mean() + 5, "lighter than its numbers say"
    back = to_image(picture, picture.rgb)
    assert back.mode == "L"
    assert back.tobytes() == photo(mode="L").tobytes()
    lighter = np.asarray(to_image(picture, (picture.rgb + 0.1).clamp(0, 1))).astype(int)
    assert (lighter >= np.asarray(back)).all()
    assert (lighter > np.asarray(back)).mean() > 0.8
    coloured = picture.in_colour()
    assert coloured.icc_profile is None
    assert torch.equal(picture.rgb, coloured.rgb)
    assert to_image(coloured, coloured.rgb).mode == "RGB"


@pytest.mark.parametrize(("mode", "profile"), [("RGB", srgb_profile()), ("RGB", None), ("L", None)])
def test_srgb_is_left_alone(photo, mode, profile):
    picture = load_picture(with_profile(photo(mode=mode), profile) if profile else photo(mode=mode))
    expected = torch.from_numpy(np.asarray(photo(mode=mode).convert("RGB")).copy()).permute(2, 0, 1) / 255
    assert picture.profiled is None
    assert torch.allclose(picture.rgb[0], expected, atol=1e-6)


@pytest.mark.parametrize("profile", [b"rubbish", rgb_profile()[:200], cmyk_profile(), grey_profile(1.8)])
def test_profile_of_no_use_is_kept_and_named(photo, caplog, profile):
    with caplog.at_level(logging.WARNING, "ldrps"):
        picture = load_picture(with_profile(photo(), profile))
    assert "its colour profile is kept but cannot be followed" in caplog.text
    assert picture.icc_profile == profile
    assert picture.profiled is None
    assert to_image(picture, picture.rgb).tobytes() == photo().tobytes()


def test_cmyk_is_converted_by_its_profile(photo, caplog):
    image = photo(mode="CMYK")
    with caplog.at_level(logging.WARNING, "ldrps"):
        plain = load_picture(photo(mode="CMYK"))
        picture = load_picture(with_profile(image, cmyk_profile()))
    assert "has CMYK pixels: they are converted, and written as RGB" in caplog.text
    expected = ImageCms.profileToProfile(
        *(photo(mode="CMYK"), io.BytesIO(cmyk_profile()), ImageCms.createProfile("sRGB")), outputMode="RGB", **RELATIVE
    )
    assert to_image(picture, picture.rgb).tobytes() == expected.tobytes()
    assert not torch.equal(picture.rgb, plain.rgb)
    assert picture.icc_profile == plain.icc_profile == srgb_profile()


def test_cmyk_with_a_broken_profile_is_converted_without(photo, caplog):
    with caplog.at_level(logging.WARNING, "ldrps"):
        picture = load_picture(with_profile(photo(mode="CMYK"), b"cmyk"))
    assert "its colour profile is left out" in caplog.text
    assert picture.icc_profile == srgb_profile()
    assert torch.equal(picture.rgb, load_picture(photo(mode="CMYK")).rgb)


def test_to_srgb_on_request(photo):
    source = photo(mode="RGBA")
    picture = load_picture(with_profile(source, WIDE["display P3"]))
    alike, levels = to_srgb(picture, to_levels(picture, picture.rgb))
    assert alike.icc_profile == srgb_profile()
    assert alike.profiled is None
    assert np.array_equal(levels[..., 3], np.asarray(photo(mode="RGBA"))[..., 3])
    shown = picture.rgb[0].permute(1, 2, 0).numpy() * 255
    assert np.abs(levels[..., :3] - shown).max() <= 0.51

    grey = load_picture(with_profile(photo(mode="L"), grey_profile(1.0)))
    alike, levels = to_srgb(grey, to_levels(grey, grey.rgb))
    assert alike.icc_profile is None
    assert np.abs(levels[..., 0] - grey.rgb[0, 0].numpy() * 255).max() <= 0.51

    plain = load_picture(photo())
    alike, levels = to_srgb(plain, to_levels(plain, plain.rgb))
    assert alike.icc_profile == srgb_profile()
    assert np.array_equal(levels, np.asarray(photo()))
