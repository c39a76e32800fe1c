"""The haze posterior: what a small net, trained on clean photographs alone, believes of a veil over a picture.

Haze takes contrast and colour away with distance (Koschmieder 1924). How much of the scene is left at a place is told
from the place and from all around, as in Ren et al. 2016; the net is told nothing of distance, and the haze that it
learned from follows distances that were made up.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ldrps.degradation import LocalTone
from ldrps.estimation.field_network import FieldNetwork
from ldrps.prior.network import configured

THICKEST = 2.6  # minus the logarithm of the transmission


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


class HazePosterior(FieldNetwork):
    """Pictures to the haze that may be over them, a `HazeBelief`.

    It sees a thumbnail of `side` pixels. `hazy` is the share of hazy pictures among those that it was trained on.
    """

    @configured
    def __init__(
        self, side: int = 128, widths: tuple[int, ...] = (32, 64, 96, 128), bins: int = 6, hazy: float = 0.5
    ) -> None:
        super().__init__()
        self.build(widths, bins, 4, start=-1.5)  # the logit, and the airlight of each channel

    def forward(self, images: Tensor) -> HazeBelief:
        answer, told, dark, bright = self.look(images)
        airlight = 0.65 + 0.55 * torch.tanh(answer[:, 1:] + 0.5)
        return HazeBelief(answer[:, 0], LocalTone(-THICKEST * torch.sigmoid(told), airlight, dark, bright))
