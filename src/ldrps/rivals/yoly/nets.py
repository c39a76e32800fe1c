"""The three networks of YOLY: the clear picture J, the transmission T, and the airlight A."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

_LATENT = 100
_WIDTHS = (3, 16, 32, 64, 128)
FACTOR = 16  # between the sides of the picture and those of the airlight's innermost layer


def layer_net(out_channels: int) -> nn.Sequential:
    """J-Net (3 channels out) or T-Net (1): five 5x5 convolutions, all as wide as what comes out, [B, 3, H, W] in.

    Batch normalisation stays in training mode: the statistics are those of the one picture.
    """
    layers: list[nn.Module] = []
    for width in (3, *[out_channels] * 3):
        layers += [nn.Conv2d(width, out_channels, 5, padding=2), nn.BatchNorm2d(out_channels), nn.LeakyReLU(0.01)]
    return nn.Sequential(*layers, nn.Conv2d(out_channels, out_channels, 5, padding=2), nn.Sigmoid())


class AirlightNet(nn.Module):
    """A-Net, a variational autoencoder: [1, 3, H, W] to the airlight [1, 3, H, W], through 100 numbers.

    Args:
        height, width: of the picture, multiples of 16: its linear layers are made for them.
    """

    def __init__(self, height: int, width: int) -> None:
        super().__init__()
        self._inner = (_WIDTHS[-1], height // FACTOR, width // FACTOR)
        inner = self._inner[0] * self._inner[1] * self._inner[2]
        down: list[nn.Module] = []
        for before, after in pairwise(_WIDTHS):
            down += [nn.Conv2d(before, after, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)]
        self.encoder = nn.Sequential(*down, nn.Flatten())
        self.mean = nn.Linear(inner, _LATENT)
        self.log_variance = nn.Linear(inner, _LATENT)
        self.back = nn.Linear(_LATENT, inner)
        up: list[nn.Module] = []
        for before, after in pairwise(reversed(_WIDTHS)):
            up += [nn.Upsample(scale_factor=2, mode="bilinear"), nn.Conv2d(before, after, 5, padding=2)]
            up += [nn.Sigmoid()] if after == 3 else [nn.BatchNorm2d(after), nn.ReLU()]
        self.decoder = nn.Sequential(*up)

    def forward(self, x: Tensor, noise: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The airlight, and mean and log-variance of the code, [1, 100] as is `noise`, standard normal."""
        inner = self.encoder(x)
        mean, log_variance = self.mean(inner), self.log_variance(inner)
        code = mean + (log_variance / 2).exp() * noise
        return self.decoder(self.back(code).unflatten(1, self._inner)), mean, log_variance

    def code_noise(self, generator: torch.Generator, device: torch.device) -> Tensor:
        """Noise for one `forward`."""
        return torch.randn((1, _LATENT), generator=generator).to(device)
