"""LPIPS against the authors' value, and against the nets built here layer by layer."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor

from ldrps.errors import InputError, PriorError, SettingsError
from ldrps.metrics import LPIPS

Weights = dict[str, Tensor]

# Torchvision's layout: number of a convolution in `features`, channels after, before, kernel.
ALEX = [(0, 64, 3, 11), (3, 192, 64, 5), (6, 384, 192, 3), (8, 256, 384, 3), (10, 256, 256, 3)]
VGG = [
    *((0, 64, 3, 3), (2, 64, 64, 3), (5, 128, 64, 3), (7, 128, 128, 3), (10, 256, 128, 3), (12, 256, 256, 3)),
    *((14, 256, 256, 3), (17, 512, 256, 3), (19, 512, 512, 3), (21, 512, 512, 3), (24, 512, 512, 3)),
    *((26, 512, 512, 3), (28, 512, 512, 3)),
]
FIRES = [(3, 64, 16, 64), (4, 128, 16, 64), (6, 128, 32, 128), (7, 256, 32, 128)]
FIRES += [(9, 256, 48, 192), (10, 384, 48, 192), (11, 384, 64, 256), (12, 512, 64, 256)]
SQUEEZE = [(0, 64, 3, 3)]
CHANNELS = {
    "alex": (64, 192, 384, 256, 256),
    "vgg": (64, 128, 256, 512, 512),
    "squeeze": (64, 128, 256, 384, 384, 512, 512),
}
LEAST = {"alex": 31, "vgg": 16, "squeeze": 17}
NETS = list(CHANNELS)


def random_weights(net: str) -> tuple[Weights, Weights]:
    """A backbone and heads with the names and shapes of the published ones."""
    generator = torch.Generator().manual_seed(0)
    backbone: Weights = {}

    def add(name: str, after: int, before: int, size: int) -> None:
        weight = torch.randn(after, before, size, size, generator=generator)
        backbone[f"features.{name}.weight"] = weight * (2 / (before * size * size)) ** 0.5
        backbone[f"features.{name}.bias"] = torch.randn(after, generator=generator) / 10

    for layer, after, before, size in {"alex": ALEX, "vgg": VGG, "squeeze": SQUEEZE}[net]:
        add(str(layer), after, before, size)
    for layer, before, between, after in FIRES if net == "squeeze" else []:
        add(f"{layer}.squeeze", between, before, 1)
        add(f"{layer}.expand1x1", after, between, 1)
        add(f"{layer}.expand3x3", after, between, 3)
    heads = {
        f"lin{index}.model.1.weight": torch.rand(1, count, 1, 1, generator=generator)
        for index, count in enumerate(CHANNELS[net])
    }
    return backbone, heads


def features_of(net: str, w: Weights, x: Tensor) -> list[Tensor]:
    """What LPIPS compares, written out as calls."""

    def conv(x: Tensor, name: object, **keywords: int) -> Tensor:
        return F.conv2d(x, w[f"features.{name}.weight"], w[f"features.{name}.bias"], **keywords).relu()

    def fire(x: Tensor, name: int) -> Tensor:
        x = conv(x, f"{name}.squeeze")
        return torch.cat([conv(x, f"{name}.expand1x1"), conv(x, f"{name}.expand3x3", padding=1)], 1)

    if net == "alex":
        a = conv(x, 0, stride=4, padding=2)
        b = conv(F.max_pool2d(a, 3, 2), 3, padding=2)
        c = conv(F.max_pool2d(b, 3, 2), 6, padding=1)
        d = conv(c, 8, padding=1)
        return [a, b, c, d, conv(d, 10, padding=1)]
    if net == "vgg":
        found = []
        for block in ((0, 2), (5, 7), (10, 12, 14), (17, 19, 21), (24, 26, 28)):
            x = F.max_pool2d(x, 2) if found else x
            for name in block:
                x = conv(x, name, padding=1)
            found.append(x)
        return found
    a = conv(x, 0, stride=2)
    b = fire(fire(F.max_pool2d(a, 3, 2, ceil_mode=True), 3), 4)
    c = fire(fire(F.max_pool2d(b, 3, 2, ceil_mode=True), 6), 7)
    d = fire(F.max_pool2d(c, 3, 2, ceil_mode=True), 9)
    e = fire(d, 10)
    f = fire(e, 11)
    return [a, b, c, d, e, f, fire(f, 12)]


def by_hand(net: str, backbone: Weights, heads: Weights, x: Tensor, y: Tensor) -> float:
    shift, scale = (torch.tensor(v).reshape(3, 1, 1) for v in ([-0.030, -0.088, -0.188], [0.458, 0.448, 0.450]))
    pairs = zip(*(features_of(net, backbone, ((2 * z - 1) - shift)[None] / scale) for z in (x, y)), strict=True)
    total = 0.0
    for index, (a, b) in enumerate(pairs):
        difference = F.normalize(a, dim=1) - F.normalize(b, dim=1)
        total += float(F.conv2d(difference**2, heads[f"lin{index}.model.1.weight"]).mean())
    return total


def pictures(height: int = 70, width: int = 83) -> tuple[Tensor, Tensor]:
    x, y = torch.rand(2, 3, height, width, generator=torch.Generator().manual_seed(1))
    return x, y


@pytest.mark.parametrize("net", NETS)
def test_each_net_is_that_of_its_layers(net: str) -> None:
    backbone, heads = random_weights(net)
    x, y = pictures()
    metric = LPIPS(net, backbone, heads)
    wanted = by_hand(net, backbone, heads, x, y)
    assert wanted > 0.1
    assert metric(x, y).value == pytest.approx(wanted, rel=1e-4)
    assert metric(x, x.clone()).value == 0
    assert metric(y, x).value == pytest.approx(metric(x, y).value, rel=1e-5), "it is symmetric"
    bare = {name.removeprefix("features."): tensor for name, tensor in backbone.items()}
    assert LPIPS(net, {**bare, "classifier.6.weight": torch.zeros(1)}, heads)(x, y).value == metric(x, y).value


@pytest.mark.parametrize("net", NETS)
def test_the_least_size_works_and_one_pixel_less_is_refused(net: str) -> None:
    metric, least = LPIPS(net, *random_weights(net)), LEAST[net]
    x, y = pictures(least, least)
    assert 0 < metric(x, y).value < math.inf
    with pytest.raises(InputError, match=f"are {least}x{least - 1}: LPIPS with '{net}' needs {least} pixels a side"):
        metric(x[:, 1:], y[:, 1:])


@pytest.fixture(scope="module")
def published(shared: Path) -> LPIPS:
    folder = shared / "weights"
    return LPIPS.from_files("squeeze", folder / "squeezenet1_1.fp16.safetensors", folder / "lpips_squeeze_lin_v0.1.pth")


def test_the_published_weights_give_the_published_value(published: LPIPS) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(42)
        x, y = (torch.rand(10, 3, 100, 100) * 2 - 1 for _ in "xy")
    distances = published.distance((x + 1) / 2, (y + 1) / 2)
    assert distances.shape == (10,) and not distances.requires_grad
    assert float(distances.mean()) == pytest.approx(0.1005, abs=5e-5)
    assert published((x[3] + 1) / 2, (y[3] + 1) / 2).value == pytest.approx(float(distances[3]), rel=1e-4)


def test_more_noise_is_farther_and_identical_pictures_are_0(published: LPIPS) -> None:
    x = F.interpolate(pictures(8, 8)[0][None], size=96, mode="bicubic").clamp(0, 1)
    noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(2))
    values = [published((x + sigma * noise).clamp(0, 1), x).value for sigma in (0, 0.02, 0.1, 0.3)]
    assert values[0] == 0
    assert values == sorted(values) and values[1] > 0.001 and values[3] > 0.3
    constant = torch.full((3, 32, 32), 0.4)
    assert published(constant, constant).text() == "0.0000"


def test_the_protocol_names_net_and_files(tmp_path: Path) -> None:
    backbone, heads = random_weights("squeeze")
    save_file({name: tensor.half() for name, tensor in backbone.items()}, tmp_path / "squeeze.safetensors")
    torch.save(heads, tmp_path / "heads.pth")
    x, y = pictures()
    score = LPIPS.from_files("squeeze", tmp_path / "squeeze.safetensors", tmp_path / "heads.pth").to("cpu")(x, y)
    wanted = {"net": "squeeze", "version": "0.1", "backbone": "squeeze.safetensors", "heads": "heads.pth"}
    assert score.name == "lpips"
    assert wanted.items() <= score.protocol.items() and score.protocol["precision"] == "float32"
    assert json.loads(json.dumps(score.protocol)) == score.protocol
    assert score.value == pytest.approx(by_hand("squeeze", backbone, heads, x, y), rel=1e-2)


def test_an_unknown_net_is_refused() -> None:
    with pytest.raises(SettingsError, match="net is 'resnet': give one of alex, vgg, squeeze"):
        LPIPS("resnet", {}, {})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda b, h: b.pop("features.8.bias"), r"the given backbone has no tensor features.8.bias \(or 8.bias\)"),
        (lambda b, h: b.update({"features.0.weight": torch.zeros(64, 3, 3, 3)}), r"0.weight has shape \(64, 3, 3, 3\)"),
        (lambda b, h: b["features.6.bias"].fill_(math.nan), "features.6.bias holds NaN or infinity"),
        (lambda b, h: h.pop("lin4.model.1.weight"), "the given heads has no tensor lin4.model.1.weight"),
        (lambda b, h: h.update({"lin0.model.1.weight": torch.zeros(1, 9, 1, 1)}), r"not \(1, 64, 1, 1\)"),
    ],
)
def test_weights_that_do_not_fit_are_refused(change: Callable[[Weights, Weights], object], message: str) -> None:
    backbone, heads = random_weights("alex")
    change(backbone, heads)
    with pytest.raises(PriorError, match=message):
        LPIPS("alex", backbone, heads)


def test_weights_of_another_net_and_pictures_that_do_not_fit_are_refused() -> None:
    backbone, heads = random_weights("squeeze")
    with pytest.raises(PriorError, match="of another network"):
        LPIPS("alex", backbone, heads)
    metric = LPIPS("squeeze", backbone, heads)
    with pytest.raises(InputError, match="the restored picture is 40x40, the clean one 41x40"):
        metric(torch.zeros(3, 40, 40), torch.zeros(3, 40, 41))
    with pytest.raises(InputError, match="the clean picture holds 4,800 values that are NaN"):
        metric(torch.zeros(3, 40, 40), torch.full((3, 40, 40), math.nan))
