from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from ldrps.train.noise import random_noise

COUNT = 300


def drawn(seed: int = 0, count: int = COUNT, side: int = 48) -> Tensor:
    return random_noise(np.random.default_rng(seed), (count, 3, side, side))


def neighbours(noise: Tensor) -> Tensor:
    """The correlation of pixels side by side and one above the other, [B, 2]."""
    power = noise.square().mean((1, 2, 3))
    across = (noise[..., 1:] * noise[..., :-1]).mean((1, 2, 3)) / power
    down = (noise[..., 1:, :] * noise[..., :-1, :]).mean((1, 2, 3)) / power
    return torch.stack([across, down], 1)


@pytest.fixture(scope="module")
def noise() -> Tensor:
    return drawn()


@pytest.fixture(scope="module")
def coloured(noise: Tensor) -> Tensor:
    """Which of them neighbours share so far that chance does not explain it: a above 0.05, two thirds of that half."""
    return neighbours(noise).mean(1) > 0.1


@pytest.mark.parametrize("shape", [(1, 3, 8, 8), (5, 3, 17, 40)])
def test_shape_and_type(shape: tuple[int, ...]) -> None:
    found = random_noise(np.random.default_rng(0), shape)
    assert found.shape == shape and found.dtype == torch.float32


def test_the_same_generator_draws_the_same() -> None:
    assert torch.equal(drawn(3, 9), drawn(3, 9))
    assert not torch.equal(drawn(3, 9), drawn(4, 9))


def test_each_picture_has_variance_one_and_is_noise(noise: Tensor) -> None:
    # The smoothest has the worth of a quarter of its pixels, in channels that may be one.
    torch.testing.assert_close(noise.square().mean((1, 2, 3)), torch.ones(COUNT), atol=0.2, rtol=0)
    assert float(noise.square().mean((1, 2, 3)).mean()) == pytest.approx(1, abs=0.01)
    assert float(noise.mean((1, 2, 3)).abs().max()) < 5 * 3 / 48
    kurtosis = noise.pow(4).mean((1, 2, 3)) / noise.square().mean((1, 2, 3)).square()
    torch.testing.assert_close(kurtosis.mean(), torch.tensor(3.0), atol=0.05, rtol=0)


def test_more_than_half_is_as_good_as_white(noise: Tensor, coloured: Tensor) -> None:
    assert float(coloured.float().mean()) == pytest.approx(0.5 * (1 - 0.1**0.5), abs=0.1)
    of_white = noise[neighbours(noise).abs().amax(1) < 0.05]
    assert len(of_white) > COUNT / 3
    assert float((of_white[:, 0] * of_white[:, 1]).mean((1, 2)).abs().median()) < 2 / 48


def test_the_rest_is_shared_with_neighbours_as_announced(noise: Tensor, coloured: Tensor) -> None:
    found = neighbours(noise[coloured])
    assert float(found.max()) < 0.72 and float(found.max()) > 0.55, "some two thirds"
    torch.testing.assert_close(found[:, 0], found[:, 1], atol=0.12, rtol=0)


def test_some_share_it_among_channels(noise: Tensor, coloured: Tensor) -> None:
    of_colours = (noise[:, 0] * noise[:, 1]).mean((1, 2)) / noise.square().mean((1, 2, 3))
    shared = of_colours[coloured] > 0.15
    assert 0.1 < float(shared.float().mean()) < 0.3
    assert float(of_colours[coloured].max()) <= 1.1
