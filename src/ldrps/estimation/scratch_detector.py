"""Where a print is scratched, cracked, dusty or bare: what a small net says, trained on marks that code draws."""

from __future__ import annotations

import itertools

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ldrps.estimation.residual import Residual
from ldrps.image.space import luma_of
from ldrps.prior.network import Network, configured

_FINE = 0.03  # of 1: details below this are seen in proportion, above it in logarithms


class ScratchDetector(Network):
    """Pictures [B, 3, H, W] in [0, 1], of any size, to the logits of how likely a mark hides each pixel,
    [B, 1, H, W].

    A U-Net (Ronneberger et al. 2015), whose finest level is in full size and narrow: a scratch may be a pixel wide.
    """

    @configured
    def __init__(self, widths: tuple[int, ...] = (16, 40, 72, 112, 112)) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3 + 1, widths[0], 3, padding=1)
        pairs = list(itertools.pairwise(widths))
        self.down = nn.ModuleList(
            nn.Sequential(nn.SiLU(), nn.Conv2d(width, wider, 3, stride=2, padding=1), Residual(wider))
            for width, wider in pairs
        )
        self.middle = Residual(widths[-1])
        self.up = nn.ModuleList(nn.Sequential(nn.SiLU(), nn.Conv2d(wider, 4 * width, 1)) for width, wider in pairs)
        self.joined = nn.ModuleList(Residual(width) for width in widths[:-1])
        self.answer = nn.Conv2d(widths[0], 1, 3, padding=1)
        nn.init.zeros_(self.answer.weight)
        nn.init.constant_(self.answer.bias, -4.0)  # type: ignore[arg-type]  # few pixels are hidden

    @property
    def multiple(self) -> int:
        """Of pixels, to which sides are padded."""
        return int(2 ** len(self.down))

    def forward(self, images: Tensor) -> Tensor:
        height, width = images.shape[-2:]
        images = images.clamp(0, 1)
        beyond = (-width % self.multiple, -height % self.multiple)
        seen = F.pad(torch.cat([2 * images - 1, _detail(images)], 1), (0, beyond[0], 0, beyond[1]), mode="replicate")
        x = self.stem(seen)
        levels = [x]
        for down in self.down:
            levels.append(down(levels[-1]))
        x = self.middle(levels.pop())
        for up, joined in zip(reversed(self.up), reversed(self.joined), strict=True):
            x = joined(levels.pop() + F.pixel_shuffle(up(x), 2))
        told: Tensor = self.answer(F.silu(x)).float()
        return told[..., :height, :width]


def _detail(images: Tensor) -> Tensor:
    """How the luma of images [B, 3, H, W] differs from that around, [B, 1, H, W]."""
    luma = luma_of(images)
    around = F.avg_pool2d(luma, 5, 1, 2, count_include_pad=False)
    return torch.asinh((luma - around) / _FINE)
