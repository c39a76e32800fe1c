"""The tone posterior: what a small net, trained on clean photographs alone, believes was done to a picture's tones.

An amortised posterior mean (neural posterior estimation, Cranmer et al. 2020): photographs are darkened, veiled or
flattened at random, and the net learns the curve that best undoes it. It judges exposure, contrast and colour far
better than the likelihood of a diffusion model of the same size does, and it is never told which damage it looks at.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn

_EPS = 1e-4  # keeps the power's derivative finite at black


@dataclass(frozen=True)
class ToneCurve:
    """The damage y = gain * x ** (1 / gamma) + offset per channel, as its inverse is needed; each field [B, 3]."""

    gain: Tensor
    offset: Tensor
    gamma: Tensor

    def invert(self, images: Tensor) -> Tensor:
        """x = ((y - offset) / gain) ** gamma for images [B, 3, H, W] in [0, 1]; below the offset is black."""
        gain, offset, gamma = (p[:, :, None, None] for p in (self.gain, self.offset, self.gamma))
        linear = (images - offset) / gain
        return torch.where(linear > _EPS, linear.clamp_min(_EPS) ** gamma, linear.clamp_min(0) * _EPS ** (gamma - 1))


class _Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(width, width, 3, padding=1)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv2(F.silu(self.conv1(F.silu(x))))


class TonePosterior(ModelMixin, ConfigMixin):
    """Damaged pictures [B, 3, H, W] in [0, 1], of any size, to the mean of the posterior over their `ToneCurve`.

    `tolerance` is the root mean square change of one undamaged, held-out photograph in ten: what is not evidence.
    """

    @register_to_config
    def __init__(
        self, thumbnail: int = 64, widths: tuple[int, ...] = (32, 64, 128, 160), tolerance: float = 0.0
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(9, widths[0], 3, stride=2, padding=1), _Residual(widths[0])]
        for width, wider in itertools.pairwise(widths):
            layers += [nn.SiLU(), nn.Conv2d(width, wider, 3, stride=2, padding=1), _Residual(wider)]
        self.features = nn.Sequential(*layers, nn.SiLU())
        # Mean and deviation over positions: the answer is about the whole picture.
        answer = nn.Linear(128, 9)
        nn.init.zeros_(answer.weight)
        nn.init.zeros_(answer.bias)  # starts at "no damage"
        self.head = nn.Sequential(nn.Linear(2 * widths[-1], 128), nn.SiLU(), answer)

    def forward(self, images: Tensor) -> ToneCurve:
        size = self.config["thumbnail"]
        y = F.interpolate(images, (size, size), mode="area") if images.shape[-2:] != (size, size) else images
        y = y.clamp(0, 1)
        standard = (y - y.mean((2, 3), keepdim=True)) / (y.std((1, 2, 3), keepdim=True) + 0.01)
        logarithm = (y + 1 / 255).log() / 2 + 1
        features = self.features(torch.cat([2 * y - 1, logarithm, standard], 1))  # [B, C, h, w]
        pooled = torch.cat([features.mean((2, 3)), features.std((2, 3))], 1)
        log_gain, offset, log_gamma = self.head(pooled).chunk(3, 1)
        return ToneCurve(log_gain.clamp(-4.5, 1).exp(), offset.clamp(-0.5, 0.9), log_gamma.clamp(-1.2, 1.2).exp())
