"""ZERO-IG: its parts against their formulae, and a short run."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from conftest import noisy
from numpy.typing import NDArray
from torch import Tensor, nn

from ldrps.errors import SettingsError
from ldrps.rivals.facts import RivalOptions
from ldrps.rivals.registry import build_rival
from ldrps.rivals.zero_ig.losses import alike, blurred, gain, loss_terms, smoothness
from ldrps.rivals.zero_ig.nets import Illumination, Seen, ZeroIgNet, noise_net, pair
from ldrps.rivals.zero_ig.zero_ig import ZeroIgSettings

Array = NDArray[np.float64]


def random(seed: int, *shape: int, least: float = 0.05) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return least + (1 - least) * torch.rand(shape, generator=generator, dtype=torch.float64)


def count(net: nn.Module) -> int:
    return sum(parameter.numel() for parameter in net.parameters())


@pytest.fixture(scope="module")
def seen() -> Seen:
    torch.manual_seed(0)
    with torch.no_grad():
        return ZeroIgNet().double()(random(0, 1, 3, 24, 28) * 0.3)


def test_sizes_of_the_networks() -> None:
    assert count(noise_net(3)) == 22_275
    assert count(noise_net(6)) == 23_718
    assert count(Illumination()) == 40_579


def test_a_pair_is_the_means_of_diagonals() -> None:
    x = random(1, 1, 3, 4, 6)
    first, second = pair(x)
    for i, j in np.ndindex(2, 3):
        a, b, c, d = (x[0, 1, 2 * i + di, 2 * j + dj] for di, dj in ((0, 0), (0, 1), (1, 0), (1, 1)))
        assert float(first[0, 1, i, j]) == pytest.approx(float(b + c) / 2)
        assert float(second[0, 1, i, j]) == pytest.approx(float(a + d) / 2)


def test_one_pass_sees_what_is_described(seen: Seen) -> None:
    x = random(0, 1, 3, 24, 28) * 0.3 + 1e-4
    assert torch.allclose(seen.x1, pair(x)[0]) and torch.allclose(seen.s2, pair(seen.light)[1])
    assert torch.allclose(seen.lit, (x / seen.light).clamp(1e-4, 1))
    assert torch.allclose(seen.h2, (seen.x2 / seen.s2).clamp(1e-4, 1))
    for part in (seen.clean, seen.light, seen.lit, seen.r1, seen.result, seen.light_again):
        assert float(part.min()) >= 1e-4 and float(part.max()) <= 1


def test_gain_has_limits_and_the_published_luma() -> None:
    x = torch.tensor([0.1, 0.2, 0.3], dtype=torch.float64).view(1, 3, 1, 1).expand(1, 3, 4, 4)
    assert float(gain(x)) == pytest.approx(0.5 / (0.144 * 0.1 + 0.587 * 0.2 + 0.299 * 0.3))
    assert (float(gain(x * 1e-3)), float(gain(x * 10))) == (25, 1)


def test_smoothness_by_hand() -> None:
    guide, s = random(2, 1, 3, 5, 6), random(3, 1, 3, 5, 6)
    r, g, b = guide[0].numpy()
    y = 0.299 * r + 0.587 * g + 0.114 * b
    ycbcr = np.stack([y, (b - y) / 1.772, (r - y) / 1.402])
    light = s[0].numpy()
    total = 0.0
    for down, across in np.ndindex(5, 5):
        if (down, across) == (2, 2):
            continue
        values = []
        for i, j in np.ndindex(5, 6):
            k, m = i + down - 2, j + across - 2
            if 0 <= k < 5 and 0 <= m < 6:
                weight = math.exp(-((ycbcr[:, k, m] - ycbcr[:, i, j]) ** 2).sum() / 200)
                values.append(weight * np.abs(light[:, k, m] - light[:, i, j]).sum())
        total += float(np.mean(values))
    assert float(smoothness(guide, s)) == pytest.approx(total, rel=1e-5)


def test_the_blur_is_the_root_of_an_outer_product() -> None:
    edges = np.linspace(-15 / 14, 15 / 14, 22)
    weights = np.diff([math.erf(edge / math.sqrt(2)) / 2 for edge in edges])
    kernel = np.sqrt(np.outer(weights, weights))
    kernel /= kernel.sum()
    x = random(4, 1, 3, 24, 28)
    padded = np.pad(x[0, 2].numpy(), 10, mode="reflect")
    for i, j in ((0, 0), (11, 13), (23, 27)):
        assert float(blurred(x)[0, 2, i, j]) == pytest.approx((padded[i : i + 21, j : j + 21] * kernel).sum())


def test_places_alike_are_where_deviations_agree() -> None:
    p = random(5, 1, 3, 12, 12)
    assert (alike(p, p)[p[:, :1] == p[:, :1]] == 1).all()
    assert (alike(p, 0.5 * p) == 0).all(), "2 ab / (a^2 + b^2) is 0.8 there"


def test_each_term_by_hand(seen: Seen) -> None:
    def mse(a: Array, b: Array) -> float:
        return float(((a - b) ** 2).mean())

    def halves(x: Array) -> tuple[Array, Array]:
        first = (x[..., ::2, 1::2] + x[..., 1::2, ::2]) / 2
        return first, (x[..., ::2, ::2] + x[..., 1::2, 1::2]) / 2

    def around(x: Array, of: str) -> Array:
        windows = np.empty_like(x)
        for i, j in np.ndindex(*x.shape[-2:]):
            window = x[..., max(i - 2, 0) : i + 3, max(j - 2, 0) : j + 3]
            windows[..., i, j] = getattr(window, of)(axis=(-2, -1))
        return windows

    def blur(x: Array) -> Array:
        return blurred(torch.from_numpy(x)).numpy()

    v = {name: value.numpy() for name, value in vars(seen).items()}
    clean, s, eps = v["clean"], v["light"], 1e-4
    terms = {name: float(value) for name, value in loss_terms(seen).items()}

    f = float(gain(seen.clean))
    down, across = np.diff(s, axis=2) ** 2, np.diff(s, axis=3) ** 2
    tv = 2 * (down.sum() / (23 * 28) + across.sum() / (24 * 27))
    light = 700 * mse(s, np.clip(0.7**-f / f * (f * clean) ** f, eps, 1)) + 1600 * tv
    light += 1000 * mse(np.clip(clean / s, eps, 0.8), np.clip(f * clean, eps, 1))
    assert terms["light"] == pytest.approx(light + 5 * float(smoothness(seen.clean, seen.light)))

    l1, l2 = halves(clean)
    before = mse(v["x1"], v["q2"]) + mse(v["x2"], v["q1"]) + mse(v["q1"], l1) + mse(v["q2"], l2)
    assert terms["noise before"] == pytest.approx(1000 * before)

    p1, p2 = halves(v["result"])
    after = mse(v["r1"], np.concatenate([v["h2"], v["s2"]], 1)) + mse(v["r2"], np.concatenate([v["h1"], v["s1"]], 1))
    after += mse(v["r1"][:, :3], p1) + mse(v["r2"][:, :3], p2)
    assert terms["noise after"] == pytest.approx(1000 * after)

    colour = 1e4 * mse(blur(np.clip(clean / s, 0, 1)), blur(v["result"])) + 1000 * mse(s, v["light_again"])
    assert terms["colour"] == pytest.approx(colour)

    m = alike(torch.from_numpy(p1), torch.from_numpy(p2)).numpy()
    first = mse(p1, (1 - m) * around(p1, "mean") + m * p1)
    second = mse(p2, (1 - m) * around(p2, "mean") + m * p1)
    assert terms["consistency"] == pytest.approx(1e4 * (first + second))

    variance = mse(around(v["lit"], "var"), around(v["result"] - v["lit"], "var"))
    assert terms["variance"] == pytest.approx(1000 * variance)


def test_a_short_run_learns_and_repeats() -> None:
    seen = []
    rival = build_rival("zero-ig", RivalOptions(steps=3))
    dark = (noisy(33, 32) * 0.2).astype(np.uint8)
    result = rival(dark, on_step=lambda step: seen.append(step))
    assert result.levels.shape == (32, 33, 3) and seen[0].z0.shape == (1, 3, 32, 34)
    assert result.seed == 2, "as published"
    assert sum(seen[-1].losses.values()) < sum(seen[0].losses.values())
    assert result.levels.mean() > dark.mean()
    assert np.array_equal(result.levels, rival(dark).levels), "nothing is left of the first run"
    with pytest.raises(SettingsError, match="steps is 0"):
        ZeroIgSettings(steps=0)
