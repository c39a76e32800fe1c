"""The perceptual term's features: any callable from images [B, 3, H, W] in [0, 1] to a tensor."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from ldrps.errors import PriorError, require

Features = Callable[[Tensor], Tensor]

_LAYERS = (0, 2, 5, 7)  # the convolutions of VGG16 features[:9], by torchvision's numbering
_SHAPES = ((64, 3), (64, 64), (128, 64), (128, 128))


class VGG16Features(nn.Module):
    """VGG16 up to the second ReLU of its second block (`features[:9]`); weights in torchvision's layout."""

    mean: Tensor
    std: Tensor

    def __init__(self, weights: Mapping[str, Tensor]) -> None:
        super().__init__()
        self.weights = nn.ParameterDict()
        for layer, shape in zip(_LAYERS, _SHAPES, strict=True):
            for part, wanted in (("weight", (*shape, 3, 3)), ("bias", shape[:1])):
                tensor = _find(weights, f"{layer}.{part}")
                if tuple(tensor.shape) != wanted:
                    raise PriorError(
                        f"VGG16 tensor {layer}.{part} has shape {tuple(tensor.shape)}, not {wanted}: "
                        "give weights in torchvision's layout (features.0.weight, ...)"
                    )
                self.weights[f"{layer}_{part}"] = nn.Parameter(tensor.float(), requires_grad=False)
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).reshape(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor([0.229, 0.224, 0.225]).reshape(1, 3, 1, 1))

    @classmethod
    def from_file(cls, path: str | Path) -> VGG16Features:
        """Read a safetensors file with torchvision's names, with or without the prefix "features.".

        Raises:
            PriorError: the file is missing, broken, or not VGG16.
        """
        require(path, (str, Path), "the file of VGG16 weights", "give its path")
        if os.path.exists(path) and not os.path.isfile(path):  # to open a pipe would wait for ever
            raise PriorError(f"{path} is no regular file: give the file of VGG16 weights itself")
        try:
            return cls(load_file(path))
        except (OSError, SafetensorError, PriorError) as error:
            raise PriorError(f"cannot read VGG16 weights from {path}: {error}") from error

    def forward(self, images: Tensor) -> Tensor:
        x = (images - self.mean) / self.std
        for layer in _LAYERS:
            if layer == 5:
                x = F.max_pool2d(x, 2)
            x = F.relu(F.conv2d(x, self.weights[f"{layer}_weight"], self.weights[f"{layer}_bias"], padding=1))
        return x


def _find(weights: Mapping[str, Tensor], name: str) -> Tensor:
    for key in (name, f"features.{name}"):
        if key in weights:
            return weights[key]
    raise PriorError(f"no tensor {name} or features.{name}: give VGG16 weights in torchvision's layout")
