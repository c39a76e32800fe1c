"""AOD-Net (Li et al., ICCV 2017): haze, by five small convolutions and one formula."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ldrps.rivals.published import PublishedNet
from ldrps.rivals.rival import RivalSettings
from ldrps.rivals.weights import Published

WEIGHTS = Published(
    ("dehazer.pth", "aodnet.pth"),
    "github.com/MayankSingal/PyTorch-Image-Dehazing, snapshots",
    "79409b63bf019d6c7ca6903883a8635d5723c25406f74903751bd7459462a53b",
    "MIT",
)


class AodNet(nn.Module):
    """The clear picture J of a hazy one, both [B, 3, H, W] in [0, 1]; 1,761 parameters, under the published names."""

    def __init__(self) -> None:
        super().__init__()
        self.e_conv1 = nn.Conv2d(3, 3, 1)
        self.e_conv2 = nn.Conv2d(3, 3, 3, padding=1)
        self.e_conv3 = nn.Conv2d(6, 3, 5, padding=2)
        self.e_conv4 = nn.Conv2d(6, 3, 7, padding=3)
        self.e_conv5 = nn.Conv2d(12, 3, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """J = K x - K + 1: K joins transmission and airlight in one quantity."""
        x1 = self.e_conv1(x).relu()
        x2 = self.e_conv2(x1).relu()
        x3 = self.e_conv3(torch.cat([x1, x2], 1)).relu()
        x4 = self.e_conv4(torch.cat([x2, x3], 1)).relu()
        k = self.e_conv5(torch.cat([x1, x2, x3, x4], 1)).relu()
        return (k * x - k + 1).clamp(0, 1)


class AodSettings(RivalSettings):
    """AOD-Net has no numbers of its own."""


class Aod(PublishedNet):
    """AOD-Net with given weights, see `PublishedNet`."""

    settings_type = AodSettings
    net_type = AodNet
    weights = WEIGHTS

    def restored(self, y: Tensor) -> Tensor:
        """The clear picture, float [1, 3, H, W]."""
        clear: Tensor = self._net(y)
        return clear
