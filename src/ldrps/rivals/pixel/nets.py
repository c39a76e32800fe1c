"""What TAO learns for a picture: an adapter to the degraded domain, and two discriminators."""

from __future__ import annotations

from typing import NamedTuple, Self

import torch
from torch import Tensor, nn

from ldrps.estimation.fpam import Discriminator


class Adapter(nn.Module):
    """G: a clean picture [B, 3, H, W] to the domain of the degraded one, both in [0, 1]. There is no skip."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(3, 64, 3, padding=1), nn.LeakyReLU(),
            nn.Conv2d(64, 128, 3, padding=1), nn.LeakyReLU(),
            nn.Conv2d(128, 256, 3, padding=1), nn.LeakyReLU(),
            nn.Conv2d(256, 3, 1),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


class AdaptationNets(NamedTuple):
    """Made for one picture and thrown away with it. D1 and D2 are the nets that LD-RPS took over."""

    adapter: Adapter
    domain: Discriminator  # D1: is this the degraded domain?
    kind: Discriminator  # D2: clean minus degraded, or clean minus its adaptation?

    @classmethod
    def create(cls, generator: torch.Generator, device: torch.device) -> Self:
        """Fresh nets: Kaiming-normal weights drawn on the CPU from `generator`, zero biases."""
        nets = cls(Adapter(), Discriminator(), Discriminator())
        for net in nets:
            for module in net.modules():
                if isinstance(module, nn.Conv2d):
                    nn.init.kaiming_normal_(module.weight, generator=generator)
                    assert module.bias is not None
                    nn.init.zeros_(module.bias)
            net.to(device)
        return nets
