"""Zero-DCE++ and AOD-Net: their formulae, their weights, and what is said where those are not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from conftest import noisy
from PIL import Image
from torch import nn

from ldrps.errors import PriorError, SettingsError
from ldrps.rivals import aod_net, zero_dce
from ldrps.rivals.aod_net import AodNet
from ldrps.rivals.facts import RivalOptions
from ldrps.rivals.registry import build_rival
from ldrps.rivals.zero_dce import CurveNet, ZeroDceSettings, curved


def count(net: nn.Module) -> int:
    return sum(parameter.numel() for parameter in net.parameters())


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """Weights of people's own training, under the published names."""
    torch.manual_seed(0)
    torch.save(CurveNet().state_dict(), tmp_path / "Epoch99.pth")
    torch.save(AodNet().state_dict(), tmp_path / "dehazer.pth")
    return tmp_path


def test_sizes_of_the_networks() -> None:
    assert count(AodNet()) == 1_761
    assert count(CurveNet()) == 10_561


def test_the_curve_is_applied_eight_times() -> None:
    x, a = torch.rand(1, 3, 4, 4), torch.rand(1, 3, 4, 4) * 2 - 1
    by_hand = x
    for _ in range(8):
        by_hand = by_hand + a * (by_hand**2 - by_hand)
    assert torch.allclose(curved(x, a), by_hand)
    assert torch.equal(curved(x, 0 * a), x)
    assert (curved(x, -a.abs()) >= x).all(), "negative curves lighten"


def test_the_dehazing_formula() -> None:
    torch.manual_seed(0)
    net, x = AodNet(), torch.rand(1, 3, 9, 9)
    w = dict(net.named_parameters())

    def layer(number: int, inner: torch.Tensor) -> torch.Tensor:
        weight, bias = w[f"e_conv{number}.weight"], w[f"e_conv{number}.bias"]
        return F.conv2d(inner, weight, bias, padding=weight.shape[-1] // 2).clamp_min(0)

    x1 = layer(1, x)
    x2 = layer(2, x1)
    x3 = layer(3, torch.cat([x1, x2], 1))
    x4 = layer(4, torch.cat([x2, x3], 1))
    k = layer(5, torch.cat([x1, x2, x3, x4], 1))
    assert torch.allclose(net(x), (k * x - k + 1).clamp(0, 1))


@pytest.mark.parametrize("name", ["zero-dce", "zero-dce-full", "aod-net"])
def test_a_run_with_given_weights(name: str, weights: Path, caplog: pytest.LogCaptureFixture) -> None:
    rival = build_rival(name, RivalOptions(weights=weights))
    assert "are not the published weights" in caplog.text
    result = rival(noisy(45, 38))
    assert result.levels.shape == (38, 45, 3)
    assert np.array_equal(result.levels, rival.with_seed(9)(noisy(45, 38)).levels), "no chance in it"


def test_the_curves_may_be_drawn_on_a_smaller_copy(weights: Path) -> None:
    small, full = (build_rival(name, RivalOptions(weights=weights)) for name in ("zero-dce", "zero-dce-full"))
    assert (small.settings, full.settings) == (ZeroDceSettings(shrink=12), ZeroDceSettings(shrink=1))
    assert not np.array_equal(small(noisy()).levels, full(noisy()).levels)
    with pytest.raises(SettingsError, match="shrink is 0; it must be 1 to 32"):
        build_rival("zero-dce", RivalOptions(weights=weights, changes={"shrink": 0}))


@pytest.mark.parametrize(("name", "published"), [("zero-dce", zero_dce.WEIGHTS), ("aod-net", aod_net.WEIGHTS)])
def test_what_is_said_where_weights_are_missing(
    name: str, published: zero_dce.Published, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LDRPS_WEIGHTS", raising=False)
    for order in (RivalOptions(), RivalOptions(weights=tmp_path), RivalOptions(weights=tmp_path / "none")):
        with pytest.raises(PriorError) as told:
            build_rival(name, order)
        for part in (published.names[0], published.url, published.sha256, published.licence, "--weights"):
            assert part in str(told.value)


def test_weights_are_found_by_the_environment(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LDRPS_WEIGHTS", str(weights))
    assert build_rival("aod-net")(noisy()).levels.shape == (40, 48, 3)


def test_wrong_checkpoints(weights: Path) -> None:
    with pytest.raises(PriorError, match=r"has no tensor e_conv1\.depth_conv\.weight: it is of another network"):
        build_rival("zero-dce", RivalOptions(weights=weights / "dehazer.pth"))
    (weights / "dehazer.pth").write_bytes(b"no weights")
    with pytest.raises(PriorError, match=r"cannot read weights from .*dehazer\.pth"):
        build_rival("aod-net", RivalOptions(weights=weights))
    torch.save({"e_conv1.weight": print}, weights / "dehazer.pth")
    with pytest.raises(PriorError, match="cannot read weights"):
        build_rival("aod-net", RivalOptions(weights=weights))


@pytest.mark.parametrize(
    ("name", "dataset", "decibels"),
    [("zero-dce", "lol", 13.49), ("zero-dce-full", "lol", 13.29), ("aod-net", "hsts", 18.89)],
)
def test_the_published_weights_score_as_ever(shared: Path, name: str, dataset: str, decibels: float) -> None:
    rival = build_rival(name, RivalOptions(weights=shared / "weights"))
    scores = []
    for source in sorted((shared / "eval" / dataset / "input").iterdir()):
        with Image.open(shared / "eval" / dataset / "target" / source.name) as truth:
            error = np.asarray(rival(source).image, float) - np.asarray(truth.convert("RGB"), float)
        scores.append(10 * np.log10(255**2 / (error**2).mean()))
    assert np.mean(scores) == pytest.approx(decibels, abs=0.01)
