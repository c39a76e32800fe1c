"""Pictures from pure noise: what a prior knows by itself."""

from __future__ import annotations

import torch
from torch import Tensor

from ldrps.prior.base import Prior
from ldrps.sampling.chains import end_of, leave, proximal_chain
from ldrps.sampling.denoiser import Denoiser, denoiser_for
from ldrps.sampling.schedule import Schedule

_TOGETHER = 8


def sample_from(prior: Prior, denoise: Denoiser, z: Tensor, timesteps: list[int]) -> Tensor:
    """The end of a chain that no data steers, from latents z [B, C, h, w] at the first of the timesteps."""
    return end_of(proximal_chain(denoise, leave, Schedule(prior.alphas_cumprod), z, timesteps))


@torch.no_grad()
def draw_from_noise(
    prior: Prior, count: int, side: int, *, caption: str = "", scale: float = 1.0, steps: int = 40, seed: int = 0
) -> Tensor:
    """Pictures [count, 3, side, side] in [0, 1], on the CPU; more of them begin with the same as fewer.

    Args:
        prior: what to draw from.
        count: how many.
        side: of each, in pixels, rounded down to what the prior can take.
        caption: what they shall show, for a prior that knows text.
        scale: of classifier-free guidance; 1 takes the caption as the prior was trained with it.
        steps: of the chain, equally spaced in log sigma.
        seed: of the noise.
    """
    denoise = denoiser_for(prior, caption, "", scale)
    generator = torch.Generator().manual_seed(seed)
    schedule = Schedule(prior.alphas_cumprod)
    timesteps = schedule.spaced(len(schedule) - 1, steps)
    side = side // prior.size_multiple * prior.size_multiple
    shape = (prior.latent_channels, side // prior.factor, side // prior.factor)
    drawn = [torch.empty(0, 3, side, side)]
    for start in range(0, count, _TOGETHER):  # a few at a time, whatever the count
        z = torch.randn((min(_TOGETHER, count - start), *shape), generator=generator).to(prior.device)
        drawn.append(prior.decode(sample_from(prior, denoise, z, timesteps)).clamp(0, 1).cpu())
    return torch.cat(drawn)
