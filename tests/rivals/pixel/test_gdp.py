"""GDP by a step that is written out by hand, and whole runs with models that are too small to be good."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from rivals.pixel.conftest import FACTS, Told
from torch import Tensor

from ldrps.errors import Cancelled, SettingsError
from ldrps.image.tiles import Window
from ldrps.rivals.pixel.gdp import AffineGuide, Gdp, GdpLinear, GdpLinearSettings, GdpSettings, KnownGuide
from ldrps.rivals.pixel.operators import grey, masked, pooled
from ldrps.rivals.pixel.patches import patches
from ldrps.rivals.pixel.step import Moments

RANDOM = torch.Generator().manual_seed(0)
Y, X0, X_T = (torch.rand((1, 3, 32, 48), generator=RANDOM) for _ in range(3))
WHOLE = Window(0, 0, 32, 48)
N = 3 * 32 * 48
SIZE = 32 * 48 / 256**2  # of the picture, of the published one


def moments_of(x0: Tensor) -> Moments:
    return Moments(torch.zeros_like(x0), torch.zeros_like(x0), x0)


def test_a_step_of_the_blind_form() -> None:
    guide = AffineGuide(Y, [WHOLE], torch.Generator().manual_seed(3), GdpSettings())
    gain, offset = guide.gain, guide.offset.clone()
    assert 0 < abs(gain) < 0.05 and float(offset.min()) >= 0 and float(offset.max()) < 1e-4
    residual = gain * (X0 + 1) / 2 + offset - Y  # A x + M - y, x in [0, 1]
    correction, losses = guide.correct(WHOLE, moments_of(X0), X_T)
    guide.settle()
    # d MSE / d x0 = 2 A (A x + M - y) / N, and half of that for x0 in [-1, 1]; 80,000 twice a step.
    torch.testing.assert_close(correction, -160_000 * SIZE * gain * residual / N)
    assert losses == {"posterior/distance": pytest.approx(float(residual.square().mean()))}
    assert guide.gain == pytest.approx(gain - float(2 * (residual * (X0 + 1) / 2).mean()), rel=1e-5)
    torch.testing.assert_close(guide.offset, offset - SIZE * 2 * residual.sum(1, keepdim=True) / N)


def test_quality_terms_are_options() -> None:
    settings = GdpSettings(exposure=0.01, colour=0.005, smoothness=1.0)
    guide = AffineGuide(Y, [WHOLE], torch.Generator().manual_seed(3), settings)
    _, losses = guide.correct(WHOLE, moments_of(X0), X_T)
    x = (X0 + 1) / 2
    cells = x.mean(1).unfold(1, 8, 8).unfold(2, 8, 8).mean((3, 4))
    red, green, blue = x.mean((0, 2, 3)).tolist()
    squares = (red - green) ** 4 + (red - blue) ** 4 + (green - blue) ** 4
    assert losses["posterior/exposure"] == pytest.approx(0.01 * float((cells - 0.3).square().mean()))
    assert losses["posterior/colour"] == pytest.approx(0.005 * squares**0.5, rel=1e-4)
    assert 0 < losses["posterior/smoothness"] < 1e-7, "M begins almost flat"


def test_a_and_m_are_means_over_the_patches() -> None:
    settings, places = GdpSettings(patch=32, stride=16), patches(32, 48, 32, 16)
    alone = []
    for place in places:
        guide = AffineGuide(Y, [place], torch.Generator().manual_seed(3), settings)
        guide.correct(place, moments_of(place.of(X0)), place.of(X_T))
        alone.append((guide._gains[0], place.of(guide._offsets._sum)))
    together = AffineGuide(Y, places, torch.Generator().manual_seed(3), settings)
    for place in places:
        together.correct(place, moments_of(place.of(X0)), place.of(X_T))
    together.settle()
    (left, left_map), (right, right_map) = alone
    assert together.gain == pytest.approx((left + right) / 2)
    torch.testing.assert_close(together.offset[..., :16], left_map[..., :16])
    torch.testing.assert_close(together.offset[..., 16:32], (left_map[..., 16:] + right_map[..., :16]) / 2)


@pytest.mark.parametrize("at", ["x0", "xt"])
def test_a_step_of_the_known_form(at: Any) -> None:
    point, means = X0 if at == "x0" else X_T, pooled(32, 48)

    def blocks(x: Tensor) -> Tensor:
        return means.degradation(x).repeat_interleave(4, -1).repeat_interleave(4, -2)

    correction, losses = KnownGuide(Y, means, at).correct(WHOLE, moments_of(X0), X_T)
    # The means of blocks are a symmetric projection P, so that the gradient of |P x - P y|^2 / N is 2 P (x - y) / N.
    difference = blocks((point + 1) / 2 - Y)
    torch.testing.assert_close(correction, -2000 * SIZE * difference / N)
    assert losses["posterior/distance"] == pytest.approx(2000 * float(difference.square().mean()), rel=1e-4)
    for_ten, _ = KnownGuide(Y, means, at, stride=10).correct(WHOLE, moments_of(X0), X_T)
    torch.testing.assert_close(for_ten, 10 * correction)
    at_most, _ = KnownGuide(Y, means, at, stride=500).correct(WHOLE, moments_of(X0), X_T)
    torch.testing.assert_close(blocks((point + at_most + 1) / 2), blocks(Y), atol=1e-5, rtol=0)


def test_colourisation_has_its_colour_term() -> None:
    correction, losses = KnownGuide(Y, grey(), "x0").correct(WHOLE, moments_of(X0), X_T)
    red, green, blue = X0.mean((0, 2, 3)).tolist()  # of x in [-1, 1]
    root = ((red - green) ** 4 + (red - blue) ** 4 + (green - blue) ** 4) ** 0.5
    assert losses["posterior/colour"] == pytest.approx(500 * root, rel=1e-4)
    of_colour = 500 * 2 * ((red - green) ** 3 + (red - blue) ** 3) / root / (32 * 48)
    of_distance = 6000 * 2 * (X0.mean(1) / 2 + 0.5 - Y) / N / 2  # a third of it to each channel, of all three
    wanted = -SIZE * (of_distance.mean(1) + of_colour)
    torch.testing.assert_close(correction[:, 0], wanted, rtol=1e-3, atol=1e-6)


def test_a_mask_is_obeyed_in_patches() -> None:
    """A model that says black; what the data show comes through, what they hide stays black."""
    mask = torch.ones(1, 1, 40, 72)
    mask[..., 20:30, 30:50] = 0
    model = Told(torch.full((1, 1, 1, 1), -1.0))
    settings = GdpLinearSettings(steps=4, patch=32, stride=16)
    white = np.full((40, 72, 3), 255, np.uint8)
    white[0, 0] = 0
    rival = GdpLinear(FACTS, model, masked(mask), settings)
    result = rival(white)
    hidden = result.levels[20:30, 30:50]
    assert hidden.max() == 0 and result.levels[:20].mean() > 20


def test_a_run_is_the_steps_of_the_published_chain(grey_model: Told) -> None:
    """By hand: DDPM's mean, the guidance, one noise for the picture; without noise at the end."""
    image = np.asarray(Y[0].permute(1, 2, 0))
    steps = list(Gdp(FACTS, grey_model, GdpSettings(steps=3, seed=5)).steps(image))
    assert [each.number for each in steps] == [1, 2, 3] and steps[0].total == 3
    assert [t for _, t in grey_model.asked] == [999, 500, 0]

    random = torch.Generator().manual_seed(5)
    gain, offset = float(torch.randn((), generator=random)) / 100, torch.rand((1, 1, 32, 48), generator=random) / 1e4
    x, abar = torch.randn(Y.shape, generator=random), grey_model.alphas_cumprod.double()
    for t, following in ((999, 500), (500, 0), (0, None)):
        after = abar[following] if following is not None else torch.tensor(1.0).double()
        alpha = abar[t] / after
        mean = alpha**0.5 * (1 - after) / (1 - abar[t]) * x  # the model's x0 is 0
        residual = gain * 0.5 + offset - Y
        mean = mean - 160_000 * SIZE * gain * residual / N
        gain, offset = (
            gain - float(residual.mean()),
            offset - SIZE * 2 * residual.sum(1, keepdim=True) / N,
        )
        x = mean
        if following is not None:
            deviation = ((1 - alpha) * (1 - after) / (1 - abar[t])) ** 0.5
            x = mean + deviation * torch.randn(Y.shape, generator=random)
    found = Gdp(FACTS, grey_model, GdpSettings(steps=3, seed=5))(image).levels
    wanted = (((x.float() + 1) / 2).clamp(0, 1) * 255)[0].permute(1, 2, 0).numpy()
    assert np.abs(found - wanted).max() < 1


