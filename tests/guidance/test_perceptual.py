from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from ldrps.errors import PriorError
from ldrps.guidance.perceptual import VGG16Features

SHAPES = {0: (64, 3), 2: (64, 64), 5: (128, 64), 7: (128, 128)}


def random_weights() -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    weights = {}
    for layer, shape in SHAPES.items():
        weights[f"{layer}.weight"] = torch.randn(*shape, 3, 3, generator=generator) / (9 * shape[1]) ** 0.5
        weights[f"{layer}.bias"] = torch.randn(shape[0], generator=generator) / 10
    return weights


def by_layers(weights: dict[str, Tensor], images: Tensor) -> Tensor:
    """What torchvision's `vgg16().features[:9]` computes, built here from its layers."""
    net = nn.Sequential(
        nn.Conv2d(3, 64, 3, padding=1), nn.ReLU(), nn.Conv2d(64, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2, 2),
        nn.Conv2d(64, 128, 3, padding=1), nn.ReLU(), nn.Conv2d(128, 128, 3, padding=1), nn.ReLU(),
    )  # fmt: skip
    net.load_state_dict(weights)
    mean, std = (torch.tensor(v)[:, None, None] for v in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))
    return net((images - mean) / std)


@pytest.mark.parametrize("prefix", ["", "features."])
def test_features_are_those_of_the_layers(prefix: str, tmp_path: Path) -> None:
    weights, images = random_weights(), torch.rand(2, 3, 32, 40)
    save_file({prefix + name: tensor for name, tensor in weights.items()}, tmp_path / "vgg.safetensors")
    found = VGG16Features.from_file(tmp_path / "vgg.safetensors")(images)
    assert found.shape == (2, 128, 16, 20)
    torch.testing.assert_close(found, by_layers(weights, images), atol=1e-5, rtol=1e-4)


def test_only_the_picture_has_a_gradient() -> None:
    features = VGG16Features(random_weights())
    images = torch.rand(1, 3, 16, 16, requires_grad=True)
    features(images).mean().backward()
    assert images.grad is not None and bool(images.grad.any())
    assert not any(parameter.requires_grad for parameter in features.parameters())


def test_half_precision_weights_compute_in_single() -> None:
    features = VGG16Features({name: tensor.half() for name, tensor in random_weights().items()})
    assert features(torch.rand(1, 3, 8, 8)).dtype == torch.float32


@pytest.mark.parametrize("name", ["0.weight", "5.bias", "7.weight"])
def test_a_missing_tensor_is_named(name: str) -> None:
    weights = random_weights()
    del weights[name]
    with pytest.raises(PriorError, match=f"no tensor {name} or features.{name}"):
        VGG16Features(weights)


@pytest.mark.parametrize(("name", "shape"), [("2.weight", (64, 3, 3, 64)), ("7.bias", (64,)), ("0.weight", (64,))])
def test_a_wrong_shape_is_named(name: str, shape: tuple[int, ...]) -> None:
    with pytest.raises(PriorError) as caught:
        VGG16Features(random_weights() | {name: torch.zeros(shape)})
    assert f"{name} has shape {shape}" in str(caught.value)


def test_unreadable_files(tmp_path: Path) -> None:
    with pytest.raises(PriorError, match=r"nowhere\.safetensors"):
        VGG16Features.from_file(tmp_path / "nowhere.safetensors")
    (tmp_path / "broken.safetensors").write_bytes(b"\0" * 100)
    with pytest.raises(PriorError, match=r"broken\.safetensors"):
        VGG16Features.from_file(tmp_path / "broken.safetensors")
    save_file({"conv1_1.weight": torch.zeros(64, 3, 3, 3)}, tmp_path / "other.safetensors")
    with pytest.raises(PriorError, match=r"other\.safetensors.*no tensor 0\.weight"):
        VGG16Features.from_file(tmp_path / "other.safetensors")


def test_a_pipe_is_refused_unopened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.safetensors")
    with pytest.raises(PriorError, match=r"pipe\.safetensors is no regular file"):
        VGG16Features.from_file(tmp_path / "pipe.safetensors")


def test_real_weights(shared: Path) -> None:
    stored = load_file(shared / "weights/vgg16_conv1_1-conv2_2.safetensors")
    names = {0: "conv1_1", 2: "conv1_2", 5: "conv2_1", 7: "conv2_2"}
    weights = {
        f"{layer}.{part}": stored[f"{name}.{part}"] for layer, name in names.items() for part in ("weight", "bias")
    }
    images = torch.rand(1, 3, 48, 64, generator=torch.Generator().manual_seed(0))
    found, expected = VGG16Features(weights)(images), by_layers(weights, images)
    torch.testing.assert_close(found, expected, atol=1e-4 * float(expected.detach().max()), rtol=1e-4)
    assert 0.05 < float((found > 0).float().mean()) < 0.95  # no random net's, and no dead one's
