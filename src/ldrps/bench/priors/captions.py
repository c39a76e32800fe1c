"""What captions tell a prior."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from PIL import Image
from torch import Tensor

from ldrps.image.arrays import to_pil
from ldrps.image.sheet import contact_sheet
from ldrps.prior.base import Prior
from ldrps.sampling.trust import denoising_errors, small_latents
from ldrps.sampling.unconditional import draw_from_noise

LEVELS = (0.3, 1.0, 3.0, 6.0, 10.0, 14.0)  # sigma relative to the latents
_SIDE = 128  # of the samples, in pixels
_SCALE = 3.0  # guidance of the captioned samples
_CAPTIONS = (
    "golden retriever, brown and green", "seashore, blue above beige, bright", "strawberry, red",
    "daisy, white and green", "volcano, grey, dark", "alp, white and blue, blue above white", "school bus, yellow",
    "church, grey and blue", "tree frog, green", "goldfish, orange and black", "black and white", "very dark",
    "very bright, low contrast", "blue above green, landscape format", "red and black, high contrast",
    "purple and pink",
)  # fmt: skip


@torch.no_grad()
def caption_losses(
    prior: Prior, photos: Sequence[Tensor], captions: Sequence[str]
) -> dict[str, dict[str, float]] | None:
    """How far the denoised latents are from the clean ones, as a share of the latents' own mean square, for each noise
    level: with the right caption, with none, and with that of another photo. The lower, the more the caption helps.
    None without captions or without text.

    Args:
        prior: which.
        photos: [1, 3, H, W] in [0, 1].
        captions: one for each.
    """
    if not prior.has_text or len(captions) < 2:
        return None
    z0 = torch.cat([small_latents(prior, photo) for photo in photos])
    power = float(z0.square().mean())
    right = prior.embed(list(captions))
    texts = {
        "right": right,
        "none": prior.embed([""]).expand_as(right),
        "wrong": right.roll(-(len(captions) // 2), 0),
    }
    return {
        f"{level:g}": {
            kind: round(float(denoising_errors(prior, z0, text, level).mean()) / power, 6)
            for kind, text in texts.items()
        }
        for level in LEVELS
    }


def draw_captions(prior: Prior) -> Image.Image:
    """A sample for each of sixteen captions, from the same noise."""
    drawn = [
        (to_pil(draw_from_noise(prior, 1, _SIDE, caption=caption, scale=_SCALE)[0]), caption) for caption in _CAPTIONS
    ]
    return contact_sheet([drawn[start : start + 4] for start in range(0, len(drawn), 4)])
