"""The haze posterior: what a small net, trained on clean photographs alone, believes of a veil over a picture.

Haze takes contrast and colour away with distance (Koschmieder 1924). How much of the scene is left at a place is told
from the place and from all around, as in Ren et al. 2016; the net is told nothing of distance, and the haze that it
learned from follows distances that were made up.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ldrps.degradation import LocalTone
from ldrps.degradation.local import LEAST_SPREAD
from ldrps.estimation.residual import Residual
from ldrps.estimation.tone_posterior import logarithm, quantiles, reduced
from ldrps.prior.network import Network, configured

THICKEST = 2.6  # minus the logarithm of the transmission
_SPREAD = 1.5  # deviations of brightness that the bins of the field span to either side


@dataclass(frozen=True)
class HazeBelief:
    """What is believed of each of B pictures.

    Attributes:
        logit: of the probability that there is haze, [B].
        veil: what it would be, its transmission told place by place and by brightness.
    """

    logit: Tensor
    veil: LocalTone

    def invert(self, y: Tensor) -> Tensor:
        """Pictures y [B, 3, H, W] without it, not clamped."""
        return self.veil.invert(y)


class HazePosterior(Network):
    """Pictures [B, 3, H, W] in [0, 1], of any size, to the haze that may be over them, a `HazeBelief`.

    A U-Net on a thumbnail of `side` pixels; what is known of the whole goes into each place. `hazy` is the share of
    hazy pictures among those that it was trained on.
    """

    @configured
    def __init__(
        self, side: int = 128, widths: tuple[int, ...] = (32, 64, 96, 128), bins: int = 6, hazy: float = 0.5
    ) -> None:
        super().__init__()
        self.stem = nn.Conv2d(7, widths[0], 3, stride=2, padding=1)
        self.fine = Residual(widths[0])
        self.halve = nn.ModuleList(
            nn.Conv2d(width, wider, 3, stride=2, padding=1) for width, wider in itertools.pairwise(widths)
        )
        self.down = nn.ModuleList(nn.Sequential(Residual(width), Residual(width)) for width in widths[1:])
        self.statistics = nn.Sequential(nn.Linear(33, 64), nn.SiLU(), nn.Linear(64, 64), nn.SiLU())
        self.trunk = nn.Linear(2 * widths[-1] + 64, 128)
        self.answer = nn.Linear(128, 4)  # the logit, and the airlight of each channel
        self.whole = nn.Linear(128, widths[-1])
        # Back up to a quarter of the thumbnail.
        self.join = nn.ModuleList(
            nn.Conv2d(wider + width, width, 1) for width, wider in zip(widths[-2:0:-1], widths[:1:-1], strict=True)
        )
        self.up = nn.ModuleList(Residual(width) for width in widths[-2:0:-1])
        self.told = nn.Conv2d(widths[1], bins, 3, padding=1, padding_mode="replicate")
        nn.init.normal_(self.answer.weight, std=0.01)
        nn.init.zeros_(self.answer.bias)
        nn.init.normal_(self.told.weight, std=1e-3)
        nn.init.constant_(self.told.bias, -1.5)  # type: ignore[arg-type]

    def forward(self, images: Tensor) -> HazeBelief:
        y = reduced(images.clamp(0, 1), self.config["side"])
        x = self.fine(self.stem(torch.cat([2 * y - 1, logarithm(y), 2 * y.amin(1, keepdim=True) - 1], 1)))
        seen = []
        for halve, down in zip(self.halve, self.down, strict=True):
            x = down(halve(F.silu(x)))
            seen.append(x)
        told = self.statistics(quantiles(y).to(x.dtype))
        whole = F.silu(self.trunk(torch.cat([x.mean((2, 3)), x.std((2, 3)), told], 1)))
        x = x + self.whole(whole)[:, :, None, None]
        for finer, join, up in zip(seen[-2::-1], self.join, self.up, strict=True):
            larger = F.interpolate(x, finer.shape[-2:], mode="bilinear", align_corners=False)
            x = up(join(F.silu(torch.cat([larger, finer], 1))))
        log_gain = -THICKEST * torch.sigmoid(self.told(F.silu(x)).float())
        answer = self.answer(whole).float()
        luma = y.float().mean(1).flatten(1)
        middle, spread = luma.mean(1), _SPREAD * luma.std(1) + LEAST_SPREAD
        airlight = 0.65 + 0.55 * torch.tanh(answer[:, 1:] + 0.5)
        return HazeBelief(answer[:, 0], LocalTone(log_gain, airlight, middle - spread, middle + spread))
