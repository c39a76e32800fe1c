"""The denoiser of the embedded prior: a diffusers UNet under EDM preconditioning (Karras et al. 2022, table 1).

Each latent channel has its own deviation sigma_data[c]; the noise level sigma is one number for all channels, because
the encoder is orthonormal. The network therefore sees unit-scale input and has unit-scale targets in every channel at
every level, which is what lets it learn within minutes (one global deviation does not).
"""

from __future__ import annotations

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from diffusers.models.unets.unet_2d import UNet2DModel
from torch import Tensor


class PreconditionedUNet(ModelMixin, ConfigMixin):
    """D(x; sigma): noisy latents x = z0 + sigma n, [B, C, h, w], to the expected clean latents, same shape."""

    @register_to_config
    def __init__(
        self,
        sigma_data: list[float],
        block_out_channels: tuple[int, ...] = (64, 128, 192),
        layers_per_block: int = 1,
        norm_num_groups: int = 16,
        attention_head_dim: int = 32,
    ) -> None:
        super().__init__()
        levels = len(block_out_channels)
        self.unet = UNet2DModel(
            in_channels=len(sigma_data),
            out_channels=len(sigma_data),
            block_out_channels=tuple(block_out_channels),
            layers_per_block=layers_per_block,
            # Attention only at the coarsest level: it costs the square of the number of positions.
            down_block_types=("DownBlock2D",) * (levels - 1) + ("AttnDownBlock2D",),
            up_block_types=("AttnUpBlock2D",) + ("UpBlock2D",) * (levels - 1),
            norm_num_groups=norm_num_groups,
            attention_head_dim=attention_head_dim,
        )

    @property
    def size_multiple(self) -> int:
        """Latent height and width must be multiples of this."""
        return 2 ** (len(self.config["block_out_channels"]) - 1)

    def coefficients(self, sigma: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """c_skip, c_out, c_in, each [B, C, 1, 1], for noise levels sigma [B]."""
        s = sigma.reshape(-1, 1, 1, 1)
        d = torch.tensor(self.config["sigma_data"], device=sigma.device).reshape(1, -1, 1, 1)
        norm = (s**2 + d**2).sqrt()
        return d**2 / norm**2, s * d / norm, 1 / norm

    def network(self, x: Tensor, sigma: Tensor, text: Tensor | None = None) -> Tensor:
        """F(c_in x; c_noise), the raw network, whose training target is (z0 - c_skip x) / c_out."""
        _, _, c_in = self.coefficients(sigma)
        # ln sigma runs from about -4 to 3; spread over the range that UNet2DModel's time embedding was made for.
        c_noise = 500 + 100 * sigma.log()
        weights = next(self.unet.parameters()).dtype
        return self.unet((c_in * x).to(weights), c_noise.to(weights)).sample.to(x.dtype)

    def forward(self, x: Tensor, sigma: Tensor, text: Tensor | None = None) -> Tensor:
        c_skip, c_out, _ = self.coefficients(sigma)
        return c_skip * x + c_out * self.network(x, sigma)
