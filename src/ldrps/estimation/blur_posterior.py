"""The blur posterior: what a small net, trained on clean photographs alone, believes a picture is blurred by.

An amortised posterior, as those of tones and of noise: photographs are put out of focus, shaken or enlarged, or left
alone, and the net learns which it was, and by how much. It sees the picture, and the spectrum of its edges, which is
that of the kernel times one that photographs have in common.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ldrps.errors import InputError
from ldrps.estimation.pooling import looked_at, moments, place_weights, with_prior
from ldrps.estimation.residual import Residual, halvings
from ldrps.image.space import luma_of
from ldrps.prior.network import Network, configured

BlurKind = Literal["gaussian", "disk", "motion", "enlarged"]
BLURS: tuple[BlurKind, ...] = get_args(BlurKind)
SMALLEST = 48  # pixels a side that it can judge
_TILE, _HOP = 32, 16  # pixels of a spectrum, and from one to the next
_FINE = 0.01  # of 1: edges below this are seen in proportion, above it in logarithms
_QUIET = 1e-6  # of a spectrum: below it is rounding to bytes
_ROUNDEST = -1.5  # a logarithm: of round kernels the shape is no news, and would be all that is learned


@dataclass(frozen=True)
class BlurBelief:
    """What each of B pictures may be blurred by.

    Attributes:
        probability: that it is sharp, and of each of `BLURS`, [B, 1 + kinds].
        middle: of the logarithm of the size of each kind if it is there, [B, kinds]; see `BlurPosterior`.
        spread: the deviation of that logarithm, [B, kinds].
        shape: how far a kernel is longer than wide, 0 to 1, times the cosine and the sine of twice its angle, up from
            the right, [B, 2].
        shape_spread: its deviation, [B].
    """

    probability: Tensor
    middle: Tensor
    spread: Tensor
    shape: Tensor
    shape_spread: Tensor

    def with_prior(self, none: float, seen: float) -> BlurBelief:
        """The same with another probability of no blur, before a picture is seen, than its share in training."""
        return replace(self, probability=with_prior(self.probability, none, seen))

    def log_likelihood(self, kind: Tensor, size: Tensor, shape: Tensor) -> Tensor:
        """Log density, [B], of a kind [B], 0 for none, 1 for the first of `BLURS`, a size [B] and a shape [B, 2]."""
        told = self.probability.gather(1, kind[:, None])[:, 0].log()
        of = (kind - 1).clamp_min(0)[:, None]
        middle, spread = (each.gather(1, of)[:, 0] for each in (self.middle, self.spread))
        density = -((size.log() - middle) ** 2) / (2 * spread**2) - spread.log()
        away = (shape - self.shape).square().sum(1)
        turned = -away / (2 * self.shape_spread**2) - 2 * self.shape_spread.log()
        return told + torch.where(kind > 0, density + 0.25 * turned, 0.0)


class BlurPosterior(Network):
    """Pictures [B, 3, H, W] in [0, 1], of at least 48 pixels a side, to what they may be blurred by, a `BlurBelief`.

    Sizes are, of a Gaussian, the mean of its two deviations (the root of their product); of a disk, its radius; of a
    motion, the deviation of its path along its longer axis; and the factor by which a picture was enlarged; all in
    pixels. `none` is the share of sharp pictures among those that it was trained on.
    """

    @configured
    def __init__(self, widths: tuple[int, ...] = (40, 64, 96), none: float = 0.4) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(4 * 5, widths[0], 3, padding=1), Residual(widths[0]), *halvings(widths), nn.SiLU()
        )
        self.attention = nn.Conv2d(widths[-1], 4, 1)  # edges tell of blur, and walls do not
        self.spectrum = nn.Sequential(
            nn.Linear(2 * _TILE * (_TILE // 2 + 1), 128), nn.SiLU(), nn.Linear(128, 128), nn.SiLU()
        )
        self.trunk = nn.Sequential(nn.Linear(6 * widths[-1] + 128, 160), nn.SiLU(), nn.Linear(160, 128), nn.SiLU())
        self.answer = nn.Linear(128, 1 + 3 * len(BLURS) + 3)
        nn.init.normal_(self.answer.weight, std=0.01)
        nn.init.zeros_(self.answer.bias)

    def forward(self, images: Tensor, visible: Tensor | None = None) -> BlurBelief:
        """`visible` [1, 1, H, W] in [0, 1] is how much each pixel counts.

        Raises:
            InputError: the pictures are too small.
        """
        if min(images.shape[-2:]) < SMALLEST:
            raise InputError(f"images have shape {list(images.shape)}; both sides must be {SMALLEST} pixels or more")
        images = images.clamp(0, 1)
        images = images[..., : images.shape[-2] // 2 * 2, : images.shape[-1] // 2 * 2]
        seen = torch.cat([2 * images - 1, torch.asinh(_edges(images) / _FINE)], 1)
        features = self.features(F.pixel_unshuffle(seen, 2))
        weights = place_weights(features, visible)
        pooled = torch.cat([moments(features, weights), looked_at(features, self.attention(features), weights)], 1)
        told = self.spectrum(_spectrum(images, visible).to(features.dtype))
        answer = self.answer(self.trunk(torch.cat([pooled, told], 1))).float()
        count = len(BLURS)
        logits, middle, spread, shape, unsure = answer.split([1 + count, count, count, 2, 1], 1)
        length = shape.norm(dim=1, keepdim=True)
        return BlurBelief(
            F.softmax(logits, 1).clamp_min(1e-6),
            (middle + 0.5).clamp(-1.5, 3.5),
            (spread - 1).clamp(-4, 1).exp(),
            shape * torch.tanh(length) / length.clamp_min(1e-6),
            (unsure[:, 0] - 1).clamp(_ROUNDEST, 0).exp(),
        )


def _edges(images: Tensor) -> Tensor:
    """Differences of the luma of images [B, 3, H, W] down and across, [B, 2, H, W]."""
    luma = luma_of(images)
    down, across = F.pad(luma, (0, 0, 0, 1), mode="replicate"), F.pad(luma, (0, 1, 0, 0), mode="replicate")
    return torch.cat([down.diff(dim=-2), across.diff(dim=-1)], 1)


def _spectrum(images: Tensor, visible: Tensor | None) -> Tensor:
    """Of the luma, in tiles: the logarithm of the mean power, and the mean of its logarithm, [B, 2 * 32 * 17]."""
    luma = luma_of(images.float())
    tiles = luma.unfold(-2, _TILE, _HOP).unfold(-2, _TILE, _HOP).flatten(1, 3)  # [B, N, 32, 32]
    window = torch.hann_window(_TILE, device=luma.device)
    tiles = (tiles - tiles.mean((-2, -1), keepdim=True)) * window[:, None] * window
    power = torch.fft.rfft2(tiles, norm="ortho").abs().square() + _QUIET
    weight = power.new_ones(1, power.shape[1], 1, 1)
    if visible is not None:
        seen = visible.to(luma).unfold(-2, _TILE, _HOP).unfold(-2, _TILE, _HOP).flatten(1, 3)
        weight = seen.amin((-2, -1))[..., None, None] + 1e-6
    weight = weight / weight.sum(1, keepdim=True)
    told = torch.stack([(weight * power).sum(1).log(), (weight * power.log()).sum(1)], 1)
    told = told + _usual(told)
    level = told.mean((-2, -1), keepdim=True)
    told = told - level
    told[..., :1, :1] = level / 4  # in the place of what is left of the mean, which was taken away
    return told.flatten(1)


def _usual(like: Tensor) -> Tensor:
    """What the logarithm of the power of photographs lacks to be even: it falls with the square of the frequency."""
    down = torch.fft.fftfreq(_TILE, device=like.device)[:, None]
    across = torch.fft.rfftfreq(_TILE, device=like.device)
    return (down**2 + across**2).clamp_min(_TILE**-2).log()
