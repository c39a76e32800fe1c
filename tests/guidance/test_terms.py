from __future__ import annotations

import pytest
import torch
from torch import Tensor

from ldrps.guidance.terms import brightness, chrominance


def coloured(*means: float) -> Tensor:
    """A picture of channels with these means, and some texture."""
    texture = torch.tensor([[0.1, -0.1], [-0.1, 0.1]]).repeat(4, 4)
    return torch.stack([mean + texture for mean in means])[None]


def test_brightness_of_two_cells() -> None:
    x = torch.cat([torch.full((1, 3, 32, 32), 0.2), torch.full((1, 3, 32, 32), 0.9)], 3)
    assert float(brightness(x, 32)) == pytest.approx((0.3**2 + 0.4**2) / 2, rel=1e-3)
    assert float(brightness(x, 64)) == pytest.approx(0.05**2, rel=1e-3)  # both in one
    assert float(brightness(x, 64, 0.3)) == pytest.approx((float(x.mean()) - 0.3) ** 2, rel=1e-3)  # another level


def test_brightness_is_that_of_the_mean_of_cell_and_channels() -> None:
    x = torch.rand(2, 3, 8, 8)
    cells = x.mean(1).reshape(2, 2, 4, 2, 4).mean((2, 4))
    torch.testing.assert_close(brightness(x, 4), (cells - 0.5).pow(2).mean())


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((10, 20), 0.075**2),  # one cell, half 0.6, half 0.25
        ((10, 64), (0.1**2 + 0.25**2) / 2),  # two cells, one 0.6, one 0.25
        ((10, 70), (0.1**2 + 0.25**2) / 2),  # what is left of a cell does not count
        ((1, 2), 0.075**2),
    ],
)
def test_a_picture_smaller_than_a_cell_is_one(size: tuple[int, int], expected: float) -> None:
    x = torch.full((1, 3, *size), 0.25)
    x[..., : min(32, size[1] // 2)] = 0.6
    for picture in (x, x.mT):
        assert float(brightness(picture, 32)) == pytest.approx(expected, rel=1e-3)


def test_chrominance_of_three_means() -> None:
    red_green, red_blue, green_blue = 0.2**2, 0.3**2, 0.1**2
    expected = (red_green**2 + red_blue**2 + green_blue**2) ** 0.5
    assert float(chrominance(coloured(0.5, 0.3, 0.2))) == pytest.approx(expected, rel=1e-5)
    assert float(chrominance(coloured(0.2, 0.5, 0.3))) == pytest.approx(expected, rel=1e-5)
    assert float(chrominance(coloured(0.4, 0.4, 0.4))) < 1e-12
    pair = torch.cat([coloured(0.5, 0.3, 0.2), coloured(0.4, 0.4, 0.4)])
    assert float(chrominance(pair)) == pytest.approx(expected / 2, rel=1e-5)


@pytest.mark.parametrize("grey", [0.0, 0.5, 1.0])
def test_gradients_at_grey_are_finite(grey: float) -> None:
    x = torch.full((1, 3, 16, 16), grey, requires_grad=True)
    (colour,) = torch.autograd.grad(chrominance(x), x)
    assert not colour.any()
    (light,) = torch.autograd.grad(brightness(x, 8), x)
    torch.testing.assert_close(light, torch.full_like(x, 2 * (grey - 0.5) / x.numel()))


def test_gradients_pull_to_normal_exposure_and_grey() -> None:
    x = coloured(0.5, 0.3, 0.2).requires_grad_()
    red, green, blue = torch.autograd.grad(chrominance(x), x)[0].mean((0, 2, 3))
    assert red > 0 > blue and red > green > blue
    assert bool((torch.autograd.grad(brightness(x, 8), x)[0] < 0).all())  # too dark
