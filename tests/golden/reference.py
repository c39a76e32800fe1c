"""The runs that the traces record, rebuilt from their seeds.

The reference ran on a tiny random checkpoint. Its weights, those of the perceptual network and of F-PAM, and all noise
come from seeds that were found, so that `traces.npz` need only hold what came out. `test_traces.py` checks the
rebuilt tensors against the recorded ones where the whole traces are at hand.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from torch import Tensor, nn

from ldrps.guidance.perceptual import VGG16Features
from ldrps.prior.base import Denoised, Prior

TRACES = Path(__file__).parent / "traces.npz"
TASKS = ("lowlight", "dehazing", "denoising")
STEPS = 20
STRIDE = 50
ROUNDS = (0, 20, 30)  # where a round begins in the 40 steps

_SCALING = 0.18215


class TinyPrior(Prior):
    """The random checkpoint with the recorded text embeddings in place of a text encoder."""

    name = "golden"
    device = torch.device("cpu")
    latent_channels = 4
    factor = 8
    size_multiple = 16
    has_text = True

    def __init__(self, text: Tensor) -> None:
        self.text = text
        self.calls = 0
        torch.manual_seed(0)
        self.unet = UNet2DConditionModel(
            sample_size=8,
            in_channels=4,
            out_channels=4,
            block_out_channels=(32, 64),
            down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
            up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
            layers_per_block=1,
            cross_attention_dim=32,
            attention_head_dim=8,
            norm_num_groups=8,
        )
        self.vae = AutoencoderKL(
            sample_size=32,
            block_out_channels=(16, 16, 32, 32),
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            layers_per_block=1,
            latent_channels=4,
            norm_num_groups=8,
        )
        for network in (self.unet, self.vae):
            network.eval().requires_grad_(False)
        betas = torch.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=torch.float32) ** 2
        self.alphas_cumprod = torch.cumprod(1 - betas, 0)

    def networks(self) -> dict[str, nn.Module]:
        return {"unet": self.unet, "vae": self.vae}

    def encode(self, images: Tensor) -> Tensor:
        return self.vae.encode(2 * images - 1).latent_dist.mode() * _SCALING

    def decode(self, latents: Tensor) -> Tensor:
        return self.vae.decode(latents / _SCALING).sample / 2 + 0.5

    @torch.no_grad()
    def denoise(self, z_t: Tensor, t: int, text: Tensor | None = None) -> Denoised:
        self.calls += 1
        eps = self.unet(z_t, t, text).sample
        abar = self.alphas_cumprod[t]
        return Denoised((z_t - (1 - abar) ** 0.5 * eps) / abar**0.5, eps)

    def embed(self, prompts: list[str]) -> Tensor:
        assert len(prompts) == 2  # [unconditional, conditional]
        return self.text


@lru_cache(maxsize=1)
def vgg_weights() -> dict[str, Tensor]:
    """The random stand-in for VGG16 features[:9], by torchvision's names."""
    torch.manual_seed(7)
    weights = {}
    for layer, (channels, inputs) in {0: (64, 3), 2: (64, 64), 5: (128, 64), 7: (128, 128)}.items():
        convolution = nn.Conv2d(inputs, channels, 3, padding=1)
        weights[f"{layer}.weight"] = convolution.weight.detach()
        weights[f"{layer}.bias"] = convolution.bias.detach()
    return weights


def features() -> VGG16Features:
    return VGG16Features(vgg_weights())


@lru_cache(maxsize=1)
def _arrays() -> dict[str, Tensor]:
    with np.load(TRACES) as file:
        return {name: torch.from_numpy(file[name]) for name in file.files}


def trace(task: str) -> dict[str, Tensor]:
    """What one run recorded, with its inputs."""
    arrays = _arrays()
    own = {name.removeprefix(f"{task}/"): array for name, array in arrays.items() if name.startswith(f"{task}/")}
    return own | {"text_embeddings": arrays["text_embeddings"]}


def relative(a: Tensor, b: Tensor) -> float:
    """|a - b| / |b|."""
    return float((a - b).norm() / b.norm())
