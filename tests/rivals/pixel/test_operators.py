from __future__ import annotations

import math

import pytest
import torch

from ldrps.errors import InputError
from ldrps.image.tiles import Window
from ldrps.rivals.pixel.operators import blurred, grey, masked, pooled

X = torch.rand((1, 3, 24, 32), generator=torch.Generator().manual_seed(0))


def test_pooling_keeps_what_blocks_tell() -> None:
    means = pooled(24, 32)
    found = means.degradation(X)
    torch.testing.assert_close(found[0, 1, 1, 2], X[0, 1, 4:8, 8:12].mean())
    blocks = found.repeat_interleave(4, -1).repeat_interleave(4, -2)
    torch.testing.assert_close(means.observed(blocks), found)
    assert means.at(Window(4, 8, 8, 8)).observed(X[..., 4:12, 8:16]).shape == (1, 3, 2, 2)
    with pytest.raises(InputError, match="32x24 has no whole blocks of 5 pixels"):
        pooled(24, 32, 5)


def test_a_mask_hides_pixels_and_follows_the_patch() -> None:
    mask = torch.ones(1, 1, 24, 32)
    mask[..., :8] = 0
    hidden = masked(mask)
    assert not hidden.degradation(X)[..., :8].any() and torch.equal(hidden.observed(X)[..., 8:], X[..., 8:])
    part = hidden.at(Window(0, 4, 24, 32))  # four columns beyond the border
    for found in (part.degradation(X), part.observed(X)):
        assert not found[..., :4].any() and not found[..., -4:].any()
        assert torch.equal(found[..., 4:-4], X[..., 4:-4])
    with pytest.raises(InputError, match="8x8 has a mask of 32x24: give one of its size"):
        hidden.degradation(X[..., :8, :8])


def test_a_blur_is_a_convolution_without_padding() -> None:
    blur = blurred(deviation=1.5)
    found = blur.degradation(X)
    assert found.shape == blur.observed(X).shape == (1, 3, 16, 24)
    weights = [[math.exp(-(i * i + j * j) / (2 * 1.5**2)) for j in range(-4, 5)] for i in range(-4, 5)]
    total = sum(map(sum, weights))
    wanted = sum(weights[i][j] * float(X[0, 2, 3 + i, 5 + j]) for i in range(9) for j in range(9)) / total
    assert float(found[0, 2, 3, 5]) == pytest.approx(wanted, rel=1e-5)
    assert torch.equal(blur.observed(X), X[..., 4:-4, 4:-4])


def test_grey_is_the_mean_of_the_channels() -> None:
    torch.testing.assert_close(grey().degradation(X)[:, 0], X.mean(1))
    same = X[:, :1].expand(-1, 3, -1, -1)
    torch.testing.assert_close(grey().observed(same), X[:, :1])


def test_published_scales() -> None:
    known = masked(torch.ones(1, 1, 1, 1))
    assert [each.scale for each in (pooled(4, 4), known, blurred(), grey())] == [2000, 4000, 6000, 6000]
    assert grey().colour == 500 and not blurred().colour
