"""The picture with the fewest edges that a kernel makes a blurred one of."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from ldrps.degradation.kernels import gaussian
from ldrps.estimation.few_edges import edge_energy, gradients, in_circles, transfer_of, with_few_edges

PRICE = 2e-4


def squares() -> Tensor:
    """[64, 64], flat but for two squares, far from the edges."""
    picture = torch.full((64, 64), 0.3)
    picture[12:30, 10:40], picture[24:52, 34:50] = 0.8, 0.5
    return picture


def blurred(x: Tensor, kernel: Tensor) -> Tensor:
    return torch.fft.irfft2(transfer_of(kernel, (64, 64), x) * torch.fft.rfft2(x), s=x.shape)


def edges(x: Tensor) -> int:
    return int((gradients(x).square().sum(0) > 1e-3**2).sum())


def test_a_picture_of_few_edges_is_found_again_behind_its_blur() -> None:
    x, kernel = squares(), gaussian(1.5, 1.5)
    y = blurred(x, kernel)
    found = with_few_edges(y, transfer_of(kernel, (64, 64), y), PRICE)
    assert float((found - x).abs().mean()) < 0.25 * float((y - x).abs().mean())
    assert edges(found) < edges(y) / 2


def test_noise_is_not_worth_its_edges() -> None:
    x = squares()
    noisy = x + 2 / 255 * torch.randn(64, 64, generator=torch.Generator().manual_seed(0))
    found = with_few_edges(noisy, transfer_of(torch.ones(1, 1), (64, 64), noisy), PRICE)
    assert edges(found) <= 2 * edges(x) < edges(noisy) / 4


@pytest.mark.parametrize("sigma", [1.0, 2.0])
def test_the_true_kernel_explains_edges_best(sigma: float) -> None:
    y, weights = blurred(squares(), gaussian(sigma, sigma)), torch.ones(64, 64)
    tried = {
        factor: edge_energy(y, gaussian(factor * sigma, factor * sigma), PRICE, weights) for factor in (0.5, 1, 1.6)
    }
    assert min(tried, key=tried.__getitem__) == 1
    assert tried[1] < edge_energy(y, torch.ones(1, 1), PRICE, weights), "and better than no blur"


def test_what_does_not_count_costs_nothing() -> None:
    y, weights = squares(), torch.ones(64, 64)
    y[40:44, 4:8] = torch.rand(4, 4, generator=torch.Generator().manual_seed(0))
    whole = edge_energy(y, torch.ones(1, 1), PRICE, weights)
    weights[38:46, 2:10] = 0.0
    assert edge_energy(y, torch.ones(1, 1), PRICE, weights) < whole


def test_goes_on_smoothly_to_its_start() -> None:
    ramp = torch.linspace(0, 1, 50).expand(40, 50)
    wide = in_circles(ramp, 6)
    assert torch.equal(wide[:40, :50], ramp)
    assert all(side >= least for side, least in zip(wide.shape, (52, 62), strict=True))
    step = float((wide[:, 0] - wide[:, -1]).abs().max())
    assert step < 0.25, "where a picture of that width alone would have a step of 1"
