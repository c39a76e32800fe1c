"""What a prior's autoencoder does to pictures and to their noise."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from PIL import Image
from torch import Tensor

from ldrps.bench.priors.common import SEED
from ldrps.image.arrays import to_pil
from ldrps.image.pad import pad_to_multiple
from ldrps.image.sheet import contact_sheet
from ldrps.image.views import squared
from ldrps.prior.base import Prior

_NOISE = 0.05  # deviation, of values in [0, 1]
_SIDE = 128  # pixels of the pictures on the sheet
_SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
_DEVIATIONS = (0.0, 0.05, 0.1, 0.2, 0.4)  # of noise in latents, of their own deviation


@torch.no_grad()
def roundtrip(prior: Prior, x: Tensor) -> Tensor:
    """A picture [1, 3, H, W], encoded and decoded."""
    padded, crop = pad_to_multiple(x.to(prior.device), prior.size_multiple)
    return crop(prior.decode(prior.encode(padded))).clamp(0, 1).cpu()


@torch.no_grad()
def latent_noise(prior: Prior) -> dict[str, float]:
    """What white noise on a grey picture is in the latents.

    The smallest and the largest deviation of a channel relative to that of all, and the largest correlation of two
    channels at one place, of one channel at neighbouring places. White noise has 1, 1, 0, 0, give or take the sampling.
    """
    side = -(-256 // prior.size_multiple) * prior.size_multiple
    grey = torch.full((4, 3, side, side), 0.5)
    noise = torch.randn(grey.shape, generator=torch.Generator().manual_seed(SEED))
    n = (prior.encode((grey + _NOISE * noise).to(prior.device)) - prior.encode(grey.to(prior.device))).cpu()
    n = n - n.mean((0, 2, 3), keepdim=True)
    deviations = n.pow(2).mean((0, 2, 3)).sqrt()
    n = n / deviations[:, None, None]
    flat = n.transpose(0, 1).flatten(1)
    between = (flat @ flat.T / flat.shape[1]).fill_diagonal_(0).abs().max()
    beside = torch.stack([(n[..., 1:] * n[..., :-1]).mean((0, 2, 3)), (n[..., 1:, :] * n[..., :-1, :]).mean((0, 2, 3))])
    relative = deviations / deviations.pow(2).mean().sqrt()
    return {
        "deviation_min": round(float(relative.min()), 4),
        "deviation_max": round(float(relative.max()), 4),
        "correlation_of_channels": round(float(between), 4),
        "correlation_of_neighbours": round(float(beside.abs().max()), 4),
    }


@torch.no_grad()
def latent_sheet(prior: Prior, pictures: Sequence[Tensor]) -> Image.Image:
    """On the way from one picture to another in the latents; and one with ever more noise in its latents."""
    side = -(-_SIDE // prior.size_multiple) * prior.size_multiple
    a, b = (prior.encode(squared(picture, side).to(prior.device)) for picture in (pictures[0], pictures[-1]))
    noise = torch.randn(a.shape, generator=torch.Generator().manual_seed(SEED)).to(a.device)
    spread = a.std((2, 3), keepdim=True)
    rows = [
        [(to_pil(prior.decode(torch.lerp(a, b, share))[0]), f"{share:.0%} of the way") for share in _SHARES],
        [(to_pil(prior.decode(a + d * spread * noise)[0]), f"noise {d:.0%}") for d in _DEVIATIONS],
    ]
    return contact_sheet(rows)
