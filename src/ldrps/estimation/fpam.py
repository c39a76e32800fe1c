"""F-PAM, the feature and pixel alignment module, and the discriminators that train and judge it."""

from __future__ import annotations

import itertools
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Optimizer


class FPAM(nn.Module):
    """psi = h2(h1(x)) + p * h1(x): a clean picture x = f(z0) to the domain of the degraded one, both [B, 3, H, W].

    `width` is that of the first layer; it is published with 64.
    """

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        self.h1 = nn.Sequential(nn.Conv2d(3, width, 3, padding=1), nn.LeakyReLU(), nn.Conv2d(width, 3, 1))
        self.h2 = _features(3, stride=1, width=width)
        self.p = nn.Parameter(torch.ones(1, 3, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        pixel = self.h1(x)
        return self.h2(pixel) + self.p * pixel


class Discriminator(nn.Module):
    """A picture [B, 3, H, W] to the probability, per region of about 15 pixels, [B, 1, H/8, W/8], that it is real."""

    def __init__(self) -> None:
        super().__init__()
        self.net = _features(1, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x).sigmoid()


class AlignmentNets(NamedTuple):
    """All that is learned for one picture, made for it and thrown away with it."""

    fpam: FPAM
    domain: Discriminator  # D1: is this the degraded domain?
    kind: Discriminator  # D2: clean minus degraded, or clean minus its generated degradation?

    @classmethod
    def create(cls, generator: torch.Generator, device: torch.device) -> AlignmentNets:
        """Fresh nets: Kaiming-normal weights drawn on the CPU from `generator`, zero biases, p = 1."""
        nets = cls(FPAM(), Discriminator(), Discriminator())
        for net in (nets.kind, nets.fpam, nets.domain):  # the order in which the reference draws them
            for module in net.modules():
                if isinstance(module, nn.Conv2d):
                    nn.init.kaiming_normal_(module.weight, generator=generator)
                    if module.bias is not None:
                        nn.init.zeros_(module.bias)
            net.to(device)
        return nets


def judged(probability: Tensor, real: bool) -> Tensor:
    """Binary cross-entropy of a discriminator's verdict against "all real" or "all generated"."""
    return F.binary_cross_entropy(probability, torch.full_like(probability, float(real)))


def learn(optimiser: Optimizer, loss: Tensor) -> None:
    """One step down the gradient of a loss."""
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    optimiser.step()


def _features(out_channels: int, stride: int, width: int = 64) -> nn.Sequential:
    layers: list[nn.Module] = []
    for narrow, wide in itertools.pairwise((3, width, 2 * width, 4 * width)):
        layers += [nn.Conv2d(narrow, wide, 3, stride=stride, padding=1), nn.LeakyReLU()]
    return nn.Sequential(*layers, nn.Conv2d(4 * width, out_channels, 1))
