"""Pictures of which a part is hidden, with the prior of the package: they are judged by what can be seen of them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

import ldrps
from ldrps import Prior, Restorer, Settings
from ldrps.image.picture import Picture

SIDE = 128


@pytest.fixture(scope="module")
def embedded() -> Prior:
    return ldrps.load_prior()


def picture(sigma: float) -> np.ndarray:
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE
    shape = 0.45 + 0.25 * np.sin(7 * x) * np.cos(5 * y) + 0.15 * (np.hypot(x - 0.45, y - 0.5) < 0.22)
    colours = np.stack([shape, 0.9 * shape + 0.05 * x, 0.8 * shape + 0.1 * y], -1)
    grain = np.random.default_rng(3).normal(0, sigma / 255, colours.shape)
    return (255 * (colours + grain)).clip(0, 255).round().astype(np.uint8)


def disc(soft: float) -> np.ndarray:
    y, x = np.mgrid[:SIDE, :SIDE]
    away = np.hypot(y - SIDE / 2, x - SIDE / 2)
    return (255 * ((45 + soft - away) / max(soft, 1e-9)).clip(0, 1)).round().astype(np.uint8)


def cut_out(levels: np.ndarray, alpha: np.ndarray, hidden: int) -> Image.Image:
    return Image.fromarray(np.dstack([np.where(alpha[..., None] > 0, levels, hidden).astype(np.uint8), alpha]))


def without_tone() -> Settings:
    """The settings of the default that leave tones alone: those of such a picture are guessed at."""
    return Settings().with_strengths(skip=["tone"])


SOFT = pytest.mark.parametrize("soft", [0.0, 12.0], ids=["hard", "soft"])


@SOFT
@pytest.mark.parametrize("sigma", [0, 15])
def test_what_is_hidden_decides_nothing(sigma: float, soft: float, embedded: Prior) -> None:
    alpha = disc(soft)
    sure = Settings().with_knowledge(undamaged=0.02)  # such a picture is no photograph, and may be right as it is
    black, white = (Restorer(embedded, sure)(cut_out(picture(sigma), alpha, hidden)) for hidden in (0, 255))
    assert black.findings == white.findings and black.damage.tone.share > 0.9
    assert np.array_equal(black.levels[alpha > 0], white.levels[alpha > 0])
    assert not black.levels[alpha == 0].any() and (white.levels[alpha == 0][:, :3] == 255).all()


@SOFT
def test_it_is_denoised_as_if_all_were_visible(soft: float, embedded: Prior) -> None:
    alpha, noisy = disc(soft), picture(15)
    restorer = Restorer(embedded, without_tone())
    opaque, result = restorer(noisy), restorer(cut_out(noisy, alpha, 0))
    assert result.damage.noise_deviation == pytest.approx(opaque.damage.noise_deviation, rel=0.15)
    shown = alpha == 255
    apart = result.levels[shown][:, :3].astype(float) - opaque.levels[shown]
    assert 10 * np.log10(255**2 / (apart**2).mean()) > 36


@SOFT
def test_a_clean_one_is_left_alone(soft: float, embedded: Prior) -> None:
    assert Restorer(embedded, without_tone())(cut_out(picture(0), disc(soft), 0)).unchanged


@pytest.mark.parametrize("working_size", [0, 64])
def test_sixteen_bits_and_a_working_size_keep_what_is_hidden(working_size: int, embedded: Prior) -> None:
    rng = np.random.default_rng(2)
    levels = (picture(15) * 257.0 + rng.integers(-99, 99, (SIDE, SIDE, 3))).clip(0, 65535).astype(np.uint16)
    alpha = disc(12.0).astype(np.uint16) * 257
    rgb = torch.from_numpy((levels / 65535).astype(np.float32)).permute(2, 0, 1)[None]
    source = Picture(rgb, alpha=Image.fromarray(alpha), bits=16)
    result = Restorer(embedded, Settings(working_size=working_size))(source)
    assert result.levels.dtype == np.uint16 and not result.unchanged
    assert np.array_equal(result.levels[..., 3], alpha)
    assert np.array_equal(result.levels[alpha == 0][:, :3], levels[alpha == 0])
