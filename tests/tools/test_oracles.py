"""Oracles: they find what was done, and are never below what they contain."""

from __future__ import annotations

import numpy as np
import pytest

from ldrps.tools import BASELINES, ORACLES
from ldrps.tools.oracles import gain_offset, roundtrip, tone


def picture(height: int = 70, width: int = 83, seed: int = 0) -> np.ndarray:
    coarse = np.random.default_rng(seed).uniform(0.05, 0.95, (7, 9, 3))
    return np.kron(coarse, np.ones((10, 10, 1)))[:height, :width].astype(np.float32)


def error(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.sqrt(np.mean((a.astype(np.float64) - b) ** 2)))


def test_registry_marks_them():
    assert all(name == oracle.name and name.startswith("oracle-") for name, oracle in ORACLES.items())
    assert not ORACLES.keys() & BASELINES.keys()
    assert [name for name, oracle in ORACLES.items() if oracle.needs_prior] == ["oracle-roundtrip"]


def test_gain_and_offset_are_found_per_channel():
    truth = picture()
    damaged = truth * np.array([0.3, 0.5, 0.8], np.float32) + np.array([0.1, 0.0, 0.2], np.float32)
    restored = gain_offset(damaged, truth)
    assert restored.dtype == np.float32
    np.testing.assert_allclose(restored, truth, atol=1e-5)


def test_gain_and_offset_are_least_squares():
    truth, damaged = picture(), np.clip(picture() ** 2 + 0.05 * picture(seed=1), 0, 1)
    restored = gain_offset(damaged, truth)
    for c in range(3):
        design = np.stack([damaged[..., c].ravel(), np.ones(truth[..., c].size)], axis=1)
        wanted = design @ np.linalg.lstsq(design, truth[..., c].ravel(), rcond=None)[0]
        np.testing.assert_allclose(restored[..., c].ravel(), np.clip(wanted, 0, 1), atol=1e-5)


@pytest.mark.parametrize(
    ("gain", "offset", "gamma"), [(0.15, 0.0, 1.0), (0.4, 0.5, 1.0), (0.8, 0.05, 0.5), (0.5, 0.0, 2.2)]
)
def test_tone_curve_is_found(gain, offset, gamma):
    truth = picture(128, 128)[:64, :64]
    damaged = (gain * truth ** (1 / gamma) + offset).astype(np.float32)
    assert error(tone(damaged, truth), truth) < 0.004


def test_tone_is_no_worse_than_gain_and_offset_on_a_curve_it_does_not_know():
    truth = picture(64, 64)
    damaged = (0.5 + 0.3 * np.sin(2 * truth - 1)).astype(np.float32)
    assert error(tone(damaged, truth), truth) <= error(gain_offset(damaged, truth), truth) + 1e-4


@pytest.mark.parametrize("oracle", [gain_offset, tone])
def test_flat_pictures(oracle):
    truth = picture()
    flat = oracle(np.full_like(truth, 0.5), truth)
    np.testing.assert_allclose(flat, np.broadcast_to(truth.mean((0, 1)), truth.shape), atol=0.03)
    assert not oracle(truth, np.zeros_like(truth)).any()
    black = oracle(np.zeros_like(truth), truth)
    assert np.isfinite(black).all()


def test_roundtrip_goes_through_the_autoencoder(tiny_prior):
    truth = picture(45, 51)  # no multiples of anything
    restored = roundtrip(truth, tiny_prior)
    assert restored.dtype == np.float32 and restored.shape == truth.shape
    assert restored.min() >= 0 and restored.max() <= 1
    assert 0 < error(restored, truth) < 0.2
    assert np.array_equal(restored, ORACLES["oracle-roundtrip"].function(truth, tiny_prior))
