"""The network of the judges that tell something place by place: a U-Net on a thumbnail, whose answer is a grid."""

from __future__ import annotations

import itertools

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ldrps.degradation.local import LEAST_SPREAD
from ldrps.estimation.residual import Residual
from ldrps.estimation.tone_posterior import logarithm, quantiles, reduced
from ldrps.prior.network import Network

_SPREAD = 1.5  # deviations of brightness that the bins of the grid span to either side


class FieldNetwork(Network):
    """Pictures [B, 3, H, W] in [0, 1], of any size, to answers about the whole, and a grid of places and brightness.

    What is known of the whole goes into each place. A network of this kind says in its `__init__` what it consists of,
    by `build`.
    """

    def build(self, widths: tuple[int, ...], bins: int, answers: int, start: float) -> None:
        """All layers; the grid begins at about `start`."""
        self.stem = nn.Conv2d(7, widths[0], 3, stride=2, padding=1)
        self.fine = Residual(widths[0])
        self.halve = nn.ModuleList(
            nn.Conv2d(width, wider, 3, stride=2, padding=1) for width, wider in itertools.pairwise(widths)
        )
        self.down = nn.ModuleList(nn.Sequential(Residual(width), Residual(width)) for width in widths[1:])
        self.statistics = nn.Sequential(nn.Linear(33, 64), nn.SiLU(), nn.Linear(64, 64), nn.SiLU())
        self.trunk = nn.Linear(2 * widths[-1] + 64, 128)
        self.answer = nn.Linear(128, answers)
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
        nn.init.constant_(self.told.bias, start)  # type: ignore[arg-type]

    def look(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Answers [B, A], the grid [B, bins, h, w], and the brightness of its first and last bin, [B] each."""
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
        luma = y.float().mean(1).flatten(1)
        middle, spread = luma.mean(1), _SPREAD * luma.std(1) + LEAST_SPREAD
        return self.answer(whole).float(), self.told(F.silu(x)).float(), middle - spread, middle + spread
