"""How likely a picture is under a prior, by what its denoiser errs at all levels of noise."""

from __future__ import annotations

import torch
from torch import Tensor

from ldrps.degradation import Degradation
from ldrps.image.views import squared
from ldrps.prior.base import Prior
from ldrps.sampling.denoiser import denoiser_for
from ldrps.sampling.schedule import Schedule

SIDE = 64  # pixels of the copy that is judged: tones decide, and noise is averaged away
LEVELS = 12
_FROM, _TO = 0.06, 14.0  # noise levels, relative to the latents
_FLATTEST = 0.05  # slope below which two levels have become one, and tell no more


def evidence(prior: Prior, y: Tensor, degradation: Degradation) -> float:
    """How much likelier y is as the degraded of a clean picture than as a clean one, in nats per latent.

    ln p(y | psi) - ln p(y | no damage), where ln p(y | psi) = ln p(psi^-1(y)) + ln |d psi^-1 / dy|. Both come from the
    prior itself, by `surprise`; above 0 the damage explains the picture better.

    Args:
        prior: of undamaged pictures.
        y: [1, 3, H, W] in [0, 1].
        degradation: psi, of each value by itself.
    """
    small = squared(y, max(SIDE // prior.size_multiple, 1) * prior.size_multiple).to(prior.device)
    undone = degradation.invert(small)
    stretched = degradation.slope(small).clamp_min(_FLATTEST).log().mean()
    as_it_is, explained = surprise(prior, torch.cat([small, undone])).tolist()
    return as_it_is - explained + float(stretched)


@torch.no_grad()
def surprise(prior: Prior, images: Tensor) -> Tensor:
    """-ln p(z) of the latents z of images [B, 3, H, W], in nats per latent but for a constant, [B] on the CPU.

    The integral over ln sigma of |D(z + sigma n) - z|^2 / sigma^2 (Guo, Shamai and Verdu 2005; Kong et al. 2023), on
    noise of a fixed seed, so that images may be compared.
    """
    denoise, schedule = denoiser_for(prior, "", "", 1.0), Schedule(prior.alphas_cumprod)
    z = prior.encode(images)
    noise = torch.randn(z.shape[1:], generator=torch.Generator().manual_seed(0)).to(z.device)
    levels = torch.linspace(torch.tensor(_FROM).log().item(), torch.tensor(_TO).log().item(), LEVELS)
    width = float(levels[1] - levels[0])
    total = torch.zeros(len(z))
    for level in levels.exp().tolist():
        t = schedule.timestep_of(level)
        told = denoise(schedule.compose(z, noise.expand_as(z), t), t).z0
        total += ((told - z).square().mean((1, 2, 3)) / schedule.sigma(t) ** 2 * width).cpu()
    return total
