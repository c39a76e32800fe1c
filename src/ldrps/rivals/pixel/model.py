"""The contract of an unconditional diffusion model of pixels."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Literal, NamedTuple

import torch
from torch import Tensor

ADM_FILE = "256x256_diffusion_uncond.pt"
WHERE_FROM = (
    f"{ADM_FILE} (2.2 GB, MIT licence; the README of openai/guided-diffusion on GitHub links to it), the folder or the "
    "hub id of a diffusers UNet2DModel such as google/ddpm-church-256, or a folder that `ldrps train pixels` wrote"
)

Variance = Literal["fixed_small", "fixed_large", "learned_range"]


class Prediction(NamedTuple):
    """What a model makes of a noisy picture x_t = sqrt(abar_t) x0 + sqrt(1 - abar_t) eps; all shaped as x_t.

    Attributes:
        x0: the clean picture, nominally in [-1, 1], not clamped.
        eps: the noise.
        spread: nominally in [-1, 1]: where the logarithm of the step's variance lies, from the posterior's to beta's.
            None unless the model's variance is "learned_range".
    """

    x0: Tensor
    eps: Tensor
    spread: Tensor | None = None


class PixelDiffusion(ABC):
    """A model that denoises pictures [B, 3, H, W], whose clean ones are in [-1, 1].

    Attributes:
        name: what was loaded, for records.
        device: where its network is; what goes in and comes out is float32 there, whatever its weights are.
        alphas_cumprod: abar_t for t = 0 .. T - 1, float32 on the CPU.
        size_multiple: what H and W must be multiples of.
        variance: of the noise of a step; "fixed_small" is the posterior's, "fixed_large" is beta (Ho et al. 2020, 3.2).
    """

    name: str
    device: torch.device
    alphas_cumprod: Tensor
    size_multiple: int
    variance: Variance

    @abstractmethod
    def predict(self, x_t: Tensor, t: int) -> Prediction:
        """One network call on noisy pictures [B, 3, H, W] at timestep t, 0 <= t < T. Without gradient."""
