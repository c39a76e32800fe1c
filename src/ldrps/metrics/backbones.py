"""The convolutions of AlexNet, VGG16 and SqueezeNet 1.1, numbered as in torchvision, up to what LPIPS looks at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Backbone:
    """A network and where LPIPS looks into it."""

    layers: Callable[[], nn.Sequential]
    taps: tuple[int, ...]  # the layers whose outputs are compared
    channels: tuple[int, ...]  # of these outputs
    least: int  # pixels a side that the strides need


class Fire(nn.Module):
    """SqueezeNet's module (Iandola et al. 2016): few channels in between, then 1x1 and 3x3 side by side."""

    def __init__(self, before: int, between: int, after: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(before, between, 1)
        self.expand1x1 = nn.Conv2d(between, after, 1)
        self.expand3x3 = nn.Conv2d(between, after, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.squeeze(x).relu_()
        return torch.cat([self.expand1x1(x), self.expand3x3(x)], 1).relu_()


def activations(layers: nn.Sequential, taps: tuple[int, ...], x: Tensor) -> Iterator[Tensor]:
    """The outputs of the layers `taps`, one after another."""
    for index, layer in enumerate(layers):
        x = layer(x)
        if index in taps:
            yield x


def _alexnet() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(3, 64, 11, stride=4, padding=2), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2),
        nn.Conv2d(64, 192, 5, padding=2), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2),
        nn.Conv2d(192, 384, 3, padding=1), nn.ReLU(inplace=True),
        nn.Conv2d(384, 256, 3, padding=1), nn.ReLU(inplace=True),
        nn.Conv2d(256, 256, 3, padding=1), nn.ReLU(inplace=True),
    )  # fmt: skip


def _vgg16() -> nn.Sequential:
    layers: list[nn.Module] = []
    before = 3
    for after, count in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        if layers:
            layers.append(nn.MaxPool2d(2, 2))
        for _ in range(count):
            layers += [nn.Conv2d(before, after, 3, padding=1), nn.ReLU(inplace=True)]
            before = after
    return nn.Sequential(*layers)


def _squeezenet() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(3, 64, 3, stride=2), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, ceil_mode=True),
        Fire(64, 16, 64), Fire(128, 16, 64), nn.MaxPool2d(3, 2, ceil_mode=True),
        Fire(128, 32, 128), Fire(256, 32, 128), nn.MaxPool2d(3, 2, ceil_mode=True),
        Fire(256, 48, 192), Fire(384, 48, 192), Fire(384, 64, 256), Fire(512, 64, 256),
    )  # fmt: skip


BACKBONES = {
    "alex": Backbone(_alexnet, (1, 4, 7, 9, 11), (64, 192, 384, 256, 256), 31),
    "vgg": Backbone(_vgg16, (3, 8, 15, 22, 29), (64, 128, 256, 512, 512), 16),
    "squeeze": Backbone(_squeezenet, (1, 4, 7, 9, 10, 11, 12), (64, 128, 256, 384, 384, 512, 512), 17),
}
