"""DDPM's step by its formulas, whole and with timesteps left out."""

from __future__ import annotations

import math

import pytest
import torch
from rivals.pixel.conftest import Told

from ldrps.errors import SettingsError
from ldrps.rivals.pixel.schedule import adm_schedule
from ldrps.rivals.pixel.step import descent, guided, moments, stepped

X = torch.randn((2, 3, 8, 8), generator=torch.Generator().manual_seed(0))


def test_the_schedule_is_that_of_ddpm() -> None:
    abar = adm_schedule()
    assert abar.shape == (1000,) and float(abar[0]) == pytest.approx(1 - 1e-4, abs=1e-7)
    assert float(abar[999]) == pytest.approx(4.0e-5, rel=0.02)
    assert float(abar[500] / abar[499]) == pytest.approx(1 - (1e-4 + 500 / 999 * (0.02 - 1e-4)), abs=1e-6)


@pytest.mark.parametrize(
    ("t", "following", "variance", "spread"),
    [(500, 499, "fixed_small", None), (500, 480, "fixed_large", None), (900, 899, "learned_range", -0.4)],
)
def test_moments(t: int, following: int, variance: str, spread: float | None) -> None:
    model = Told(torch.full((1, 1, 1, 1), 1.7), spread, variance)  # type: ignore[arg-type]
    found = moments(model, X, t, following)
    before, after = (float(model.alphas_cumprod[each]) for each in (t, following))
    beta = 1 - before / after
    mean = math.sqrt(after) * beta / (1 - before) * 1.0 + math.sqrt(1 - beta) * (1 - after) / (1 - before) * X
    torch.testing.assert_close(found.mean, mean)
    assert bool((found.x0 == 1).all()), "clamped"
    small, large = beta * (1 - after) / (1 - before), beta
    wanted = {"fixed_small": small, "fixed_large": large}.get(variance)
    if wanted is None:  # three tenths of the way from the small one to the large one
        wanted = math.exp(0.3 * math.log(large) + 0.7 * math.log(small))
    torch.testing.assert_close(found.log_variance.exp(), torch.full_like(X, wanted), rtol=1e-4, atol=0)


def test_the_last_step_is_the_clean_picture() -> None:
    found = moments(Told(torch.full((1, 1, 1, 1), 0.25)), X, 0, None)
    torch.testing.assert_close(stepped(found.mean, found.log_variance, None), torch.full_like(X, 0.25))


def test_noise_has_the_deviation_of_the_step() -> None:
    log_variance = torch.full_like(X, math.log(0.04))
    torch.testing.assert_close(stepped(X, log_variance, torch.ones_like(X)), X + 0.2)


def test_descent() -> None:
    whole = descent(1000, 1000)
    assert whole[0] == (999, 998) and whole[-1] == (0, None) and len(whole) == 1000
    assert descent(1000, 4) == [(999, 666), (666, 333), (333, 0), (0, None)]
    for steps in (1, 1001):
        with pytest.raises(SettingsError, match=f"steps is {steps}; this model takes 2 to 1000"):
            descent(1000, steps)


def test_a_pixel_is_guided_alike_in_pictures_of_all_sizes() -> None:
    for height, width in ((256, 256), (32, 64)):
        x = torch.full((1, 3, height, width), 0.5, requires_grad=True)
        (gradient,) = torch.autograd.grad(x.square().mean(), x)
        torch.testing.assert_close(guided(gradient, 3 * 256**2), torch.full_like(x, -1.0))
