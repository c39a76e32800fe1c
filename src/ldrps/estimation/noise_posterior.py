"""The noise posterior: what a small net, trained on clean photographs alone, believes of the noise in a picture.

An amortised posterior, as that of tones: photographs get white noise, the noise of cameras or that of JPEG, or none,
and the net learns which it was, and how much. It sees noise that neighbours share, which statistics of fine detail do
not, and has met the textures that they take for noise.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ldrps.degradation.kernels import taps
from ldrps.errors import InputError
from ldrps.estimation.noise import estimate_noise
from ldrps.estimation.pooling import looked_at, moments, place_weights, with_prior
from ldrps.estimation.residual import halvings
from ldrps.prior.base import NOISES
from ldrps.prior.network import Network, configured

SMALLEST = 32  # pixels a side that it can judge
_FINE = 0.01  # of 1: detail below this is seen in proportion, above it in logarithms
_SCALES = (1, 2, 4)  # of the copies whose finest detail is measured: noise that neighbours share shows in small ones
_LEAST = 1e-4  # of 1: a measured deviation below this is none
_TILE = 128  # pixels a side of the parts whose jumps are looked at for what repeats
_STEEPEST = 0.06  # of 1: a larger jump counts as one of so much, or edges would drown those of blocks
# Luma and two differences of colours, orthonormal.
_OPPONENT = ((0.57735, 0.57735, 0.57735), (0.70711, 0.0, -0.70711), (0.40825, -0.81650, 0.40825))


@dataclass(frozen=True)
class NoiseBelief:
    """What may be in each of B pictures.

    Attributes:
        probability: of no noise, and of each of `NOISES`, [B, 1 + kinds].
        middle: of the logarithm of the deviation, of 1, of each kind if it is there, [B, kinds].
        spread: the deviation of that logarithm, [B, kinds].
    """

    probability: Tensor
    middle: Tensor
    spread: Tensor

    def with_prior(self, none: float, seen: float) -> NoiseBelief:
        """The same with another probability of no noise, before a picture is seen, than its share in training."""
        return replace(self, probability=with_prior(self.probability, none, seen))

    def log_likelihood(self, kind: Tensor, level: Tensor) -> Tensor:
        """Log density, [B], of a kind [B], 0 for none, 1 for the first of `NOISES`, and a deviation [B] of 1."""
        told = self.probability.gather(1, kind[:, None])[:, 0].log()
        of = (kind - 1).clamp_min(0)[:, None]
        middle, spread = (each.gather(1, of)[:, 0] for each in (self.middle, self.spread))
        density = -((level.log() - middle) ** 2) / (2 * spread**2) - spread.log()
        return told + torch.where(kind > 0, density, 0.0)


class NoisePosterior(Network):
    """Pictures [B, 3, H, W] in [0, 1], of at least 32 pixels a side, to what noise they may have, a `NoiseBelief`.

    `none` is the share of pictures without noise among those that it was trained on; with `periods` it looks at which
    jumps between neighbours repeat at even distances, as the edges of blocks do.
    """

    @configured
    def __init__(self, widths: tuple[int, ...] = (24, 32, 48, 64), none: float = 0.3, periods: bool = False) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(6, widths[0], 3, padding=1), *halvings(widths), nn.SiLU())
        # Where to look is the net's to say: a wall tells more of noise than grass.
        self.attention = nn.Conv2d(widths[-1], 4, 1)
        self.trunk = nn.Linear(6 * widths[-1] + 3 * len(_SCALES) + periods * _TILE // 2, 128)
        self.answer = nn.Linear(128, 1 + 3 * len(NOISES))
        nn.init.normal_(self.answer.weight, std=0.01)
        nn.init.zeros_(self.answer.bias)

    def with_periods(self) -> NoisePosterior:
        """The same judge with a look at what repeats, which does not count yet: a start for training."""
        if self.config["periods"]:
            return self
        grown = NoisePosterior(**{**self.config, "periods": True})
        state = self.state_dict()
        state["trunk.weight"] = F.pad(state["trunk.weight"], (0, _TILE // 2))
        grown.load_state_dict(state)
        return grown

    def forward(self, images: Tensor, visible: Tensor | None = None) -> NoiseBelief:
        """`visible` [1, 1, H, W] in [0, 1] is how much each pixel counts.

        Raises:
            InputError: the pictures are too small.
        """
        if min(images.shape[-2:]) < SMALLEST:
            raise InputError(f"images have shape {list(images.shape)}; both sides must be {SMALLEST} pixels or more")
        images = images.clamp(0, 1)
        features = self.features(torch.cat([2 * images - 1, torch.asinh(_detail(images) / _FINE)], 1))
        weights = place_weights(features, visible)
        pooled = torch.cat([moments(features, weights), looked_at(features, self.attention(features), weights)], 1)
        statistics = [_statistics(images, visible)]
        if self.config["periods"]:
            statistics.append(_periods(images, visible))
        told = F.silu(self.trunk(torch.cat([pooled, *statistics], 1)))
        logits, middle, spread = self.answer(told).split([1 + len(NOISES), len(NOISES), len(NOISES)], 1)
        return NoiseBelief(
            F.softmax(logits, 1).clamp_min(1e-6), (middle - 4).clamp(-7.5, 0), (spread - 1).clamp(-4, 1).exp()
        )


def _detail(images: Tensor) -> Tensor:
    """Images less what is coarser than a pixel."""
    kernel = taps(0.8).to(images).expand(3, 1, 1, -1)
    reach = kernel.shape[-1] // 2
    smooth = F.conv2d(F.pad(images, (reach, reach, 0, 0), mode="replicate"), kernel, groups=3)
    return images - F.conv2d(F.pad(smooth, (0, 0, reach, reach), mode="replicate"), kernel.mT, groups=3)


def _statistics(images: Tensor, visible: Tensor | None) -> Tensor:
    """Logarithms of the noise that the finest detail of luma and colour would be, in full size and smaller, [B, 9]."""
    opponent = torch.einsum("bchw,dc->bdhw", images, images.new_tensor(_OPPONENT))
    told = []
    for scale in _SCALES:
        mask = None if visible is None else F.avg_pool2d(visible.to(images), scale)
        told.append(estimate_noise(F.avg_pool2d(opponent, scale), mask))
    return (torch.cat(told, 1) + _LEAST).log() + 5


def _periods(images: Tensor, visible: Tensor | None) -> Tensor:
    """How much the jumps between neighbours have of each frequency, up to one in two pixels, [B, 64]: the logarithm of
    its power beside the median of all.

    Blocks that were compressed one by one end in jumps at even distances, which remain, in proportion, when a picture
    is cut, reduced and compressed again. Tiles of a side of 128 pixels are looked at, and their powers averaged
    (Welch's method).
    """
    luma, power = images.float().mean(1, keepdim=True), images.new_zeros(())
    for y, seen in ((luma, visible), (luma.mT, None if visible is None else visible.mT)):
        steps = (
            F.pad(y, (2, 1, 0, 0), mode="replicate").diff(dim=-1).abs()
        )  # to each pixel, and to those on both sides of it
        jumps = steps[..., 1:-1] - (steps[..., :-2] + steps[..., 2:]) / 2
        profile = _tiled(jumps.clamp(-_STEEPEST, _STEEPEST)).mean(-2)
        lines = torch.fft.rfft(profile - profile.mean(-1, keepdim=True), _TILE).abs().square()[..., 1:]
        weights = torch.ones_like(lines[:1, ..., :1]) if seen is None else _tiled(seen.to(y)).mean((-2, -1))[..., None]
        power = power + (weights * lines).sum((1, 2, 3)) / weights.sum().clamp_min(1e-6)
    told = (power + 1e-9).log()
    return told - told.median(-1, keepdim=True).values


def _tiled(x: Tensor) -> Tensor:
    """The parts of [B, 1, H, W] of a side of 128 pixels, or less where it is smaller, [B, 1, rows, columns, h, w]."""
    tall, wide = (min(side, _TILE) for side in x.shape[-2:])
    return x.unfold(2, tall, tall).unfold(3, wide, wide)
