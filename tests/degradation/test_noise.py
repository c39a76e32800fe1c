"""Noise: its mean and its variance, by many draws."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from conftest import photo
from torch import Tensor

from ldrps.degradation import (
    BayerNoise,
    GrainNoise,
    JpegResidue,
    Noise,
    PoissonNoise,
    ReducedNoise,
    SharedNoise,
    ShotReadNoise,
    WhiteNoise,
    from_plain,
)
from ldrps.degradation.bayer import usual_read

GAINS = torch.tensor([1.8, 1.0, 1.5])
NOISES: dict[str, Noise] = {
    "white": WhiteNoise(torch.tensor([0.05, 0.2])),
    "counts": PoissonNoise(40.0),
    "counts of light": PoissonNoise(4000.0, "linear"),
    "shot and read": ShotReadNoise(torch.tensor([0.002, 0.01]), 0.02, "srgb"),
    "shot and read of light": ShotReadNoise(1e-5, 3e-4),
    "shared": SharedNoise(0.1, torch.tensor([0.3, 0.0]), torch.tensor([0.0, 0.4])),
    "reduced": ReducedNoise(0.1, 1.7),
    "bayer": BayerNoise(1e-5, 3e-4, GAINS),
    "bayer, another phase": BayerNoise(torch.tensor([1e-5, 2e-5]), 3e-4, GAINS.repeat(2, 1), (1, 0)),
    "bayer, by gradients": BayerNoise(1e-5, 3e-4, GAINS, (0, 1), "gradients"),
    "grain": GrainNoise(torch.tensor([0.05, 0.02]), 1.2, torch.tensor([0.1, 0.7])),
}


def levels() -> Tensor:
    """Two pictures of four levels, each level a column, [2, 3, 6, 8]."""
    return torch.tensor([0.1, 0.3, 0.5, 0.8], dtype=torch.float64).repeat_interleave(2).expand(2, 3, 6, 8).contiguous()


@pytest.mark.parametrize("noise", NOISES.values(), ids=NOISES)
def test_mean_and_variance_of_a_million_draws(noise: Noise) -> None:
    x, random = levels(), np.random.default_rng(0)
    draws = torch.stack([noise.sample(x, random) for _ in range(3500)])  # 288 values each
    wanted = noise.variance(x)
    assert wanted.shape == x.shape
    error = (wanted / len(draws)).sqrt()
    # The curve of sRGB bends: the mean of what is drawn in linear light is exact there, and here nearly.
    bent = isinstance(noise, BayerNoise) or getattr(noise, "domain", "srgb") == "linear"
    assert bool(((draws.mean(0) - x).abs() < 5 * error + bent * 0.05 * wanted.sqrt()).all())
    found = draws.var(0)
    assert float((found / wanted - 1).abs().max()) < 0.15
    assert float((found / wanted).mean()) == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("noise", NOISES.values(), ids=NOISES)
def test_it_is_of_its_generator_type_and_plain_data(noise: Noise) -> None:
    x = levels()
    first, again, other = (noise.sample(x, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert noise.sample(x.float(), np.random.default_rng(1)).dtype == torch.float32
    twin = from_plain(json.loads(json.dumps(noise.plain())))
    assert isinstance(twin, Noise) and twin.words() == noise.words()
    torch.testing.assert_close(twin.sample(x, np.random.default_rng(1)), first, rtol=0, atol=1e-6)


def test_draws_are_in_the_order_of_a_file() -> None:
    drawn = WhiteNoise(1.0).sample(torch.zeros(1, 3, 4, 5).double(), np.random.default_rng(3))
    wanted = np.random.default_rng(3).standard_normal((4, 5, 3))
    np.testing.assert_array_equal(drawn[0].permute(1, 2, 0).numpy(), wanted)


def correlation(n: Tensor, m: Tensor) -> float:
    return float((n * m).mean() / (n.square().mean() * m.square().mean()).sqrt())


def test_neighbours_and_channels_share_what_is_said() -> None:
    n = SharedNoise(1.0, 0.4).sample(torch.zeros(1, 3, 200, 200).double(), np.random.default_rng(0))
    wanted = 2 * 0.4 / (1 + 2 * 0.4**2)
    assert correlation(n[..., 1:], n[..., :-1]) == pytest.approx(wanted, abs=0.02)
    assert correlation(n[..., 1:, :], n[..., :-1, :]) == pytest.approx(wanted, abs=0.02)
    assert abs(correlation(n[:, 0], n[:, 1])) < 0.02
    one = SharedNoise(1.0, channels=1.0).sample(torch.zeros(1, 3, 50, 50).double(), np.random.default_rng(0))
    torch.testing.assert_close(one[:, 0], one[:, 2])


def test_grain_is_of_luma_or_of_colour_as_coarse_as_said() -> None:
    x, random = torch.full((1, 3, 200, 200), 0.5).double(), np.random.default_rng(0)
    grey, colour = (GrainNoise(0.05, 1.5, share).sample(x, random) - x for share in (0.0, 1.0))
    torch.testing.assert_close(grey[:, 0], grey[:, 2])
    assert float(colour.mean(1).abs().max()) < 1e-12
    for n in (grey, colour):
        assert correlation(n[..., 1:], n[..., :-1]) == pytest.approx(np.exp(-1 / (4 * 1.5**2)), abs=0.03)


def test_a_mosaic_without_noise_is_the_picture_and_gradients_pass_flat_light() -> None:
    """Every filter takes even light for what it is: its weights sum to one at each place."""
    noise = BayerNoise(0.0, 1.0, torch.ones(3), (1, 0), "gradients")
    even = torch.ones(1, 3, 8, 10).double()
    padded = torch.nn.functional.pad(even, (2, 2, 2, 2)) + 0
    padded[...] = 1.0
    seen = noise._filters(padded) * padded
    torch.testing.assert_close(noise._demosaicked(seen), even)


@pytest.mark.parametrize("size", [(1, 1), (1, 4), (2, 3), (3, 3), (9, 8)])
def test_a_mosaic_goes_on_beyond_the_edge_of_the_smallest_picture(size: tuple[int, int]) -> None:
    light = torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(0)).double()
    seen = BayerNoise(1e-3, 1e-3, torch.ones(3), (1, 0), "gradients")._beyond(light)
    mirrored = np.pad(light.numpy(), ((0, 0), (0, 0), (2, 2), (2, 2)), mode="reflect")
    assert np.array_equal(seen.numpy(), mirrored)


def test_read_noise_goes_with_shot_noise() -> None:
    assert usual_read(1e-3) == pytest.approx(np.exp((2.18 * np.log(1e-3) + 1.2) / 2))
    assert usual_read(1e-3) > 3 * usual_read(3e-4)
    assert usual_read(1e-3, 0.5) == pytest.approx(usual_read(1e-3) * np.exp(0.25))


def test_a_mosaic_leaves_coarse_noise_in_red_and_blue() -> None:
    n = BayerNoise(0.0, 0.01, torch.ones(3)).sample(
        torch.full((1, 3, 200, 200), 0.5).double(), np.random.default_rng(0)
    )
    n = n - 0.5
    red, green = (correlation(n[:, c, :, 1:], n[:, c, :, :-1]) for c in (0, 1))
    assert red > green > 0.1 and red > 0.5
    assert float(n[:, 0].var()) < float(n[:, 1].var()), "red is a mean more often than green"


@pytest.mark.parametrize("sigma", [0.05, 0.08])
def test_jpeg_residue_is_of_the_size_that_is_said(sigma: float) -> None:
    x = photo(64).double()
    seen = JpegResidue(torch.tensor([sigma])).sample(x, np.random.default_rng(0))
    assert float((seen - x).square().mean().sqrt()) == pytest.approx(sigma, rel=0.35)
    assert torch.equal(JpegResidue(0.0).sample(x, np.random.default_rng(0)), x)
    torch.testing.assert_close(JpegResidue(sigma).variance(x), torch.full_like(x, sigma**2))
