"""YOLY: its parts against their formulae, and a short run."""

from __future__ import annotations

import colorsys
import math

import numpy as np
import pytest
import torch
from conftest import noisy
from torch import nn

from ldrps.errors import SettingsError
from ldrps.rivals.facts import RivalOptions
from ldrps.rivals.registry import build_rival
from ldrps.rivals.yoly import haze
from ldrps.rivals.yoly.nets import AirlightNet, layer_net
from ldrps.rivals.yoly.yoly import YolySettings, without_haze

X = torch.rand(1, 3, 40, 36, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def count(net: nn.Module) -> int:
    return sum(parameter.numel() for parameter in net.parameters())


def test_sizes_of_the_networks() -> None:
    assert count(layer_net(3)) == 5 * (3 * 3 * 25 + 3) + 4 * 2 * 3
    assert count(layer_net(1)) == (3 * 25 + 1) + 4 * (25 + 1) + 4 * 2
    assert count(AirlightNet(32, 32)) == 694_891
    airlight, mean, log_variance = AirlightNet(32, 48)(torch.rand(1, 3, 32, 48), torch.zeros(1, 100))
    assert airlight.shape == (1, 3, 32, 48) and mean.shape == log_variance.shape == (1, 100)
    assert airlight.min() >= 0 and airlight.max() <= 1


def test_colour_attenuation_is_of_value_and_saturation() -> None:
    pixels = X[0].flatten(1).T.tolist()
    by_hand = np.mean([(v - s) ** 2 for _, s, v in (colorsys.rgb_to_hsv(*pixel) for pixel in pixels)])
    assert float(haze.colour_attenuation(X)) == pytest.approx(by_hand)
    assert float(haze.colour_attenuation(torch.zeros(1, 3, 2, 2))) == 0, "black has no saturation"


def test_divergence_and_unevenness() -> None:
    mean, log_variance = torch.tensor([[0.5, -1.0]]), torch.tensor([[0.2, -0.3]])
    by_hand = sum((m**2 + math.exp(v) - 1 - v) / 2 for m, v in ((0.5, 0.2), (-1.0, -0.3)))
    assert float(haze.kl_divergence(mean, log_variance)) == pytest.approx(by_hand)
    assert float(haze.unevenness(torch.full((1, 3, 9, 9), 0.3))) == pytest.approx(0, abs=1e-12)
    luma = np.tensordot([0.299, 0.587, 0.114], X[0].numpy(), 1)
    means = [luma[max(i - 2, 0) : i + 3, max(j - 2, 0) : j + 3].mean() for i, j in np.ndindex(40, 36)]
    assert float(haze.unevenness(X)) == pytest.approx(np.mean((luma.ravel() - means) ** 2))


def test_the_first_airlight_is_where_no_channel_is_dark() -> None:
    x = 0.3 * X
    x[..., 10:30, 8:28] = torch.tensor([0.7, 0.8, 0.9], dtype=x.dtype).view(3, 1, 1)  # wider than the window
    x[..., 0, 0] = 1.0  # a bright pixel among dark ones is no airlight
    assert haze.first_airlight(x).flatten().tolist() == pytest.approx([0.7, 0.8, 0.9])


def test_the_guided_filter_keeps_what_follows_the_guide() -> None:
    p = 0.2 + 0.3 * X[:, :1] - 0.1 * X[:, 2:]
    assert torch.allclose(haze.guided_filter(X, p, 4, 1e-8), p, atol=1e-4)
    flat = torch.full_like(p, 0.4)
    assert torch.allclose(haze.guided_filter(X, flat, 4), flat, atol=1e-6)


def test_haze_that_is_known_is_taken_off() -> None:
    j, a = X, torch.full((1, 3, 1, 1), 0.9, dtype=X.dtype)
    t = torch.linspace(0.3, 1, 36, dtype=X.dtype).expand(1, 1, 40, 36)
    assert torch.allclose(without_haze(t * j + (1 - t) * a, t, a), j)
    thick = torch.full((1, 1, 40, 36), 0.01, dtype=X.dtype)
    assert torch.allclose(without_haze(X, thick, a), ((X - 0.9 * a) / 0.1).clamp(0, 1)), "t is kept above 0.1"


def test_a_short_run_learns_and_repeats() -> None:
    seen = []
    rival = build_rival("yoly", RivalOptions(steps=4))
    result = rival(noisy(32, 40), on_step=lambda step: seen.append(step))
    assert result.levels.shape == (40, 32, 3) and seen[0].z0.shape == (1, 3, 64, 32)
    assert set(seen[0].losses) == {"distance", "kl", "attenuation", "unevenness", "airlight"}
    assert seen[-1].losses["distance"] < seen[0].losses["distance"]
    assert np.array_equal(result.levels, rival(noisy(32, 40)).levels), "nothing is left of the first run"


def test_the_prior_without_a_gradient_and_another_seed_are_others() -> None:
    picture = noisy(32, 32)
    paper, code = (build_rival(name, RivalOptions(steps=4)) for name in ("yoly", "yoly-detached"))
    results = [rival(picture).levels for rival in (paper, code, paper.with_seed(1))]
    assert len({levels.tobytes() for levels in results}) == 3
    with pytest.raises(SettingsError, match="steps is 0"):
        YolySettings(steps=0)
