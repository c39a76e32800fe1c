"""SSIM and MS-SSIM against scikit-image, SciPy and their formulae."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from skimage.metrics import structural_similarity
from torch import Tensor

from ldrps.errors import InputError
from ldrps.metrics import luma, ms_ssim, ssim
from ldrps.metrics.filters import gaussian, valid_blur

C1, C2 = 0.01**2, 0.03**2
WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)


def photo(height: int = 40, width: int = 53, seed: int = 0) -> Tensor:
    """Smooth shapes and some grain, [3, H, W] in [0, 1]."""
    rng = np.random.default_rng(seed)
    smooth = gaussian_filter(rng.normal(size=(3, height, width)), (0, 4, 4))
    grain = smooth / np.abs(smooth).max() * 0.4 + 0.5 + rng.normal(0, 0.02, smooth.shape)
    return torch.from_numpy(grain.clip(0, 1))


def noisy(x: Tensor, sigma: float = 0.1) -> Tensor:
    noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(1), dtype=x.dtype)
    return (x + sigma * noise).clamp(0, 1)


def skimage_ssim(x: np.ndarray, y: np.ndarray) -> float:
    """The mean of scikit-image's map where its window of 11 fits."""
    keywords = {"data_range": 1, "gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "full": True}
    _, full = structural_similarity(x, y, **keywords)
    return float(full[5:-5, 5:-5].mean())


def slow_ms_ssim(x: np.ndarray, y: np.ndarray) -> float:
    """One channel, by SciPy's Gaussian filter and the formulae of the paper."""

    def blur(z: np.ndarray) -> np.ndarray:
        return gaussian_filter(z, 1.5, truncate=3.5)[5:-5, 5:-5]

    product = 1.0
    for scale, weight in enumerate(WEIGHTS):
        mx, my = blur(x), blur(y)
        vx, vy, cov = blur(x * x) - mx**2, blur(y * y) - my**2, blur(x * y) - mx * my
        value = (2 * cov + C2) / (vx + vy + C2)
        if scale == 4:
            value = value * (2 * mx * my + C1) / (mx**2 + my**2 + C1)
        product *= max(value.mean(), 0) ** weight
        height, width = (side // 2 * 2 for side in x.shape)
        x, y = (z[:height, :width].reshape(height // 2, 2, width // 2, 2).mean((1, 3)) for z in (x, y))
    return product


@pytest.mark.parametrize("border", [0, 4])
@pytest.mark.parametrize("sigma", [0.02, 0.3])
def test_ssim_is_scikit_images(border: int, sigma: float) -> None:
    x = photo()
    y = noisy(x, sigma)
    inner = (..., slice(border, 40 - border), slice(border, 53 - border))
    a, b = (z[inner].numpy() for z in (x, y))
    wanted = np.mean([skimage_ssim(*each) for each in zip(a, b, strict=True)])
    assert ssim(y, x, "rgb", border).value == pytest.approx(wanted, abs=1e-10)
    a, b = (luma(z)[0][inner].numpy() for z in (x, y))
    assert ssim(y, x, "y", border).value == pytest.approx(skimage_ssim(a, b), abs=1e-10)


@pytest.mark.parametrize("size", [(176, 176), (181, 203)])
def test_ms_ssim_is_that_of_the_formulae(size: tuple[int, int]) -> None:
    x = photo(*size)
    y = noisy(x)
    wanted = np.mean([slow_ms_ssim(a.numpy(), b.numpy()) for a, b in zip(x, y, strict=True)])
    assert ms_ssim(y, x, "rgb").value == pytest.approx(wanted, abs=1e-10)
    wanted = slow_ms_ssim(luma(x)[0].numpy(), luma(y)[0].numpy())
    assert ms_ssim(y, x).value == pytest.approx(wanted, abs=1e-10)


def test_the_window_is_scipys() -> None:
    x = photo()[0]
    wanted = gaussian_filter(x.numpy(), 1.5, truncate=3.5)[5:-5, 5:-5]
    np.testing.assert_allclose(valid_blur(x, gaussian(11, 1.5)).numpy(), wanted, rtol=0, atol=1e-14)
    assert float(gaussian(11, 1.5).sum()) == pytest.approx(1, abs=1e-15)


@pytest.mark.parametrize("metric", [ssim, ms_ssim])
def test_identical_pictures_are_1_and_noise_lowers_it(metric) -> None:
    x = photo(180, 180)
    assert metric(x, x.clone()).value == pytest.approx(1, abs=1e-12)
    assert metric(x, x.clone()).text() == "1.0000"
    values = [metric(noisy(x, sigma), x).value for sigma in (0.02, 0.1, 0.3)]
    assert 1 > values[0] > values[1] > values[2] > 0
    assert metric(noisy(x), x).value == pytest.approx(metric(x, noisy(x)).value, abs=1e-12), "it is symmetric"


def test_constant_pictures_differ_by_their_luminance_alone() -> None:
    x, y = (torch.full((3, 176, 176), value, dtype=torch.float64) for value in (0.2, 0.7))
    luminance = (2 * 0.2 * 0.7 + C1) / (0.2**2 + 0.7**2 + C1)
    assert ssim(x, y, "rgb").value == pytest.approx(luminance, abs=1e-9)
    assert ms_ssim(x, y, "rgb").value == pytest.approx(luminance ** WEIGHTS[-1], abs=1e-9)
    assert ssim(x, x).value == pytest.approx(1, abs=1e-12)


def test_opposed_structure_is_negative_and_counts_as_0_over_the_scales() -> None:
    x = torch.rand(3, 180, 180, generator=torch.Generator().manual_seed(0))
    assert -1 <= ssim(1 - x, x).value < -0.5
    assert ms_ssim(1 - x, x).value == 0


def test_opposed_structure_in_one_channel_leaves_the_others() -> None:
    x = torch.rand(3, 180, 180, generator=torch.Generator().manual_seed(0))
    y = x.clone()
    y[1] = 1 - y[1]
    assert ms_ssim(y, x, "rgb").value == pytest.approx(2 / 3, abs=1e-9)


@pytest.mark.parametrize(("metric", "name", "least"), [(ssim, "SSIM", 11), (ms_ssim, "MS-SSIM", 176)])
def test_pictures_below_the_least_size_are_refused(metric, name: str, least: int) -> None:
    x = torch.rand(3, least, least + 5, generator=torch.Generator().manual_seed(0))
    assert metric(x, x).value == pytest.approx(1)
    small = x[:, 1:]
    wide = least + 5
    with pytest.raises(InputError, match=f"are {wide}x{least - 1}: {name} needs {least} pixels a side, give larger"):
        metric(small, small)
    with pytest.raises(InputError, match=f"are {wide - 2}x{least - 2} without a border of 1: {name} needs {least}"):
        metric(x, x, border=1)


def test_the_protocol_tells_window_covariance_and_scales() -> None:
    x = photo(180, 180)
    single, several = ssim(x, x, "rgb", 2), ms_ssim(x, x)
    assert (single.name, several.name) == ("ssim", "ms-ssim")
    wanted = {"window": "11x11 Gaussian, sigma 1.5, where it fits", "covariance": "population", "k": [0.01, 0.03]}
    assert single.protocol == {**wanted, "channel": "rgb", "border": 2, "data_range": 1.0}
    assert several.protocol["channel"] == "y" and "luma" in several.protocol
    assert several.protocol["weights"] == list(WEIGHTS) and several.protocol["halving"] == "2x2 mean"
    assert json.loads(json.dumps(several.protocol)) == several.protocol
