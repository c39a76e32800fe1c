"""What a prior draws from pure noise."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import torch
from PIL import Image
from torch import Tensor

from ldrps.bench.priors.common import SEED, followed, squared, to_tensor
from ldrps.errors import PriorError
from ldrps.image.arrays import to_pil
from ldrps.image.sheet import contact_sheet
from ldrps.metrics.frechet import FrechetDistance
from ldrps.prior.base import Prior
from ldrps.sampling.denoiser import denoiser_for
from ldrps.sampling.schedule import Schedule

logger = logging.getLogger(__name__)

_SAMPLING_STEPS = 40


@torch.no_grad()
def draw_samples(prior: Prior, count: int, side: int = 128, caption: str = "", scale: float = 1.0) -> Tensor:
    """Pictures [count, 3, side, side] in [0, 1] from pure noise; seeded, so that more of them begin with the same."""
    denoise = denoiser_for(prior, caption, "", scale)
    generator = torch.Generator().manual_seed(SEED)
    schedule = Schedule(prior.alphas_cumprod)
    timesteps = schedule.spaced(len(schedule) - 1, _SAMPLING_STEPS)
    side = side // prior.size_multiple * prior.size_multiple
    shape = (prior.latent_channels, side // prior.factor, side // prior.factor)
    drawn: list[Tensor] = []
    for start in range(0, count, 8):  # a few at a time, whatever the count
        z = torch.randn((min(8, count - start), *shape), generator=generator).to(prior.device)
        drawn.append(prior.decode(followed(prior, denoise, z, timesteps)).clamp(0, 1).cpu())
    return torch.cat(drawn) if drawn else torch.empty(0, 3, side, side)


def frechet(drawn: Tensor, photos: Sequence[Image.Image]) -> float | None:
    """The distance of samples to photos; None where there are too few, or the network is not installed."""
    if len(drawn) < 2 or len(photos) < 2:
        return None
    real = torch.cat([squared(to_tensor(photo), drawn.shape[-1]) for photo in photos])
    try:
        return float(FrechetDistance.from_package()(drawn, real))
    except PriorError as error:
        logger.warning("no Frechet distance: %s", error)
        return None


def sample_sheet(drawn: Tensor) -> Image.Image:
    """Eight in a row."""
    pictures = [(to_pil(picture), "") for picture in drawn] or [(Image.new("RGB", (32, 32)), "no samples")]
    return contact_sheet([pictures[start : start + 8] for start in range(0, len(pictures), 8)])
