"""The data step on z0."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import Tensor

from ldrps.guidance.proper import proper_step

SHAPE = (2, 4, 6, 6)


def mixed(z: Tensor) -> Tensor:
    """An orthonormal map of latents to pictures, halved, as priors have it."""
    basis = torch.linalg.qr(torch.randn(4, 4, generator=torch.Generator().manual_seed(1)).to(z.dtype))[0][:3]
    return torch.einsum("cd,bdhw->bchw", basis, z) / 2


@pytest.mark.parametrize("noise", [0.01, 0.1, 10.0])
def test_a_line_is_solved(noise: float) -> None:
    """Against the closed form of a map with B B^T = 1/4 in pictures."""
    random = torch.Generator().manual_seed(0)
    z0, y = torch.randn(SHAPE, generator=random), torch.rand(1, 3, 6, 6, generator=random)
    open_ = torch.full((1, 4, 1, 1), 0.5)
    z = proper_step(mixed, z0, y, noise, open_, 8)
    share = (0.5 / 4) / (0.5 / 4 + noise**2)
    torch.testing.assert_close(mixed(z), mixed(z0) + share * (y - mixed(z0)), atol=2e-3, rtol=0)


@pytest.mark.parametrize("scale", [1.0, 50.0])
def test_the_scale_of_the_latents_does_not_matter(scale: float) -> None:
    random = torch.Generator().manual_seed(0)
    z0, y = torch.randn(SHAPE, generator=random), torch.rand(1, 3, 6, 6, generator=random)
    open_ = torch.full((1, 4, 1, 1), 0.5)
    plain = proper_step(lambda z: mixed(z).tanh(), z0, y, 0.05, open_, 2)
    scaled = proper_step(lambda z: mixed(z / scale).tanh(), scale * z0, y, 0.05, scale**2 * open_, 2)
    torch.testing.assert_close(scaled / scale, plain, atol=5e-3, rtol=0)


def test_a_bent_model_is_approached_and_no_chain_gets_worse() -> None:
    random = torch.Generator().manual_seed(0)
    z0, y = torch.randn(SHAPE, generator=random), torch.rand(1, 3, 6, 6, generator=random)
    open_ = torch.full((1, 4, 1, 1), 0.5)

    def model(z: Tensor) -> Tensor:
        return mixed(z).sigmoid() ** 2

    def objective(z: Tensor) -> Tensor:
        return ((model(z) - y).square() / 0.05**2).sum((1, 2, 3)) + ((z - z0).square() / open_).sum((1, 2, 3))

    heights = [objective(proper_step(model, z0, y, 0.05, open_, rounds)) for rounds in (0, 1, 2, 4)]
    assert all(bool((later <= before).all()) for before, later in itertools.pairwise(heights))
    assert bool((heights[2] < 0.5 * heights[0]).all())


def test_what_agrees_already_stays() -> None:
    z0 = torch.randn(1, 4, 6, 6, generator=torch.Generator().manual_seed(0))
    z = proper_step(mixed, z0, mixed(z0), 0.1, torch.ones(1, 4, 1, 1), 2)
    torch.testing.assert_close(z, z0)
    assert not z.requires_grad
