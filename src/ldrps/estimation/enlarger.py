"""What a small picture is expected to be when it is larger, by a small net that learned from clean photographs."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ldrps.degradation import resize
from ldrps.estimation.residual import Residual
from ldrps.prior.network import Network, configured

FACTOR = 4
_ALIKE = 2  # blocks before what is wrong with all of the picture is found out


class Enlarger(Network):
    """Pictures [B, 3, h, w] in [0, 1], of any size, to the expected picture of `FACTOR` times as many pixels each way,
    [B, 3, FACTOR h, FACTOR w], not clamped: without the blur, noise and marks of JPEG that the small one may have.

    All convolutions are of the small size (sub-pixel convolution, Shi et al. 2016), with no norm between them (Lim et
    al. 2017). How blurred, noisy or compressed a picture is, its features tell all over it: their mean, and how large
    they are, modulate them (Perez et al. 2018).
    """

    @configured
    def __init__(self, width: int = 64, depth: int = 12) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, width, 3, padding=1)
        self.blocks = nn.ModuleList(Residual(width) for _ in range(depth))
        self.told = nn.Sequential(nn.Linear(2 * width, width), nn.SiLU(), nn.Linear(width, 2 * width))
        self.last = nn.Conv2d(width, 3 * FACTOR**2, 3, padding=1)
        for layer in (self.told[-1], self.last):  # a cubic's enlargement at first
            nn.init.zeros_(layer.weight)  # type: ignore[arg-type]
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]

    def forward(self, images: Tensor) -> Tensor:
        height, width = (FACTOR * side for side in images.shape[-2:])
        stem = x = self.stem(2 * images - 1)
        for number, block in enumerate(self.blocks):
            if number == _ALIKE:
                everywhere = torch.cat([x.mean((2, 3)), x.abs().mean((2, 3))], 1)
                gain, bias = self.told(everywhere)[:, :, None, None].chunk(2, 1)
                x = x * (1 + gain) + bias
            x = block(x)
        detail: Tensor = F.pixel_shuffle(self.last(x + stem), FACTOR).float()
        return resize(images, (height, width)) + detail
