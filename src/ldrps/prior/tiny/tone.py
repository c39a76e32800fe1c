"""The tone posterior: what a small net, trained on clean photographs alone, believes was done to a picture's tones.

An amortised posterior (neural posterior estimation, Cranmer et al. 2020): photographs are darkened, veiled or flattened
at random, or left alone, and the net learns a mixture of curves that may have done it, one of them "nothing". It judges
exposure, contrast and colour far better than the likelihood of a diffusion model of the same size does, and it is never
told which damage it looks at.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn

SMALLEST_SCALE = 0.01  # of an expected error; below it, to be exact is worth no more
_EPS = 1e-4  # keeps the power's derivative finite at black


@dataclass(frozen=True)
class ToneCurve:
    """A damage y = gain * x ** (1 / gamma) + offset per channel, as its inverse is needed; each field [B, 3]."""

    gain: Tensor
    offset: Tensor
    gamma: Tensor

    def invert(self, images: Tensor) -> Tensor:
        """x = ((y - offset) / gain) ** gamma for images [B, 3, H, W] in [0, 1]; below the offset is black."""
        gain, offset, gamma = (p[:, :, None, None] for p in (self.gain, self.offset, self.gamma))
        linear = (images - offset) / gain
        return torch.where(linear > _EPS, linear.clamp_min(_EPS) ** gamma, linear.clamp_min(0) * _EPS ** (gamma - 1))


@dataclass(frozen=True)
class ToneBelief:
    """A mixture of hypotheses about each of B pictures; hypothesis 0 is that nothing was done.

    Attributes:
        curves: the other hypotheses, K of them.
        weights: probability of each, [B, K + 1].
        scales: the root mean square error that is expected where curve k is undone, [B, K].
    """

    curves: tuple[ToneCurve, ...]
    weights: Tensor
    scales: Tensor

    def undone(self, images: Tensor) -> Tensor:
        """Images [B, 3, H, W] in [0, 1] with what each hypothesis says undone, [B, K + 1, 3, H, W], not clamped."""
        return torch.stack([images, *(curve.invert(images) for curve in self.curves)], 1)

    def log_likelihood(self, errors: Tensor) -> Tensor:
        """Log density, [B], of root mean square errors [B, K + 1] of the hypotheses: a mixture of exponentials."""
        nothing = torch.full_like(self.scales[:, :1], SMALLEST_SCALE)
        scales = torch.cat([nothing, self.scales], 1)
        return torch.logsumexp(self.weights.log() - scales.log() - errors / scales, 1)


class _Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(width, width, 3, padding=1)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv2(F.silu(self.conv1(F.silu(x))))


class TonePosterior(ModelMixin, ConfigMixin):
    """Pictures [B, 3, H, W] in [0, 1], of any size, to what may have been done to their tones, a `ToneBelief`.

    `undamaged` is the share of undamaged pictures among those that it was trained on.
    """

    @register_to_config
    def __init__(
        self,
        thumbnail: int = 64,
        widths: tuple[int, ...] = (32, 64, 128, 160),
        hypotheses: int = 3,
        undamaged: float = 0.25,
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(9, widths[0], 3, stride=2, padding=1), _Residual(widths[0])]
        for width, wider in itertools.pairwise(widths):
            layers += [nn.SiLU(), nn.Conv2d(width, wider, 3, stride=2, padding=1), _Residual(wider)]
        self.features = nn.Sequential(*layers, nn.SiLU())
        # Mean and deviation over positions: the answer is about the whole picture.
        self.trunk = nn.Linear(2 * widths[-1], 128)
        # Nine numbers of a curve and its scale for each hypothesis, and the weights, "nothing" first.
        self.answer = nn.Linear(128, 11 * hypotheses + 1)
        nn.init.normal_(self.answer.weight, std=0.01)  # near "no damage", each hypothesis a little different
        nn.init.zeros_(self.answer.bias)
        nn.init.constant_(self.answer.bias[9 * hypotheses : 10 * hypotheses], -3.0)  # scales of exp(-3) = 0.05

    def forward(self, images: Tensor) -> ToneBelief:
        size, count = self.config["thumbnail"], self.config["hypotheses"]
        y = F.interpolate(images, (size, size), mode="area") if images.shape[-2:] != (size, size) else images
        y = y.clamp(0, 1)
        standard = (y - y.mean((2, 3), keepdim=True)) / (y.std((1, 2, 3), keepdim=True) + 0.01)
        logarithm = (y + 1 / 255).log() / 2 + 1
        features = self.features(torch.cat([2 * y - 1, logarithm, standard], 1))  # [B, C, h, w]
        pooled = torch.cat([features.mean((2, 3)), features.std((2, 3))], 1)
        curves, scales, logits = self.answer(F.silu(self.trunk(pooled))).split([9 * count, count, count + 1], 1)
        return ToneBelief(
            tuple(_curve(nine) for nine in curves.split(9, 1)),
            F.softmax(logits, 1).clamp_min(1e-8),
            scales.exp().clamp(SMALLEST_SCALE, 1),
        )


def _curve(answer: Tensor) -> ToneCurve:
    log_gain, offset, log_gamma = answer.chunk(3, 1)
    return ToneCurve(log_gain.clamp(-4.5, 1).exp(), offset.clamp(-0.5, 0.9), log_gamma.clamp(-1.2, 1.2).exp())
