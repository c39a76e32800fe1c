"""Zero-DCE++ (Guo et al., CVPR 2020; Li et al., TPAMI 2021): light by a curve that a small network draws."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ldrps.errors import SettingsError
from ldrps.rivals.facts import Facts
from ldrps.rivals.published import PublishedNet
from ldrps.rivals.registry import own_weights
from ldrps.rivals.rival import RivalSettings
from ldrps.rivals.weights import Published
from ldrps.weights import read_weights

OWN_WEIGHTS = "zero-dce.safetensors"  # what `ldrps train zero-dce` leaves
WEIGHTS = Published(
    ("Epoch99.pth", "zero_dce_pp.pth"),
    "github.com/Li-Chongyi/Zero-DCE_extension, Zero-DCE++/snapshots_Zero_DCE++",
    "ca8855b90df9a80fa4195a831f33d3476b1964f787eb70602797c773067f3b84",
    "CC BY-NC 4.0: not for commercial use",
)
ITERATIONS = 8


class Separable(nn.Module):
    """A depthwise 3x3 convolution and a 1x1 one, under the published weights' names."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.depth_conv = nn.Conv2d(before, before, 3, padding=1, groups=before)
        self.point_conv = nn.Conv2d(before, after, 1)

    def forward(self, x: Tensor) -> Tensor:
        """[B, before, H, W] to [B, after, H, W]."""
        return self.point_conv(self.depth_conv(x))


class CurveNet(nn.Module):
    """The map of curves a, [B, 3, H, W] in [-1, 1], of a picture [B, 3, H, W] in [0, 1]."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.e_conv1 = Separable(3, width)
        self.e_conv2, self.e_conv3, self.e_conv4 = (Separable(width, width) for _ in range(3))
        self.e_conv5, self.e_conv6 = (Separable(2 * width, width) for _ in range(2))
        self.e_conv7 = Separable(2 * width, 3)

    def forward(self, x: Tensor) -> Tensor:
        """Layers 5 to 7 each see one of the first three again."""
        c1 = self.e_conv1(x).relu()
        c2 = self.e_conv2(c1).relu()
        c3 = self.e_conv3(c2).relu()
        c4 = self.e_conv4(c3).relu()
        c5 = self.e_conv5(torch.cat([c3, c4], 1)).relu()
        c6 = self.e_conv6(torch.cat([c2, c5], 1)).relu()
        return self.e_conv7(torch.cat([c1, c6], 1)).tanh()


def curved(x: Tensor, a: Tensor) -> Tensor:
    """Eight times x <- x + a (x^2 - x), the same a each time."""
    for _ in range(ITERATIONS):
        x = x + a * (x * x - x)
    return x


@dataclass(frozen=True)
class ZeroDceSettings(RivalSettings):
    """Zero-DCE++'s number.

    Attributes:
        shrink: the curves are drawn on a picture so many times smaller each way, and enlarged: 12 in the published
            test script, 1 in training.
    """

    shrink: int = 12

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1 <= self.shrink <= 32:
            raise SettingsError(f"shrink is {self.shrink}; it must be 1 to 32")


class ZeroDce(PublishedNet):
    """Zero-DCE++ with given weights, see `PublishedNet`."""

    settings_type = ZeroDceSettings
    net_type = CurveNet
    weights = WEIGHTS

    def restored(self, y: Tensor) -> Tensor:
        """The picture in the light that the curves give it, float [1, 3, H, W]."""
        settings = self.settings
        assert isinstance(settings, ZeroDceSettings)
        if settings.shrink == 1:
            return curved(y, self._net(y)).clamp(0, 1)
        height, width = y.shape[-2:]
        size = (-(-height // settings.shrink), -(-width // settings.shrink))
        a = self._net(F.interpolate(y, size, mode="bilinear"))
        return curved(y, F.interpolate(a, (height, width), mode="bilinear", align_corners=True)).clamp(0, 1)


class OwnZeroDce(ZeroDce):
    """Zero-DCE++ with weights of `ldrps train zero-dce`: others, if a file or a folder with them is given, or those
    that come with ldrps.
    """

    @classmethod
    def read(cls, facts: Facts, given: Path | None) -> dict[str, Tensor]:
        """See `PublishedNet.read`."""
        if given is not None and given.is_dir():
            file = given / OWN_WEIGHTS
            given = file if file.is_file() else None
        return read_weights(given or own_weights(facts))
