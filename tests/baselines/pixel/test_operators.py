from __future__ import annotations

import math

import pytest
import torch

from ldrps.baselines.pixel.operators import Blurred, Grey, Masked, Pooled
from ldrps.errors import InputError
from ldrps.image.tiles import Window

X = torch.rand((1, 3, 24, 32), generator=torch.Generator().manual_seed(0))


def test_pooling_keeps_what_blocks_tell() -> None:
    pooled = Pooled().degrade(X)
    assert pooled.shape == X.shape
    torch.testing.assert_close(pooled[0, 1, 4:8, 8:12], X[0, 1, 4:8, 8:12].mean().expand(4, 4))
    torch.testing.assert_close(Pooled().degrade(pooled), pooled)  # H H-pinv is nothing
    with pytest.raises(InputError, match="32x24 has no whole blocks of 5 pixels"):
        Pooled(5).degrade(X)


def test_a_mask_hides_pixels_and_follows_the_patch() -> None:
    mask = torch.ones(1, 1, 24, 32)
    mask[..., :8] = 0
    hidden = Masked(mask)
    assert not hidden.degrade(X)[..., :8].any() and torch.equal(hidden.degrade(X)[..., 8:], X[..., 8:])
    part = hidden.at(Window(0, 4, 24, 32))  # four columns beyond the border
    assert not part.degrade(X)[..., :4].any() and not part.degrade(X)[..., -4:].any()
    assert torch.equal(part.degrade(X)[..., 4:-4], X[..., 4:-4])
    with pytest.raises(InputError, match="8x8 has a mask of 32x24: give one of its size"):
        hidden.degrade(X[..., :8, :8])


def test_a_blur_is_a_convolution_without_padding() -> None:
    blur = Blurred(deviation=1.5)
    found = blur.degrade(X)
    assert found.shape == blur.observed(X).shape == (1, 3, 16, 24)
    weights = [[math.exp(-(i * i + j * j) / (2 * 1.5**2)) for j in range(-4, 5)] for i in range(-4, 5)]
    total = sum(map(sum, weights))
    wanted = sum(weights[i][j] * float(X[0, 2, 3 + i, 5 + j]) for i in range(9) for j in range(9)) / total
    assert float(found[0, 2, 3, 5]) == pytest.approx(wanted, rel=1e-5)
    assert torch.equal(blur.observed(X), X[..., 4:-4, 4:-4])


def test_grey_is_the_mean_of_the_channels() -> None:
    torch.testing.assert_close(Grey().degrade(X)[:, 0], X.mean(1))
    assert torch.equal(Grey().degrade(X)[:, 0], Grey().degrade(X)[:, 2]) and torch.equal(Grey().observed(X), X)


def test_published_scales() -> None:
    mask = torch.ones(1, 1, 1, 1)
    assert [each.scale for each in (Pooled(), Masked(mask), Blurred(), Grey())] == [2000, 4000, 6000, 6000]
    assert Grey().colour == 500 and not Blurred().colour
