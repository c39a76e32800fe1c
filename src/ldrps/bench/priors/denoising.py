"""How well a prior's denoiser denoises."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from ldrps.bench.priors.common import SEED, mean, psnr_of, set_pictures, to_array, to_tensor
from ldrps.bench.priors.latents import roundtrip
from ldrps.image.arrays import to_pil
from ldrps.image.pad import pad_to_multiple
from ldrps.image.sheet import contact_sheet
from ldrps.image.views import gather, grid_shifts, spread
from ldrps.prior.base import Prior
from ldrps.sampling.schedule import Schedule
from ldrps.sampling.unconditional import sample_from
from ldrps.tools.nonlocal_means import nlm

# White pixel noise, of 255, of the sets that are damaged here; the other's level is found by trying.
_NOISY_SETS = {"cbsd-noise15": 15.0, "cbsd-noise25": 25.0, "cbsd-noise50": 50.0}
_TRIED_LEVELS = (8.0, 10.0, 12.0, 14.0, 17.0)  # of 255
_TRIED_STRENGTHS = (0.4, 0.55, 0.7, 0.85)  # h of non-local means, of the noise level


@torch.no_grad()
def denoised(prior: Prior, y: Tensor, level: float, steps: int, shifts: int = 1) -> Tensor:
    """A picture [1, 3, H, W] with white noise of `level`, in [0, 1], after `steps` steps of a chain from there, the
    mean over `shifts` offsets of the prior's grid.
    """
    padded, crop = pad_to_multiple(y.to(prior.device), prior.size_multiple)
    offsets = grid_shifts(shifts, prior.factor)
    views = spread(padded, offsets, prior.size_multiple)
    z = prior.encode(views)
    probe = torch.randn(views.shape, generator=torch.Generator().manual_seed(SEED)).to(prior.device)
    in_latents = float((prior.encode(views + level * probe) - z).pow(2).mean().sqrt())
    schedule = Schedule(prior.alphas_cumprod)
    timesteps = schedule.spaced(schedule.timestep_of(in_latents), steps)
    z = z * schedule.abar(timesteps[0]) ** 0.5
    decoded = prior.decode(sample_from(prior, prior.denoise, z, timesteps))
    return crop(gather(decoded, offsets, (padded.shape[-2], padded.shape[-1]))).clamp(0, 1).cpu()


def denoising_psnr(prior: Prior, kodak: Sequence[tuple[Tensor, Tensor]], roots: Sequence[Path]) -> dict[str, Any]:
    """PSNR after one and after four steps, and after one step on four offsets of the grid; for kodak_noise30 at the one
    level, for all its pictures, that is best.

    Beside white noise on CBSD stand non-local means at the one strength that is best.
    """
    figures: dict[str, Any] = {}
    if kodak:
        for name, steps, shifts in (("", 1, 1), ("_4_steps", 4, 1), ("_4_offsets", 1, 4)):
            by_level = [
                mean(psnr_of(denoised(prior, y, level / 255, steps, shifts), x) for y, x in kodak)
                for level in _TRIED_LEVELS
            ]
            figures[f"kodak_noise30{name}"] = max(by_level)
    for name, level in _NOISY_SETS.items():
        pairs = list(set_pictures(name, roots))
        if pairs:
            short = name.replace("-noise", "")
            figures[short] = mean(psnr_of(denoised(prior, y, level / 255, 1), x) for y, x in pairs)
            by_strength = [
                mean(psnr_of(to_tensor(nlm(to_array(y), share * level)), x) for y, x in pairs)
                for share in _TRIED_STRENGTHS
            ]
            figures[f"{short}_nlm"] = max(by_strength)
    return figures


def denoising_sheet(prior: Prior, pairs: Sequence[tuple[Tensor, Tensor]]) -> Image.Image:
    """Clean, through the autoencoder, noisy, and after one step."""
    rows = []
    for y, x in pairs:
        through, once = roundtrip(prior, x), denoised(prior, y, 12 / 255, 1)
        rows.append(
            [
                (to_pil(x[0]), "clean"),
                (to_pil(through[0]), f"encoded and decoded, {psnr_of(through, x):.1f} dB"),
                (to_pil(y[0]), "noisy"),
                (to_pil(once[0]), f"one step, {psnr_of(once, x):.1f} dB"),
            ]
        )
    return contact_sheet(rows)
