"""Tones set to fixed figures: known answers, and what holds for all of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from ldrps.image.tones import autogamma, meanstd, stretch

RNG = np.random.default_rng(3)
PICTURE = (0.2 + 0.7 * RNG.random((71, 93, 3))).astype(np.float32)


@pytest.mark.parametrize("tool", [autogamma, stretch, meanstd])
def test_a_new_picture_in_range(tool: Callable[[NDArray[np.float32]], NDArray[np.float32]]) -> None:
    before = PICTURE.copy()
    y = tool(PICTURE)
    assert (y.dtype, y.shape) == (np.float32, PICTURE.shape) and y.min() >= 0 and y.max() <= 1
    assert np.array_equal(PICTURE, before) and not np.shares_memory(PICTURE, y)


@pytest.mark.parametrize("tool", [stretch, meanstd])
def test_a_flat_picture_comes_back_as_it_is(tool: Callable[[NDArray[np.float32]], NDArray[np.float32]]) -> None:
    flat = np.full((8, 9, 3), 0.3, np.float32)
    assert np.array_equal(tool(flat), flat)


def test_autogamma() -> None:
    dark = PICTURE * np.float32(0.2)
    y = autogamma(dark)
    assert y.mean() == pytest.approx(0.5, abs=1e-4)
    np.testing.assert_allclose(autogamma(y), y, atol=1e-3)
    assert (np.diff(y.ravel()[np.argsort(dark, axis=None)]) >= 0).all(), "what was lighter is not darker"


def test_stretch() -> None:
    x = np.tile(np.linspace(0.2, 0.6, 1001, dtype=np.float32)[None, :, None], (2, 1, 3))
    y = stretch(x)
    assert (y == 0).mean() == pytest.approx(0.005, abs=0.001) and (y == 1).mean() == pytest.approx(0.005, abs=0.001)
    np.testing.assert_allclose(y[0, 10:-10, 0], (x[0, 10:-10, 0] - 0.202) / 0.396, atol=1e-5)
    cast = x * np.array([1, 0.8, 0.5], np.float32)
    assert stretch(cast)[0, -1, 2] < 0.5  # one gain and offset: colours keep their order


def test_meanstd() -> None:
    y = meanstd(PICTURE * np.float32(0.3) + np.float32(0.5))
    assert y.mean() == pytest.approx(0.45, abs=0.02) and y.std() == pytest.approx(0.25, abs=0.02)
