"""A denoiser for the samplers: one network call a step for all chains, with classifier-free guidance inside."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ldrps.prior.base import Denoised, Prior
from ldrps.sampling.schedule import Schedule

Denoiser = Callable[[Tensor, int], Denoised]


@dataclass(frozen=True)
class GuidedDenoiser:
    """eps_u + scale (eps_c - eps_u) (Ho and Salimans 2022) of every chain, from a single batch of twice their number.

    Args:
        prior: a prior with text.
        text: embeddings [2, L, D] of the negative and of the caption.
        scale: 1 follows the caption as trained, more exaggerates it.
    """

    prior: Prior
    text: Tensor
    scale: float

    def __call__(self, z_t: Tensor, t: int) -> Denoised:
        chains = len(z_t)
        text = self.text.repeat_interleave(chains, 0)  # [2 chains, L, D]: all unconditional, then all conditional
        eps_u, eps_c = self.prior.denoise(torch.cat([z_t, z_t]), t, text).eps.chunk(2)
        eps = eps_u + self.scale * (eps_c - eps_u)
        return Denoised(Schedule(self.prior.alphas_cumprod).predict_z0(z_t, eps, t), eps)


def denoiser_for(prior: Prior, caption: str, negative: str, scale: float) -> Denoiser:
    """The guided denoiser where the prior knows text and guidance does something, else the prior's own."""
    if not prior.has_text:
        return prior.denoise
    if scale != 1 and caption != negative:
        return GuidedDenoiser(prior, prior.embed([negative, caption]), scale)
    text = prior.embed([caption])
    return lambda z_t, t: prior.denoise(z_t, t, text.expand(len(z_t), -1, -1))


def in_batches(denoise: Denoiser, most: int) -> Denoiser:
    """The same for so many latents at a time, for the memory's sake."""

    def denoised(z_t: Tensor, t: int) -> Denoised:
        if len(z_t) <= most:
            return denoise(z_t, t)
        parts = [denoise(part, t) for part in z_t.split(most)]
        z0, eps = (torch.cat(each) for each in zip(*parts, strict=True))
        return Denoised(z0, eps)

    return denoised
