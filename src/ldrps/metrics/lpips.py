"""LPIPS, the learned perceptual distance, with weights of the caller's own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from ldrps.errors import InputError, SettingsError
from ldrps.metrics.backbones import BACKBONES, activations
from ldrps.metrics.pictures import ImageLike, pair
from ldrps.metrics.score import Score
from ldrps.weights import fill, read_weights, take

# ImageNet's mean and deviation for pictures in [-1, 1], rounded as the authors have them.
_SHIFT, _SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)
_EPSILON = 1e-10


class LPIPS:
    """Learned perceptual image patch similarity (Zhang, Isola, Efros, Shechtman, Wang 2018), version 0.1, "lin".

    Of both pictures a classifier's activations are taken at several layers, scaled to length 1 at every place, and
    subtracted; the squared differences are weighted per channel by learned heads, averaged over all places, and summed
    over the layers. Computed in float32, the precision of the weights.

    Args:
        net: "alex", the one that most papers report; "vgg"; or "squeeze", the smallest.
        backbone: tensors in torchvision's layout, `features.0.weight`, ..., with or without the prefix; those of the
            classifier are let be. Half precision becomes float32.
        heads: `lin0.model.1.weight` [1, C, 1, 1], ..., as the authors' release has them.
        backbone_name, heads_name: what the protocol and the errors call them.

    Raises:
        SettingsError: an unknown net.
        PriorError: a tensor is missing or does not fit.
    """

    def __init__(
        self,
        net: str,
        backbone: Mapping[str, Tensor],
        heads: Mapping[str, Tensor],
        *,
        backbone_name: str = "the given backbone",
        heads_name: str = "the given heads",
    ) -> None:
        if net not in BACKBONES:
            raise SettingsError(f"net is {net!r}: give one of {', '.join(BACKBONES)}")
        self._backbone = BACKBONES[net]
        with torch.device("meta"):  # where weights cost neither memory nor time
            self._layers = self._backbone.layers()
        fill(self._layers, backbone, backbone_name, prefix="features.")
        self._heads = [
            take(heads, f"lin{index}.model.1.weight", (1, count, 1, 1), heads_name)
            for index, count in enumerate(self._backbone.channels)
        ]
        self.protocol = {
            "net": net,
            "version": "0.1",
            "backbone": backbone_name,
            "heads": heads_name,
            "input": "[0, 1] mapped to [-1, 1], at the pictures' size",
            "precision": "float32",
        }

    @classmethod
    def from_files(cls, net: str, backbone: str | Path, heads: str | Path) -> LPIPS:
        """Read both from safetensors files or from PyTorch's own format, which is loaded with weights_only.

        Raises:
            SettingsError: an unknown net.
            PriorError: a file is missing, broken, or not of this net.
        """
        names = {"backbone_name": Path(backbone).name, "heads_name": Path(heads).name}
        return cls(net, read_weights(backbone), read_weights(heads), **names)

    def to(self, device: str | torch.device) -> LPIPS:
        """Compute there from now on; returns itself."""
        self._layers.to(device)
        self._heads = [head.to(device) for head in self._heads]
        return self

    def __call__(self, restored: ImageLike, clean: ImageLike) -> Score:
        """The distance of two pictures; 0 for identical ones, and rarely above 1.

        Raises:
            InputError: the pictures cannot be used, or are smaller than the net's strides allow.
        """
        x, y = pair(restored, clean)
        return Score("lpips", float(self.distance(x.float(), y.float())), dict(self.protocol))

    @torch.inference_mode()
    def distance(self, x: Tensor, y: Tensor) -> Tensor:
        """The distances [B], without gradient, of pictures [B, 3, H, W] in [0, 1], unchecked but for their size.

        Raises:
            InputError: they are smaller than the net's strides allow.
        """
        height, width = x.shape[-2:]
        if min(height, width) < self._backbone.least:
            raise InputError(
                f"the pictures are {width}x{height}: LPIPS with {self.protocol['net']!r} needs {self._backbone.least} "
                "pixels a side, give larger ones"
            )
        first, second = (activations(self._layers, self._backbone.taps, self._scaled(z)) for z in (x, y))
        total = torch.zeros(len(x), device=self._heads[0].device)
        for a, b, head in zip(first, second, self._heads, strict=True):
            total += ((_unit(a) - _unit(b)).square() * head).sum(1).mean((1, 2))  # eq. 1
        return total

    def _scaled(self, x: Tensor) -> Tensor:
        x = x.to(self._heads[0].device, torch.float32)
        shift, scale = (x.new_tensor(values).reshape(1, 3, 1, 1) for values in (_SHIFT, _SCALE))
        return (2 * x - 1 - shift) / scale


def _unit(x: Tensor) -> Tensor:
    """Activations [B, C, H, W] scaled to length 1 at every place; where all are 0 they stay 0."""
    return x / (x.square().sum(1, keepdim=True).sqrt() + _EPSILON)
