"""A prior that was trained here on all of the pixels, as a diffusion model of pixels."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from ldrps.baselines.pixel.model import PixelDiffusion, Prediction
from ldrps.baselines.pixel.schedule import adm_schedule
from ldrps.prior.folder import unusable
from ldrps.prior.tiny.prior import EmbeddedPrior, load_embedded


class PatchPixels(PixelDiffusion):
    """An embedded prior whose patch transform is complete: orthonormal and square, it only turns the space of pixels.

    White noise stays white under it, so that to diffuse latents is to diffuse pixels. The network is told the noise
    level itself, whatever its timestep is called, and goes down the schedule of ADM, for which GDP and TAO were made.

    Args:
        prior: such a prior, without text or with.
    """

    def __init__(self, prior: EmbeddedPrior) -> None:
        self.alphas_cumprod = adm_schedule()
        self._prior = EmbeddedPrior(prior.name, prior.autoencoder, prior.unet, None, self.alphas_cumprod, prior.text)
        self.name, self.device, self.size_multiple = prior.name, prior.device, prior.size_multiple
        self.variance = "fixed_small"

    @torch.no_grad()
    def predict(self, x_t: Tensor, t: int) -> Prediction:
        transform = self._prior.autoencoder
        told = self._prior.denoise(transform.encode(x_t), t)
        return Prediction(transform.decode(told.z0), transform.decode(told.eps))


def load_patch_model(folder: Path, *, device: torch.device, dtype: torch.dtype = torch.float32) -> PatchPixels:
    """Load a folder that `ldrps train pixels` wrote.

    Raises:
        PriorError: it is broken, or its latents are fewer than its pixels.
    """
    prior = load_embedded(folder, device=device, dtype=dtype)
    latents, numbers = prior.latent_channels, 3 * prior.factor**2
    if latents != numbers:
        remedy = "train one with ldrps train pixels"
        raise unusable(folder, f"{latents} latents for the {numbers} numbers of a patch", "as many", remedy)
    return PatchPixels(prior)
