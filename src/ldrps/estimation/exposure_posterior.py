"""The exposure posterior: what a small net, trained on clean photographs alone, believes of wrong light in a picture.

A picture may be too dark in parts, before a window or against the light, and where it is dark its lights may be as they
should: so the light is told place by place and by brightness, as a bilateral grid (Chen et al. 2007).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ldrps.degradation import LocalTone, Tone
from ldrps.estimation.field_network import FieldNetwork
from ldrps.prior.network import configured

_DARKEST, _BRIGHTEST = 4.0, 1.0  # logarithms of gains
_TINT = 0.3  # of the logarithm of what a channel's gain differs by


@dataclass(frozen=True)
class ExposureBelief:
    """What is believed of each of B pictures.

    Attributes:
        logit: of the probability that its light is wrong, [B].
        light: how much of it there would be, as factors of sRGB values.
        tint: what differs between channels, gains [B, 3].
    """

    logit: Tensor
    light: LocalTone
    tint: Tone

    def invert(self, y: Tensor) -> Tensor:
        """Pictures y [B, 3, H, W] in the light that there should have been, not clamped."""
        return self.tint.invert(self.light.invert(y))


class ExposurePosterior(FieldNetwork):
    """Pictures to the light that they may have had too little or too much of, an `ExposureBelief`.

    It sees a thumbnail of `side` pixels. `wrong` is the share of badly lit pictures among those that it was trained on.
    """

    @configured
    def __init__(
        self, side: int = 128, widths: tuple[int, ...] = (32, 64, 96, 128), bins: int = 8, wrong: float = 0.5
    ) -> None:
        super().__init__()
        self.build(widths, bins, 4, start=0.0)  # the logit, and a tint

    def forward(self, images: Tensor) -> ExposureBelief:
        answer, told, dark, bright = self.look(images)
        log_gain = torch.where(told < 0, _DARKEST * torch.tanh(told / _DARKEST), _BRIGHTEST * torch.tanh(told))
        tint = _TINT * torch.tanh(answer[:, 1:])
        gains = (tint - tint.mean(1, keepdim=True)).exp()
        return ExposureBelief(answer[:, 0], LocalTone(log_gain, 0.0, dark, bright), Tone(gains))
