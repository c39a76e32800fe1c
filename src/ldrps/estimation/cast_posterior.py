"""The cast posterior: what a small net, trained on photographs as people show them, believes of the light's colour.

Under one light the logarithms of a picture's colours are shifted all alike (Barron 2015): the net sees their histogram
beside the picture itself, which says what the things are that have them.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ldrps.degradation import WhiteBalance
from ldrps.estimation.pooling import looked_at, moments
from ldrps.estimation.residual import Residual, halvings
from ldrps.estimation.tone_posterior import logarithm, quantiles, reduced
from ldrps.prior.network import Network, configured

_BINS, _REACH = 32, 1.0  # of the histogram, each way, and the logarithm of a ratio at its border
_DARK, _BRIGHT = 0.03, 0.97  # beyond them a pixel's colour is not the light's
_MOST = 1.2  # of the logarithm of a gain


@dataclass(frozen=True)
class CastBelief:
    """What is believed of each of B pictures.

    Attributes:
        logit: of the probability that its light was taken for another, [B].
        cast: what that did to it, gains [B, 3] in linear light.
    """

    logit: Tensor
    cast: WhiteBalance


class CastPosterior(Network):
    """Pictures [B, 3, H, W] in [0, 1], of any size, to the cast that they may have, a `CastBelief`.

    `casts` is the share of pictures with a cast among those that it was trained on.
    """

    @configured
    def __init__(
        self, side: int = 64, widths: tuple[int, ...] = (32, 64, 96, 128), looks: int = 4, casts: float = 0.5
    ) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(8, widths[0], 3, stride=2, padding=1), Residual(widths[0]), *halvings(widths), nn.SiLU()
        )
        self.looks = nn.Conv2d(widths[-1], looks, 1)
        histogram = (16, 32, 64)
        self.histogram = nn.Sequential(
            nn.Conv2d(2, histogram[0], 3, stride=2, padding=1), Residual(histogram[0]), *halvings(histogram), nn.SiLU(),
            nn.Flatten(), nn.Linear(histogram[-1] * (_BINS // 8) ** 2, 96), nn.SiLU(),
        )  # fmt: skip
        self.trunk = nn.Sequential(
            nn.Linear((2 + looks) * widths[-1] + 96 + 33, 192), nn.SiLU(), nn.Linear(192, 128), nn.SiLU()
        )
        self.answer = nn.Linear(128, 4)
        nn.init.normal_(self.answer.weight, std=0.01)
        nn.init.zeros_(self.answer.bias)

    def forward(self, images: Tensor) -> CastBelief:
        sharp = reduced(images.clamp(0, 1), 2 * self.config["side"])
        y = reduced(sharp, self.config["side"])
        ratios = _ratios(y)
        x = self.features(torch.cat([2 * y - 1, logarithm(y), ratios], 1))
        weights = torch.ones_like(x[:, :1])
        seen = self.histogram(_histogram(sharp).to(x.dtype))
        told = torch.cat(
            [moments(x, weights), looked_at(x, self.looks(x), weights), seen, quantiles(sharp).to(x.dtype)], 1
        )
        answer = self.answer(self.trunk(told)).float()
        return CastBelief(answer[:, 0], WhiteBalance((_MOST * torch.tanh(answer[:, 1:])).exp(), "linear"))


def _ratios(y: Tensor) -> Tensor:
    """The logarithms of red and blue by green, [B, 2, H, W]."""
    logs = (y + 1 / 255).log()
    return logs[:, 0::2] - logs[:, 1:2]


@torch.no_grad()
def _histogram(y: Tensor) -> Tensor:
    """How often each pair of ratios is there among the pixels, and among the differences of neighbours, of y
    [B, 3, H, W], as roots of shares, [B, 2, bins, bins].
    """
    y = y.float()
    edges = (y[..., :, 1:] - y[..., :, :-1]).abs()[..., 1:, :] + (y[..., 1:, :] - y[..., :-1, :]).abs()[..., :, 1:]
    strong = edges.mean(1, keepdim=True)
    known = ((y > _DARK) & (y < _BRIGHT)).all(1, keepdim=True).float()
    pairs = (
        (_ratios(y), known),
        (_ratios(edges), (edges.amin(1, keepdim=True) > _DARK).float() * strong),
    )
    return torch.stack([_counted(ratios, weights) for ratios, weights in pairs], 1)


def _counted(ratios: Tensor, weights: Tensor) -> Tensor:
    """Roots of the shares of pairs of ratios [B, 2, H, W] in each bin, [B, bins, bins]."""
    places = ((ratios / _REACH + 1) / 2 * _BINS).long().clamp(0, _BINS - 1)
    index = (places[:, 0] * _BINS + places[:, 1]).flatten(1)
    counts = ratios.new_zeros(len(ratios), _BINS**2).scatter_add_(1, index, weights.flatten(1))
    shares = counts / counts.sum(1, keepdim=True).clamp_min(1e-6)
    return shares.sqrt().reshape(-1, _BINS, _BINS)
