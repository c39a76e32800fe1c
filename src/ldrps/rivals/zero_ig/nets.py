"""The three networks of ZERO-IG: a denoiser before, the illumination, and a denoiser after."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LEAST = 1e-4  # of everything that is clamped, and added to the picture


def clamped(x: Tensor) -> Tensor:
    """To [1e-4, 1]."""
    return x.clamp(LEAST, 1)


def pair(x: Tensor) -> tuple[Tensor, Tensor]:
    """Two pictures of half the size, the means of one and of the other diagonal of each 2x2 pixels; sides are even."""
    upper, lower = x[..., ::2, :], x[..., 1::2, :]
    first = (upper[..., 1::2] + lower[..., ::2]) / 2
    return first, (upper[..., ::2] + lower[..., 1::2]) / 2


def noise_net(channels: int) -> nn.Sequential:
    """N1 (3 channels) or N2 (6): the noise in [B, channels, H, W], to be subtracted."""
    return nn.Sequential(
        nn.Conv2d(channels, 48, 3, padding=1),
        nn.LeakyReLU(0.2),
        nn.Conv2d(48, 48, 3, padding=1),
        nn.LeakyReLU(0.2),
        nn.Conv2d(48, channels, 1),
    )


class Illumination(nn.Module):
    """E: the light s of [B, 3, H, W], in [1e-4, 1]. One block is applied three times."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 64, 3, padding=1)
        inner, norm = nn.Conv2d(64, 64, 3, padding=1), nn.BatchNorm2d(64)
        self.block = nn.Sequential(inner, norm, nn.ReLU())
        self.last = nn.Conv2d(64, 3, 3, padding=1)
        for layer in (self.first, inner, self.last):
            nn.init.normal_(layer.weight, 0, 0.02)
            assert layer.bias is not None
            nn.init.zeros_(layer.bias)
        nn.init.normal_(norm.weight, 1, 0.02)

    def forward(self, x: Tensor) -> Tensor:
        """The light of x."""
        inner = F.relu(self.first(x))
        for _ in range(3):
            inner = inner + self.block(inner)
        return clamped(self.last(inner).sigmoid())


@dataclass(frozen=True)
class Seen:
    """Everything that one pass sees, named as in the description of the losses; each [1, 3 or 6, H or H/2, W or W/2].

    Attributes:
        x1, x2: the pair of the picture.
        q1, q2: the same without N1's noise.
        clean: L, the picture without N1's noise.
        light: s.
        lit: H, the picture over its light; h1, h2 the same of the pair.
        s1, s2: the pair of the light.
        r1, r2: [H, s] of the pair without N2's noise.
        result: F, H without N2's noise.
        light_again: s', which N2 gives beside it.
    """

    x1: Tensor
    x2: Tensor
    q1: Tensor
    q2: Tensor
    clean: Tensor
    light: Tensor
    lit: Tensor
    h1: Tensor
    h2: Tensor
    s1: Tensor
    s2: Tensor
    r1: Tensor
    r2: Tensor
    result: Tensor
    light_again: Tensor


class ZeroIgNet(nn.Module):
    """N1, E and N2. Batch normalisation stays in training mode, as there is one picture."""

    def __init__(self) -> None:
        super().__init__()
        self.n1, self.e, self.n2 = noise_net(3), Illumination(), noise_net(6)

    def forward(self, picture: Tensor) -> Seen:
        """All of a picture [1, 3, H, W] in [0, 1] with even sides."""
        x = picture + LEAST
        x1, x2 = pair(x)
        q1, q2 = x1 - self.n1(x1), x2 - self.n1(x2)
        clean = clamped(x - self.n1(x))
        light = self.e(clean.detach())
        s1, s2 = pair(light)
        lit, h1, h2 = clamped(x / light), clamped(x1 / s1), clamped(x2 / s2)
        r1, r2, last = (self._without_noise(*both) for both in ((h1, s1), (h2, s2), (lit, light)))
        result, light_again = last.chunk(2, 1)
        return Seen(x1, x2, q1, q2, clean, light, lit, h1, h2, s1, s2, r1, r2, result, light_again)

    def _without_noise(self, lit: Tensor, light: Tensor) -> Tensor:
        both = torch.cat([lit, light], 1)
        return clamped(both.detach() - self.n2(both))
