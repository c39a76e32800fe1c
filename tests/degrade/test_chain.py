"""Chains: their text, their independent streams, and pictures in and out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ldrps.degrade import KINDS, Chain, Dark, Haze, Jpeg, Noise, apply, parse, to_8bit, usage
from ldrps.errors import InputError, SettingsError

BLACK = np.zeros((24, 30, 3))
STREAM = [0.58959956, 0.65593019, 0.63308732]  # haze+noise of black with seed 7, first pixel


def test_text_is_understood():
    assert parse("dark=0.2+noise=25") == Chain((Dark(0.2), Noise(25)))
    assert parse(" Haze = 0.3 , ramp : 0.2 + jpeg") == Chain((Haze(0.3, ramp=0.2), Jpeg()))
    assert parse("noise=1e+1+jpeg=30") == Chain((Noise(10), Jpeg(30)))
    assert parse("haze=airlight:0.8,transmission:0.5") == Chain((Haze(0.5, 0.8),))
    assert parse("none") == parse("NONE ") == Chain()


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_defaults_and_is_told_of(kind):
    chain = parse(kind)
    assert chain == Chain((KINDS[kind](),))
    assert parse(str(chain)) == chain
    assert f"{kind}=" in usage()


@given(
    st.lists(st.sampled_from([kind() for kind in KINDS.values()] + [Noise(0.1 + 0.2), Dark(1 / 3, 1e-1)]), max_size=5)
)
def test_text_and_chain_are_each_others_inverse(parts):
    chain = Chain(tuple(parts))
    assert parse(str(chain)) == chain
    assert all(part.describe() in chain.describe() for part in parts)


def test_description():
    assert parse("dark=0.2+noise").describe() == (
        "darkening of the pixel values (gain 0.2, gamma 1), then white Gaussian noise (sigma 25)"
    )
    assert Chain().describe() == "no damage"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("fog", "kind is 'fog'.*haze=transmission,airlight,ramp,unevenness.*jpeg=quality.*or none"),
        ("", "kind is ''.*noise=sigma"),
        ("noise+", r"kind is 'noise\+'"),
        ("noise+none", "kind is 'none'"),
        ("noise=x", "sigma is 'x' in 'noise=x', no number; write noise=sigma"),
        ("noise=", "sigma is ''.*no number"),
        ("noise=1,2", "more than 1 values; write noise=sigma"),
        ("haze=rmp:2", "'rmp' .* is no parameter of haze; write haze=transmission,airlight,ramp,unevenness"),
        ("haze=0.3,transmission:0.4", "'transmission' .* is given twice"),
        ("haze=ramp:2", "ramp of haze is 2; it must be 0 to 1"),
        ("noise=300", "sigma of noise is 300; it must be 0 to 255"),
        ("noise=nan", "sigma of noise is nan"),
        ("downscale=1.5", r"factor of downscale is 1\.5; it must be a whole number, 1 to 16"),
    ],
)
def test_text_that_is_not_understood(text, message):
    with pytest.raises(SettingsError, match=message):
        parse(text)


def test_same_seed_same_picture():
    chain = parse("haze+rain+mask+noise+shot")
    assert np.array_equal(chain.apply(BLACK, 4), chain.apply(BLACK, 4))
    assert not np.array_equal(chain.apply(BLACK, 4), chain.apply(BLACK, 5))
    assert not np.array_equal(chain.apply(BLACK, [4, 0]), chain.apply(BLACK, [4, 1]))
    assert np.array_equal(chain.apply(BLACK), chain.apply(BLACK, 0))
    with pytest.raises(SettingsError, match="seed is -1; it must be 0 or more"):
        chain.apply(BLACK, -1)


def test_streams_are_the_same_everywhere():
    """Fixed once, on NumPy 2.4 and Linux: whoever changes the streams changes every benchmark that damages pictures."""
    y = parse("haze+noise").apply(BLACK, 7)
    np.testing.assert_allclose(y[0, 0], STREAM, atol=1e-6)


def test_a_part_does_not_change_what_others_draw():
    haze = parse("haze").apply(BLACK, 1)
    noise = parse("noise").apply(BLACK, 1)
    for text in ("haze+noise", "noise=0+haze+noise=0", "mask=0+haze"):
        chain = parse(text)
        quiet = Chain(tuple(part for part in chain.parts if not (isinstance(part, Noise) and part.sigma)))
        assert np.array_equal(quiet.apply(BLACK, 1), haze)
    np.testing.assert_allclose(parse("haze+noise").apply(BLACK, 1), haze + noise, atol=1e-12)
    twice = parse("noise+noise").apply(BLACK, 1)
    assert np.array_equal(parse("noise+jpeg").parts[0:1], parse("noise").parts)
    assert not np.allclose(twice, 2 * noise)
    assert twice.std() == pytest.approx(noise.std() * 2**0.5, rel=0.05)


def test_order_matters_and_nothing_is_clipped_between():
    y = parse("fade=1,0.5+dark=0.5").apply(np.full((2, 2, 3), 0.9))
    np.testing.assert_allclose(y, 0.7)


def test_crop_is_what_a_reduced_picture_shows():
    chain = parse("downscale=2+noise+downscale=3")
    x = np.random.default_rng(0).random((40, 53, 3))
    assert chain.reduction == 6
    assert chain.crop(x).shape == (36, 48, 3)
    assert chain.apply(x).shape == (6, 8, 3)
    assert np.array_equal(chain.apply(x), chain.apply(chain.crop(x)))
    assert Chain().crop(x) is x or np.array_equal(Chain().crop(x), x)


def test_pictures_in_and_out():
    levels = np.random.default_rng(0).integers(0, 256, (21, 33, 3), dtype=np.uint8)
    image = Image.fromarray(levels)
    for given_as in (image, levels, levels / 255, (levels / 255).astype(np.float32)):
        same = apply(given_as, Chain())
        assert same.mode == "RGB" and np.array_equal(np.asarray(same), levels)
        assert apply(given_as, "noise+blur", 3).tobytes() == apply(image, parse("noise+blur"), seed=3).tobytes()
    grey = image.convert("L")
    assert apply(grey, "none").tobytes() == grey.convert("RGB").tobytes()
    assert apply(image, "downscale=2").size == (16, 10)


def test_rounding_is_to_the_nearest_and_clips():
    x = np.array([-0.5, 0.49 / 255, 0.51 / 255, 1.0, 1.7])
    assert to_8bit(x).tolist() == [0, 0, 1, 255, 255]


@pytest.mark.parametrize("mode", ["RGBA", "P", "I;16", "F"])
def test_other_modes_are_refused(mode):
    with pytest.raises(InputError, match=rf"mode {mode}: give RGB or L, for example image.convert"):
        apply(Image.new(mode, (8, 8)), "noise")


@pytest.mark.parametrize("text", ["noise", "none"])
def test_integers_are_not_taken_for_bytes(text):
    with pytest.raises(InputError, match="int64: give floats"):
        apply(np.zeros((4, 4, 3), np.int64), text)


def test_what_is_lost_is_told_as_it_was_drawn():
    x = np.random.default_rng(0).random((64, 80, 3)) + 0.1
    chain = parse("noise=5+scratches=4+dark=0.5+mask=0.1+scratches=3")
    y, lost = chain.apply(x, 7), chain.lost((64, 80), 7)
    assert np.array_equal((y == 0).all(2), lost)
    assert not np.array_equal(chain.lost((64, 80), 8), lost)
    assert not parse("blur").lost((64, 80), 7).any()
