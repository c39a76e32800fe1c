"""How good is a prior, part by part: its autoencoder, its denoiser, its judgement of tone, what it draws from nothing,
what captions tell it.

Everything is measured on data sets that no prior of ours was trained on, with fixed seeds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from ldrps.bench.priors.captions import caption_losses, draw_captions
from ldrps.bench.priors.common import mean, psnr_of, set_pictures, to_tensor
from ldrps.bench.priors.denoising import denoised, denoising_psnr, denoising_sheet
from ldrps.bench.priors.latents import latent_noise, latent_sheet, roundtrip
from ldrps.bench.priors.samples import frechet, sample_sheet
from ldrps.bench.priors.tones import tone_errors, tone_psnr
from ldrps.errors import InputError
from ldrps.prior import prior_folder
from ldrps.prior.base import Prior
from ldrps.sampling.unconditional import draw_from_noise

__all__ = [
    "Evaluation", "caption_losses", "denoised", "evaluate", "latent_noise", "psnr_of", "tone_errors",
    "tone_psnr",
]  # fmt: skip

_SIDE = 128  # of the samples, in pixels


@dataclass(frozen=True)
class Evaluation:
    """Figures by name, as nested plain data, and sheets of pictures by name."""

    figures: dict[str, Any]
    sheets: dict[str, Image.Image]


def evaluate(
    prior: Prior,
    roots: Sequence[Path],
    *,
    samples: int = 16,
    photos: Sequence[Image.Image] = (),
    captions: Sequence[str] = (),
) -> Evaluation:
    """Measure a prior on the sets below `roots`; a set that is not there is left out, with a warning.

    Args:
        prior: which.
        roots: the folders of data sets; without any, those that `LDRPS_DATA` names.
        samples: how many pictures of 128x128 are drawn from noise.
        photos: real ones with which the samples are compared; at least 2, else there is no Frechet distance.
        captions: what the photos show, one each, to see what a prior with text makes of it.

    Raises:
        InputError: no set is there, or there are captions, but not one for each photo.
    """
    if captions and len(captions) != len(photos):
        raise InputError(f"{len(captions)} captions for {len(photos)} photos: give one each, or none")
    clean = {name: list(set_pictures(name, roots)) for name in ("kodak_noise30", "cbsd")}
    if not any(clean.values()):
        raise InputError("neither kodak_noise30 nor cbsd is there: nothing to measure a prior on")
    truths = {name: [truth for _, truth in pairs] for name, pairs in clean.items() if pairs}
    everything = [x for xs in truths.values() for x in xs]
    sizes = {name: sum(p.numel() for p in network.parameters()) for name, network in prior.networks().items()}
    drawn = draw_from_noise(prior, samples, _SIDE)
    figures: dict[str, Any] = {
        "autoencoder_psnr": {name: mean(psnr_of(roundtrip(prior, x), x) for x in xs) for name, xs in truths.items()},
        "latent_noise": latent_noise(prior),
        "denoise_psnr": denoising_psnr(prior, clean["kodak_noise30"], roots),
        "tone_error": tone_errors(prior, everything),
        "tone_psnr": tone_psnr(roots, prior.device),
        "caption_loss": caption_losses(prior, [to_tensor(photo) for photo in photos], captions),
        "frechet": frechet(drawn, photos),
        "parameters": {**sizes, "total": sum(sizes.values())},
        "megabytes": _megabytes(prior),
    }
    sheets = {"samples": sample_sheet(drawn), "latents": latent_sheet(prior, everything)}
    if clean["kodak_noise30"]:
        sheets["denoised"] = denoising_sheet(prior, clean["kodak_noise30"][:4])
    if prior.has_text and samples:
        sheets["captioned"] = draw_captions(prior)
    return Evaluation(figures, sheets)


def _megabytes(prior: Prior) -> float:
    """Of its files of weights; of its weights in memory, if it did not come from a folder."""
    folder = prior_folder(prior.name)
    files = (
        sum(file.stat().st_size for file in folder.rglob("*.safetensors") if file.is_file()) if folder.is_dir() else 0
    )
    held = sum(p.numel() * p.element_size() for network in prior.networks().values() for p in network.parameters())
    return round((files or held) / 1e6, 3)
