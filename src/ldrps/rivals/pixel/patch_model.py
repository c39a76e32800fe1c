"""A prior that was trained here, as a diffusion model of pixels."""

from __future__ import annotations

import torch
from torch import Tensor

from ldrps.prior.tiny.prior import EmbeddedPrior
from ldrps.rivals.pixel.model import PixelDiffusion, Prediction
from ldrps.rivals.pixel.schedule import adm_schedule


class PatchPixels(PixelDiffusion):
    """An embedded prior. Its patch transform is orthonormal, so that white noise of pixels is white noise of latents.

    If there are as many latents as pixels (`ldrps train pixels`), to diffuse the ones is to diffuse the others. If
    there are fewer, the rest of x_t is never looked at and x0 has none of it: a chain of latents, seen in pixels. The
    network is told the noise level itself, whatever its timestep is called, and goes down the schedule of ADM, for
    which GDP and TAO were made.

    Args:
        prior: such a prior, without text or with.
    """

    def __init__(self, prior: EmbeddedPrior) -> None:
        self.alphas_cumprod = adm_schedule()
        self._prior = EmbeddedPrior(prior.name, prior.autoencoder, prior.unet, self.alphas_cumprod, prior.text)
        self.name, self.device, self.size_multiple = prior.name, prior.device, prior.size_multiple
        self.variance = "fixed_small"

    @torch.no_grad()
    def predict(self, x_t: Tensor, t: int) -> Prediction:
        transform = self._prior.autoencoder
        x0 = transform.decode(self._prior.denoise(transform.encode(x_t), t).z0)
        abar = self.alphas_cumprod[t]
        return Prediction(x0, (x_t - abar**0.5 * x0) / (1 - abar) ** 0.5)
