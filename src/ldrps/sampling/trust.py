"""Whether a caption says what a picture shows, as far as the prior can tell."""

from __future__ import annotations

import torch
from torch import Tensor

from ldrps.image.views import squared
from ldrps.prior.base import Prior
from ldrps.sampling.schedule import Schedule

LEVELS = (6.0, 12.0)  # sigma relative to the latents: what is left of a small picture is what a caption could tell
_PLACES = 16  # of the latents, each way
_NOISES = 4
_BATCH = 8


def caption_gain(prior: Prior, image: Tensor, caption: str) -> float:
    """How much of the error of denoising a small copy of an image the caption takes away.

    0.05 is a twentieth less error than without it; below 0 the caption misleads. The noise is of a fixed seed.

    Args:
        prior: one that knows text.
        image: [1, 3, H, W] in [0, 1], undamaged as far as possible.
        caption: what the image shows, perhaps.
    """
    z0 = small_latents(prior, image).expand(_NOISES, -1, -1, -1)
    with_it, without = (
        sum(float(denoising_errors(prior, z0, text.expand(_NOISES, -1, -1), level).mean()) for level in LEVELS)
        for text in prior.embed([caption, ""]).split(1)
    )
    return 1 - with_it / without


@torch.no_grad()
def denoising_errors(prior: Prior, z0: Tensor, text: Tensor, sigma: float) -> Tensor:
    """Mean squared error of what one step tells of each of the latents z0 [B, C, h, w] in noise, [B] on the CPU.

    Args:
        prior: one that knows text.
        z0: clean latents.
        text: an embedding for each, [B, L, D].
        sigma: of the noise, relative to the latents; its seed is fixed.
    """
    schedule = Schedule(prior.alphas_cumprod)
    t = schedule.timestep_of(sigma)
    noise = torch.randn(z0.shape, generator=torch.Generator().manual_seed(0)).to(z0.device)
    z_t = schedule.compose(z0, noise, t)
    parts = zip(z_t.split(_BATCH), text.split(_BATCH), strict=True)
    predicted = [prior.denoise(noisy, t, embedding).z0 for noisy, embedding in parts]
    return (torch.cat(predicted) - z0).square().mean((1, 2, 3)).cpu()


def small_latents(prior: Prior, image: Tensor) -> Tensor:
    """Of the middle square of an image [1, 3, H, W], 16 places each way or as near to that as the prior can take."""
    side = max(_PLACES * prior.factor // prior.size_multiple, 1) * prior.size_multiple
    return prior.encode(squared(image, side).to(prior.device))
