"""Noise levels, timesteps and the deterministic step between them (DDIM, Song et al. 2021, eta = 0).

Notation: z_t = sqrt(abar_t) z0 + sqrt(1 - abar_t) eps, as in LD-RPS; sigma_t = sqrt((1 - abar_t) / abar_t) is the
noise level of z_t / sqrt(abar_t), as in EDM.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ldrps.errors import SettingsError


@dataclass(frozen=True)
class Schedule:
    """The noise levels of a prior: abar_t for t = 0 .. T - 1, float32 [T] on the CPU."""

    alphas_cumprod: Tensor

    def __len__(self) -> int:
        return len(self.alphas_cumprod)

    def abar(self, t: int) -> Tensor:
        """abar_t; before the first timestep (t < 0) it is that of the first, as Stable Diffusion was trained."""
        return self.alphas_cumprod[max(t, 0)]

    def sigma(self, t: int) -> float:
        """The noise level of timestep t relative to the latents."""
        abar = float(self.abar(t))
        return ((1 - abar) / abar) ** 0.5

    def timestep_of(self, sigma: float) -> int:
        """The first timestep whose noise level is at least `sigma`, or the last of all."""
        sigmas = ((1 - self.alphas_cumprod) / self.alphas_cumprod).sqrt()
        return min(int(torch.searchsorted(sigmas, sigma)), len(self) - 1)

    def leading(self, steps: int) -> list[int]:
        """`steps` equally spaced timesteps, descending ("leading" spacing, offset 1): 450 give 899, 897, ..., 1."""
        stride = self.stride(steps)
        return [i * stride + 1 for i in reversed(range(steps))]

    def stride(self, steps: int) -> int:
        """How far apart `leading` timesteps are.

        Raises:
            SettingsError: more steps than there are timesteps.
        """
        if not 1 <= steps < len(self):
            raise SettingsError(f"steps is {steps}; this prior takes 1 to {len(self) - 1}")
        return len(self) // steps

    def spaced(self, start: int, steps: int, share: float = 0.0) -> list[int]:
        """Timesteps from `start` down to 0, equally spaced in log sigma: fewer than `steps` where they would repeat.
        With a `share` above 0 the last one's noise level is that share of the first one's, if there is one so low.
        """
        end = max(self.log_sigma(0), self.log_sigma(start) + math.log(share)) if share else self.log_sigma(0)
        levels = torch.linspace(self.log_sigma(start), end, steps).exp()
        return sorted({self.timestep_of(float(level) * (1 - 1e-6)) for level in levels}, reverse=True)

    def log_sigma(self, t: int) -> float:
        return float(torch.tensor(self.sigma(t)).log())

    def predict_z0(self, z_t: Tensor, eps: Tensor, t: int) -> Tensor:
        """z0 = (z_t - sqrt(1 - abar_t) eps) / sqrt(abar_t)."""
        return (z_t - (1 - self.abar(t)) ** 0.5 * eps) / self.abar(t) ** 0.5

    def predict_eps(self, z_t: Tensor, z0: Tensor, t: int) -> Tensor:
        """eps = (z_t - sqrt(abar_t) z0) / sqrt(1 - abar_t)."""
        return (z_t - self.abar(t) ** 0.5 * z0) / (1 - self.abar(t)) ** 0.5

    def compose(self, z0: Tensor, eps: Tensor, t: int) -> Tensor:
        """z_t from its parts: adds noise to clean latents, and is the deterministic step when eps was predicted."""
        return self.abar(t) ** 0.5 * z0 + (1 - self.abar(t)) ** 0.5 * eps


def clamp_percentile(z0: Tensor, quantile: float, largest: float = 100.0) -> Tensor:
    """Clamp each sample of [B, ...] to [-s, s], s the `quantile` of its absolute values, within [1, `largest`].

    Unlike dynamic thresholding (Saharia et al. 2022) nothing is divided by s: latents have no nominal range.
    """
    s = torch.quantile(z0.abs().flatten(1), quantile, dim=1).clamp(1, largest)
    s = s.reshape(-1, *[1] * (z0.ndim - 1))
    return z0.clamp(-s, s)
