"""TAO's losses against their formulas, its guidance against a gradient by hand, and short runs."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from rivals.pixel.conftest import FACTS, Told
from safetensors.torch import save_file
from torch import Tensor

from ldrps.errors import PriorError, SettingsError
from ldrps.rivals.facts import RivalOptions
from ldrps.rivals.pixel.nets import AdaptationNets, Adapter
from ldrps.rivals.pixel.tao import TASKS, Adaptation, Tao, TaoSettings

RANDOM = torch.Generator().manual_seed(0)
Y, PAIR = torch.rand((1, 3, 16, 24), generator=RANDOM), torch.rand((2, 3, 16, 24), generator=RANDOM) * 2 - 1
SIZE = 16 * 24 / 256**2


def halves(x: Tensor) -> Tensor:
    """Features that are not the pixels, so that each term is seen by itself."""
    return F.avg_pool2d(x, 2) ** 2


def adaptation(task: str = "dark", seed: int = 1) -> Adaptation:
    nets = AdaptationNets.create(torch.Generator().manual_seed(seed), torch.device("cpu"))
    return Adaptation(Y, nets, halves, TASKS[task])


def test_sizes_of_the_nets() -> None:
    """Convolutions 3-64-128-256 of 3x3, then 1x1 to three channels, or to one."""
    down = 3 * 64 * 9 + 64 + 64 * 128 * 9 + 128 + 128 * 256 * 9 + 256
    nets = AdaptationNets.create(torch.Generator().manual_seed(0), torch.device("cpu"))
    count = [sum(parameter.numel() for parameter in net.parameters()) for net in nets]
    assert count == [down + 256 * 3 + 3, down + 256 + 1, down + 256 + 1] == [371_587, 371_073, 371_073]
    assert nets.domain(torch.zeros(2, 3, 32, 40)).shape == (2, 1, 4, 5)
    assert nets.adapter(torch.zeros(2, 3, 32, 40)).shape == (2, 3, 32, 40)


def test_nets_are_drawn_anew_from_the_seed() -> None:
    first, again, other = (adaptation(seed=seed).nets for seed in (1, 1, 2))
    layer = "net.0.weight"
    assert torch.equal(first.adapter.state_dict()[layer], again.adapter.state_dict()[layer])
    assert not torch.equal(first.adapter.state_dict()[layer], other.adapter.state_dict()[layer])
    assert float(first.adapter.state_dict()["net.2.weight"].std()) == pytest.approx((2 / (64 * 9)) ** 0.5, rel=0.02)
    assert not any(value.any() for name, value in first.kind.state_dict().items() if name.endswith("bias"))


def test_the_adapter_has_no_skip() -> None:
    net = Adapter()
    torch.nn.init.zeros_(net.net[-1].weight)
    torch.nn.init.zeros_(net.net[-1].bias)
    assert not net(torch.rand(1, 3, 8, 8)).any()


def test_what_the_adapter_learns_from() -> None:
    """With D1 after its one step; the first step of Adam moves every weight by its rate."""
    ours, theirs = adaptation("dark"), adaptation("dark")
    x = (PAIR + 1) / 2
    _, losses = ours.correction(PAIR, 800)
    adapted = theirs.nets.adapter(x).detach()
    d1 = theirs.nets.domain
    verdict = -(1 - d1(adapted)).log().mean() - d1(Y).log().mean()
    gradients = torch.autograd.grad(verdict, list(d1.parameters()))
    with torch.no_grad():
        for parameter, gradient in zip(d1.parameters(), gradients, strict=True):
            parameter -= 5e-5 * gradient.sign() * (gradient.abs() > 1e-6)
    assert losses["adaptation/content"] == pytest.approx(0.02 * float((adapted - x).square().mean()), rel=1e-4)
    wanted = 0.3 * float((halves(adapted) - halves(x)).square().mean())
    assert losses["adaptation/look"] == pytest.approx(wanted, rel=1e-4)
    assert losses["adaptation/domain"] == pytest.approx(-0.6 * float(d1(adapted).detach().log().mean()), rel=1e-3)
    moved = (ours.nets.adapter.net[0].weight - theirs.nets.adapter.net[0].weight).detach().abs()
    assert float(moved.median()) == pytest.approx(1e-3, rel=0.01)


def test_guidance_of_both_chains_at_first() -> None:
    learned = adaptation("haze")
    correction, losses = learned.correction(PAIR, 800)
    point = PAIR.clone().requires_grad_()
    weight = 2 * (1 - 100 / 299)
    distance = weight * (learned.nets.adapter((point + 1) / 2) - Y).square().mean()  # with the adapter as it is now
    (gradient,) = torch.autograd.grad(distance, point)
    torch.testing.assert_close(correction, -25_000 * SIZE * gradient, rtol=1e-4, atol=1e-6)
    assert losses["posterior/distance"] == pytest.approx(float(distance.detach()), rel=1e-5)
    assert all(correction[chain].any() for chain in (0, 1))
    assert not adaptation("haze").correction(PAIR, 999)[0].any(), "nothing yet at the first step"
    assert not adaptation("dark").correction(PAIR, 800)[0].any(), "k is 0"


def test_guidance_of_the_first_chain_later() -> None:
    learned = adaptation("dark")
    learned._d2.step = lambda: None  # type: ignore[assignment]  # so that D2 is known
    correction, losses = learned.correction(PAIR, 49)
    point = PAIR.clone().requires_grad_()
    x, nets = (point + 1) / 2, learned.nets
    adapted = nets.adapter(x)[:1]
    terms = {
        "distance": (adapted - Y).square().mean(),
        "perceptual": 2e-3 * (halves(adapted) - halves(Y)).square().mean(),
        "kind": -5e-5 * nets.kind(x[:1] - Y).log().mean(),
        "smooth": 4e-5 * 2 * sum(3 * x[:1].diff(dim=axis).square().mean() for axis in (2, 3)),
    }
    (gradient,) = torch.autograd.grad(sum(terms.values(), torch.zeros(())), point)
    torch.testing.assert_close(correction, -50_000 * SIZE * gradient, rtol=1e-4, atol=1e-6)
    assert not correction[1].any()
    for name, term in terms.items():
        assert losses[f"posterior/{name}"] == pytest.approx(float(term.detach()), rel=1e-4)
    assert "posterior/smooth" not in adaptation("dark").correction(PAIR, 50)[1]


def test_d2_learns_to_tell_the_two_residuals() -> None:
    learned = adaptation("dark")
    for _ in range(4):
        learned.correction(PAIR, 300)
    x, nets = (PAIR + 1) / 2, learned.nets
    with torch.no_grad():
        told, untold = (
            float(kind(x - nets.adapter(x)).mean() - kind(x[:1] - Y).mean())
            for kind in (nets.kind, adaptation("dark").nets.kind)
        )
    assert told > untold


@pytest.mark.parametrize(
    ("task", "terms"),
    [
        ("dark", {"distance", "perceptual", "kind", "smooth"}),
        ("haze", {"distance", "perceptual", "smooth"}),
        ("noise", {"distance", "smooth"}),
    ],
)
def test_terms_of_each_task(task: str, terms: set[str]) -> None:
    _, losses = adaptation(task).correction(PAIR, 10)
    assert {name.removeprefix("posterior/") for name in losses if name.startswith("posterior/")} == terms


def test_a_run(grey_model: Told, caplog: pytest.LogCaptureFixture) -> None:
    """Both chains in one network call, guided by the timetable; the first comes back."""
    image = np.random.default_rng(0).integers(0, 60, (32, 33, 3), dtype=np.uint8)
    rival = Tao(FACTS, grey_model, TaoSettings(steps=3))
    with caplog.at_level(logging.WARNING):
        result = rival(image)
    assert "pixels stand in" in caplog.text
    assert grey_model.asked == [((2, 3, 32, 40), t) for t in (999, 500, 0)]
    assert result.levels.shape == image.shape and result.seed == 10
    assert ["posterior/kind" in step for step in result.losses] == [False, True, True]
    assert ["posterior/smooth" in step for step in result.losses] == [False, False, True]


def test_nothing_is_left_of_the_picture_before(grey_model: Told) -> None:
    image = np.random.default_rng(0).integers(0, 60, (32, 32, 3), dtype=np.uint8)
    rival = Tao(FACTS, grey_model, TaoSettings(steps=2))
    first, other, again = rival(image).losses, rival(255 - image).losses, rival(image).losses
    assert first == again != other


def test_settings_that_cannot_be() -> None:
    with pytest.raises(SettingsError, match="task is 'rain'; it must be one of dark, haze, noise"):
        TaoSettings(task="rain")


def test_built_to_order(unet_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="test has no setting 'scale'; there are seed, steps, task"):
        Tao.build(FACTS, RivalOptions(weights=unet_folder, changes={"scale": 2}))
    rival = Tao.build(FACTS, RivalOptions(weights=unet_folder, steps=2, changes={"task": "haze"}))
    assert rival.settings == TaoSettings(steps=2, task="haze") and rival.features is None
    shutil.copytree(unet_folder, tmp_path, dirs_exist_ok=True)
    save_file({"features.0.weight": torch.zeros(1)}, tmp_path / "vgg16.safetensors")
    with pytest.raises(PriorError, match=r"cannot read VGG16 weights from .*vgg16.safetensors"):
        Tao.build(FACTS, RivalOptions(weights=tmp_path))