def test_sizes_that_no_patch_fits_are_padded_and_cropped(grey_model: Told) -> None:
    image = np.random.default_rng(0).integers(0, 255, (45, 61, 3), dtype=np.uint8)
    result = Gdp(FACTS, grey_model, GdpSettings(steps=2, patch=32, stride=24))(image)
    assert result.levels.shape == image.shape
    assert {shape for shape, _ in grey_model.asked} == {(1, 3, 32, 32)}
    assert len(grey_model.asked) == 2 * 2 * 3, "48 x 64 in patches of 32, 24 apart"


def test_the_same_seed_is_the_same_picture_whatever_was_before(grey_model: Told) -> None:
    image = np.random.default_rng(0).integers(0, 255, (40, 40, 3), dtype=np.uint8)
    rival = Gdp(FACTS, grey_model, GdpSettings(steps=2))
    first, _, again = rival(image).levels, rival(255 - image), rival(image).levels
    assert (first == again).all()


def test_it_can_be_stopped(grey_model: Told) -> None:
    with pytest.raises(Cancelled, match="stopped after step 1 of 5"):
        Gdp(FACTS, grey_model, GdpSettings(steps=5))(np.full((40, 40, 3), 99, np.uint8), on_step=lambda _: False)
    assert len(grey_model.asked) == 1


def test_settings_that_cannot_be(grey_model: Told) -> None:
    for wrong, message in (
        ({"steps": 1}, "steps is 1; it must be 2 or more"),
        ({"scale": -1.0}, "scale is -1.0; it must be 0 or more"),
        ({"patch": 16}, "patch is 16; it must be 32 pixels or more"),
        ({"stride": 300}, "stride is 300; it must be 1 to 256"),
    ):
        with pytest.raises(SettingsError, match=message):
            GdpSettings(**wrong)  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="at is 'x1'; it must be 'x0' or 'xt'"):
        GdpLinearSettings(at="x1")  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="patch is 44; told takes multiples of 8"):
        Gdp(FACTS, grey_model, GdpSettings(patch=44, stride=44))(np.full((64, 64, 3), 99, np.uint8))
    with pytest.raises(SettingsError, match="steps is 2000; this model takes 2 to 1000"):
        Gdp(FACTS, grey_model, GdpSettings(steps=2000))(np.full((64, 64, 3), 99, np.uint8))
