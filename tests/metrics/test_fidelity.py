"""PSNR against its formula and scikit-image; what a score says of itself."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import torch
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio
from torch import Tensor

import ldrps.metrics
from ldrps.metrics import Score, luma, psnr
from ldrps.metrics.pictures import LUMA


def random_pair(height: int = 23, width: int = 31) -> tuple[Tensor, Tensor]:
    x, y = torch.rand(2, 3, height, width, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return x, (0.9 * x + 0.1 * y)


@pytest.mark.parametrize("difference", [0.5, 0.1, 1 / 255])
def test_psnr_of_a_constant_difference(difference: float) -> None:
    x = torch.full((3, 5, 7), 0.25, dtype=torch.float64)
    assert psnr(x + difference, x).value == pytest.approx(-20 * math.log10(difference), abs=1e-9)
    # On luma the same difference of greys is 219 / 255 of it.
    wanted = -20 * math.log10(difference * 219 / 255)
    assert psnr(x + difference, x, channel="y").value == pytest.approx(wanted, abs=1e-4)


@pytest.mark.parametrize("border", [0, 3])
def test_psnr_is_scikit_images(border: int) -> None:
    x, y = random_pair()
    inner = (..., slice(border, 23 - border), slice(border, 31 - border))
    for channel, a, b in (("rgb", x, y), ("y", luma(x), luma(y))):
        wanted = peak_signal_noise_ratio(a[inner].numpy(), b[inner].numpy(), data_range=1)
        assert psnr(y, x, channel, border).value == pytest.approx(wanted, abs=1e-10)


def test_psnr_of_images_is_scikit_images_of_their_bytes() -> None:
    x, y = np.random.default_rng(0).integers(0, 256, (2, 9, 8, 3), dtype=np.uint8)
    score = psnr(Image.fromarray(x), Image.fromarray(y))
    assert score.value == pytest.approx(peak_signal_noise_ratio(x, y), abs=1e-10)


def test_one_mean_over_all_pixels_and_channels_not_a_mean_of_decibels() -> None:
    x = torch.full((3, 4, 4), 0.5, dtype=torch.float64)
    y = x.clone()
    y[0] += 0.3
    assert psnr(y, x).value == pytest.approx(-10 * math.log10(0.09 / 3))


def test_the_border_leaves_out_what_is_in_it() -> None:
    x, _ = random_pair()
    y = x.clone()
    y[:, 0] = y[:, -1] = 0
    y[..., 0] = y[..., -1] = 0
    assert psnr(y, x).value < 30
    assert psnr(y, x, border=1).value == math.inf


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (3, 2)])
def test_tiny_pictures_have_a_psnr(size: tuple[int, int]) -> None:
    assert psnr(torch.zeros(3, *size), torch.full((3, *size), 0.1)).value == pytest.approx(20, abs=1e-6)


def test_the_two_ends() -> None:
    x, _ = random_pair()
    for channel in ("rgb", "y"):
        same = psnr(x, x.clone(), channel)
        assert (same.value, same.text()) == (math.inf, "inf")
    worst = psnr(torch.zeros(3, 4, 4), torch.ones(3, 4, 4))
    assert (worst.value, worst.text()) == (0, "0.00 dB")


def test_the_protocol_tells_all_that_the_value_depends_on() -> None:
    x, y = random_pair()
    score = psnr(x, y)
    assert (score.name, score.protocol) == ("psnr", {"channel": "rgb", "border": 0, "peak": 1.0})
    assert psnr(x, y, "y", 2).protocol == {"channel": "y", "luma": LUMA, "border": 2, "peak": 1.0}
    assert json.loads(json.dumps(score.protocol)) == score.protocol


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("psnr", 23.4851, "23.49 dB"),
        ("ssim", 0.81144, "0.8114"),
        ("ms-ssim", 1.0, "1.0000"),
        ("lpips", 0.12345678, "0.1235"),
        ("niqe", 3.456, "3.46"),
        ("niqe", math.inf, "inf"),
        ("ciede2000", 12.0, "12.00"),
        ("some other", 0.5, "0.5000"),
    ],
)
def test_a_score_in_words(name: str, value: float, text: str) -> None:
    score = Score(name, value, {})
    assert score.text() == text
    assert float(score) == value


def test_all_that_is_offered_is_there_and_nothing_else() -> None:
    for name in ldrps.metrics.__all__:
        assert getattr(ldrps.metrics, name) is not None
        assert name in dir(ldrps.metrics)
    assert callable(ldrps.metrics.psnr) and callable(ldrps.metrics.ssim), "no module took a function's place"
    with pytest.raises(AttributeError, match="no attribute 'psnrr'"):
        _ = ldrps.metrics.psnrr
