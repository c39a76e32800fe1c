"""Each kind of damage: known answers, and what holds for all of them."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from ldrps.degradation.srgb import to_linear
from ldrps.degrade import (
    KINDS,
    Blur,
    Camera,
    Cast,
    CorrelatedNoise,
    Dark,
    Downscale,
    Exposure,
    Fade,
    Grain,
    Haze,
    Jpeg,
    Mask,
    MotionBlur,
    Noise,
    Rain,
    Scratches,
    ShotNoise,
    Text,
)
from ldrps.errors import InputError, SettingsError

NEUTRAL = [
    *(Dark(1, 1), Exposure(0), Cast(1, 1, 1), Fade(1, 0), Haze(1), Rain(0), Rain(strength=0), Blur(0), MotionBlur(1)),
    *(Downscale(1), Mask(0), Mask(0, 5), Scratches(0), Noise(0), CorrelatedNoise(0), Grain(0)),
]


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def ramp(height: int = 37, width: int = 53) -> np.ndarray:
    """A coloured gradient [H, W, 3] that is nowhere flat."""
    y, x = np.mgrid[0:height, 0:width]
    return np.stack([x / (width - 1), y / (height - 1), (x + y) / (height + width - 2)], axis=2)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_kind_keeps_type_and_input_and_repeats_itself(kind, dtype):
    x = ramp().astype(dtype)
    before = x.copy()
    y = kind().apply(x, rng(3))
    factor = kind().reduction
    assert y.dtype == dtype and y.shape == (37 // factor, 53 // factor, 3)
    assert np.isfinite(y).all()
    assert np.abs(y[: 37 // factor, : 53 // factor] - x[: len(y), : y.shape[1]]).max() > 0.01
    assert np.array_equal(x, before)
    assert np.array_equal(y, kind().apply(x, rng(3)))
    if dtype == np.float32:  # the same draws for either type
        np.testing.assert_allclose(y, kind().apply(x.astype(np.float64), rng(3)), atol=1e-5)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("size", [(1, 1), (2, 3), (5, 1)])
def test_every_kind_takes_tiny_pictures(kind, size):
    if min(size) < kind().reduction:
        with pytest.raises(InputError, match="cannot be reduced by 2"):
            kind().apply(np.zeros((*size, 3)), rng())
    else:
        assert np.isfinite(kind().apply(np.full((*size, 3), 0.5), rng())).all()


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_every_kind_survives_overshoot(kind):
    assert np.isfinite(kind().apply(ramp() * 1.6 - 0.3, rng())).all()


@pytest.mark.parametrize(
    "part",
    [
        *(kind() for kind in KINDS.values() if kind not in {Cast, Noise, ShotNoise, CorrelatedNoise, Grain, Camera}),
        Grain(colour=0),
    ],
    ids=str,
)
def test_grey_stays_grey_but_for_noise_and_casts(part):
    grey = np.repeat(ramp()[..., :1], 3, axis=2)
    y = part.apply(grey, rng())
    assert np.abs(y - y[..., :1]).max() < 1e-12


@pytest.mark.parametrize("neutral", NEUTRAL, ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_neutral_strength_changes_nothing(neutral, dtype):
    x = ramp().astype(dtype)
    tolerance = 1e-12 if isinstance(neutral, Exposure) else 0
    assert np.abs(neutral.apply(x, rng()) - x).max() <= (1e-7 if tolerance and dtype == np.float32 else tolerance)


def test_noise_has_its_deviation_and_no_mean():
    n = Noise(25).apply(np.full((300, 300, 3), 0.5), rng()) - 0.5
    assert 255 * n.std() == pytest.approx(25, rel=0.01)
    assert abs(255 * n.mean()) < 0.2
    assert abs(np.corrcoef(n[..., 0].ravel(), n[..., 1].ravel())[0, 1]) < 0.02
    assert abs((n[:, 1:] * n[:, :-1]).mean()) < 0.02 * n.var()


def test_shot_noise_grows_with_light_and_is_unbiased():
    peak = 50
    for level in (0.1, 0.4, 0.9):
        y = ShotNoise(peak).apply(np.full((200, 200, 3), level), rng())
        assert y.mean() == pytest.approx(level, rel=0.01)
        assert y.var() == pytest.approx(level / peak, rel=0.03)
    assert not ShotNoise(peak).apply(np.full((20, 20, 3), -0.1), rng()).any()


def test_reduced_noise_is_what_the_kodak_set_has():
    n = CorrelatedNoise().apply(np.zeros((256, 256, 3)), rng())
    assert 255 * n.std() == pytest.approx(12.5, abs=0.1)  # 12.2 in the set, which was clipped
    assert (n[:, 1:] * n[:, :-1]).mean() > 0.1 * n.var()
    white = CorrelatedNoise(20, 1).apply(np.zeros((256, 256, 3)), rng())
    assert 255 * white.std() == pytest.approx(20, rel=0.02)


@pytest.mark.parametrize("colour", [0, 0.2, 0.5, 1])
@pytest.mark.parametrize("spread", [0, 1, 2.5])
def test_grain_has_its_deviation_and_coarseness_whatever_its_colour(spread, colour):
    n = Grain(15, spread, colour).apply(np.full((400, 400, 3), 0.5), rng()) - 0.5
    assert 255 * n.std() == pytest.approx(15, rel=0.03)
    neighbours = (n[:, 1:] * n[:, :-1]).mean() / n.var()
    assert neighbours == pytest.approx(np.exp(-1 / (4 * spread**2)) if spread else 0, abs=0.03)
    if colour == 1:
        assert np.abs(n.mean(2)).max() < 1e-12, "no luma"
    if colour == 0.5:
        assert abs(np.corrcoef(n[..., 0].ravel(), n[..., 1].ravel())[0, 1]) < 0.05


def test_noise_of_a_camera_grows_with_sensitivity_and_is_most_in_red_and_blue():
    x = np.full((200, 200, 3), 0.5)
    by_iso = [Camera(iso).apply(x, rng()) - x for iso in (100, 1600, 3200, 6400)]
    deviations = np.array([255 * n.std((0, 1)) for n in by_iso])
    assert (deviations[:, [0, 2]] > 1.2 * deviations[:, 1:2]).all()
    assert deviations[0].max() < 1 < 4 < deviations[2].max() < 12, "a picture at ISO 100 looks clean"
    np.testing.assert_allclose(deviations[2] / deviations[1], 2**0.5, rtol=0.05)
    shared = np.corrcoef(by_iso[2][:, 1:, 0].ravel(), by_iso[2][:, :-1, 0].ravel())[0, 1]
    assert shared > 0.2, "demosaicking makes neighbours share it"
    light = to_linear(torch.from_numpy(x + by_iso[3])) - to_linear(torch.from_numpy(x))
    assert abs(float(light.mean())) < 0.01 * float(light.std()), "no mean, in light"


def test_tones():
    x = np.array([[[0.0, 0.25, 1.0]]])
    np.testing.assert_allclose(Dark(0.5, 2).apply(x, rng()), [[[0, 0.03125, 0.5]]])
    np.testing.assert_allclose(Cast(2, 1, 0.5).apply(x, rng()), [[[0, 0.25, 0.5]]])
    np.testing.assert_allclose(Fade(0.5, 0.2).apply(x, rng()), [[[0.2, 0.325, 0.7]]])
    # Half of white's light is 188 in sRGB, a stop more than white is kept, and stops add up.
    assert 255 * Exposure(-1).apply(np.ones((1, 1, 3)), rng())[0, 0, 0] == pytest.approx(187.5, abs=0.1)
    brighter = Exposure(1).apply(x, rng())
    assert brighter.max() > 1.3
    np.testing.assert_allclose(Exposure(-1).apply(brighter, rng()), x, atol=1e-12)


def test_haze_follows_its_model_and_is_thicker_at_the_top():
    x = ramp(64, 64)
    even = Haze(0.3, 0.8, 0, 0).apply(x, rng())
    np.testing.assert_allclose(even, 0.3 * x + 0.7 * 0.8)
    ramped = Haze(0.3, 0.8, 0.5, 0).apply(np.zeros((65, 8, 3)), rng())
    t = 1 - ramped[:, 0, 0] / 0.8
    np.testing.assert_allclose(t[[0, 32, 64]], [0.3**1.5, 0.3, 0.3**0.5])
    assert (np.diff(t) > 0).all()
    uneven = Haze(0.3, 1, 0, 0.3).apply(np.zeros((64, 64, 3)), rng())
    assert uneven.std() > 0.02
    assert np.abs(np.diff(uneven, axis=0)).max() < 0.05
    assert uneven.min() >= 0 and uneven.max() <= 1


def test_haze_is_the_same_at_every_size():
    small, large = (Haze(0.4, 1, 0.5, 0.3).apply(np.zeros((n, n, 3)), rng(5)) for n in (64, 256))
    np.testing.assert_allclose(large.reshape(64, 4, 64, 4, 3).mean((1, 3)), small, atol=0.01)


def test_gaussian_blur_is_scipys():
    ndimage = pytest.importorskip("scipy.ndimage")
    x = rng().random((40, 31, 3))
    wanted = ndimage.gaussian_filter(x, (1.7, 1.7, 0), radius=(7, 7, 0), mode="reflect")
    np.testing.assert_allclose(Blur(1.7).apply(x, rng()), wanted, atol=1e-12)
    np.testing.assert_allclose(Blur(30).apply(np.full((9, 7, 3), 0.3), rng()), 0.3)


def test_motion_blur_moves_a_point_along_its_line():
    x = np.zeros((21, 21, 3))
    x[10, 10] = 1
    y = MotionBlur(7, 0).apply(x, rng())
    np.testing.assert_allclose(y[10, 7:14], 1 / 7)
    assert y.sum() == pytest.approx(3)


def test_downscale_is_pillows_and_drops_what_does_not_fill_a_pixel():
    x = ramp(38, 41)
    y = Downscale(4).apply(x, rng())
    assert y.shape == (9, 10, 3)
    assert np.array_equal(y, Downscale(4).apply(x[:36, :40], rng()))
    np.testing.assert_allclose(y[4, 4], x[16:20, 16:20].mean((0, 1)), atol=1e-4)  # a gradient's mean is its middle
    np.testing.assert_allclose(Downscale(3).apply(np.full((9, 9, 3), 0.7), rng()), 0.7, atol=1e-6)


def test_a_picture_that_is_saved_again_has_its_blocks_elsewhere() -> None:
    x = np.asarray(np.random.default_rng(0).random((40, 56, 3)))
    x = np.repeat(np.repeat(x[::8, ::8], 8, 0), 8, 1) * 0.5 + 0.25 + 0.1 * x
    saved = Jpeg(20).apply(x, rng())
    there, elsewhere = (np.abs(Jpeg(20, shift).apply(saved, rng()) - saved).mean() for shift in (0, 3))
    assert there < elsewhere / 3, "on the same grid, hardly anything is lost again"
    cut = Jpeg(20, 3).apply(x[3:, 3:], rng())
    operator = Jpeg(20, 3).draw(cut.shape[:2], rng())
    told = operator(torch.from_numpy(x[3:, 3:].copy()).permute(2, 0, 1)[None])[0].permute(1, 2, 0).clamp(0, 1)
    assert np.abs(told.numpy() - cut)[16:-16, 16:-16].mean() < 0.005, "the operator says the same, but for rounding"


def test_jpeg_gets_worse_with_less_quality():
    x = np.clip(ramp(64, 64) + rng().normal(0, 0.05, (64, 64, 3)), 0, 1)
    errors = [np.abs(Jpeg(q).apply(x, rng()) - x).mean() for q in (95, 50, 10)]
    assert errors == sorted(errors)
    y = Jpeg(10).apply(x * 2 - 0.5, rng())
    assert y.min() >= 0 and y.max() <= 1
    np.testing.assert_allclose(np.round(y * 255), y * 255, atol=1e-9)


@pytest.mark.parametrize("fraction", [0.01, 0.3, 0.95])
def test_mask_loses_what_it_says(fraction):
    x = np.ones((50, 61, 3))
    single = Mask(fraction).apply(x, rng())
    assert (single == 0).all(2).sum() == round(fraction * 50 * 61)
    squares = (Mask(fraction, 7).apply(x, rng()) == 0).all(2)
    assert round(fraction * 50 * 61) <= squares.sum() < fraction * 50 * 61 + 49
    assert set(np.unique(single)) == {0, 1}


def test_scratches_are_thin_lines_as_many_as_wanted():
    x = ramp(200, 260)
    lost = Scratches(8, 5).lost((200, 260), rng())
    y = Scratches(8, 5).apply(x, rng())
    assert np.array_equal(y[~lost], x[~lost]) and (y[lost] == 0).all()
    assert 0 < Scratches(1, 1).lost((200, 260), rng()).mean() < lost.mean() < 0.2
    assert not Scratches(0).lost((200, 260), rng()).any()
    known = torch.nn.functional.max_pool2d(torch.from_numpy(~lost).float()[None], 9, 1, 4)
    assert bool((known == 1).all()), "nothing is far from what is known"


def test_text_is_all_over_and_another_with_another_seed():
    lost = Text(20).lost((256, 256), rng())
    assert 0.1 < lost.mean() < 0.35
    assert lost[:64].any() and lost[-64:].any() and lost[:, :32].any() and lost[:, -32:].any()
    assert not np.array_equal(lost, Text(20).lost((256, 256), rng(1)))
    assert Text(20, 6).lost((256, 256), rng()).mean() < lost.mean() / 2, "lines further apart"
    x = ramp(256, 256)
    y = Text(20).apply(x, rng())
    assert np.array_equal(y[~lost], x[~lost]) and (y[lost] == 0).all()


def test_rain_only_brightens_and_falls_along_its_angle():
    x = np.full((80, 80, 3), 0.3)
    y = Rain(0.002, 15, 90, 0.6).apply(x, rng())
    assert y.min() >= 0.3 - 1e-12 and 0.5 < y.max() <= 0.3 + 0.6 * 0.7 + 1e-12
    streaks = y[..., 0] - 0.3
    along, across = (
        (streaks[a] * streaks[b]).mean() for a, b in ((np.s_[1:], np.s_[:-1]), (np.s_[:, 1:], np.s_[:, :-1]))
    )
    assert along > 5 * across
    assert Rain(0.02).apply(x, rng()).mean() > Rain(0.002).apply(x, rng()).mean()


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_limits_are_kept_and_named(kind):
    for field in dataclasses.fields(kind):
        low, high = field.metadata["low"], field.metadata["high"]
        for bad in (low - 1, high + 1, float("nan"), float("inf"), "3", None, True):
            with pytest.raises(SettingsError, match=f"{field.name} of {kind.kind} is .*; it must be .* to "):
                kind(**{field.name: bad})
        for good in (low, high):
            kind(**{field.name: good})
        assert f"{field.name}: {field.metadata['meaning']}" in kind.usage()
    assert kind().title in kind().describe()
    assert hash(kind()) == hash(kind())
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(kind(), dataclasses.fields(kind)[0].name, 1)


def test_whole_numbers_only():
    with pytest.raises(SettingsError, match=r"quality of jpeg is 20\.5; it must be a whole number, 1 to 100"):
        Jpeg(20.5)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "bad", [np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4)), np.zeros((4, 4, 1)), np.zeros((0, 4, 3))]
)
def test_pictures_that_cannot_be_used(bad):
    with pytest.raises(InputError, match="give"):
        Noise().apply(bad, rng())
