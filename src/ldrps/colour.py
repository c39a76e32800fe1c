"""Colours for a grey photograph: drawn from the prior, as a caption wants them, without touching its brightness."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ldrps.degradation import Luma
from ldrps.image.transfer import carry_over
from ldrps.prior.base import Prior
from ldrps.sampling.chains import Losses, end_of, proximal_chain
from ldrps.sampling.denoiser import denoiser_for
from ldrps.sampling.schedule import Schedule

_LUMA = Luma()
_GREY = 0.02  # channels that differ by less, on average, hold no colour
_SIDE = 96  # pixels of the longer side at which colours are drawn: the prior knows small pictures best
_DRAWS = 6  # that are averaged: a single one has patches of colour that the next one has elsewhere


def is_grey(image: Tensor) -> bool:
    """Whether an image [1, 3, H, W] in [0, 1] has no colour to speak of."""
    return float((image - image.mean(1, keepdim=True)).abs().mean()) < _GREY


@torch.no_grad()
def colourise(
    prior: Prior,
    image: Tensor,
    generator: torch.Generator,
    *,
    caption: str = "",
    negative: str = "",
    scale: float = 3.0,
    steps: int = 40,
) -> Tensor:
    """An image [1, 3, H, W] in [0, 1] with colours of the prior's choice and the brightness that it has.

    Some chains from pure noise on a small copy, of which the mean is taken; at each step the brightness of the expected
    picture is replaced by what is known (the range-null space decomposition of Wang et al. 2023, for A the luma of a
    pixel). The colours then follow the edges of the large picture.

    Args:
        prior: what to draw from.
        image: only its luma counts.
        generator: of the noise, on the CPU.
        caption, negative, scale: of classifier-free guidance, for a prior that knows text.
        steps: of the chain.
    """
    grey = _LUMA(image)
    small = F.interpolate(grey, _small_size(image.shape[-2], image.shape[-1], prior.size_multiple), mode="area")
    denoise, schedule = denoiser_for(prior, caption, negative, scale), Schedule(prior.alphas_cumprod)

    def agree(z0: Tensor, t: int) -> tuple[Tensor, Losses]:
        expected = prior.decode(z0).to(small.device)
        return prior.encode(expected + _LUMA.invert(small - _LUMA(expected))), {}

    _, *shape = prior.encode(small.expand(-1, 3, -1, -1)).shape
    z = torch.randn((_DRAWS, *shape), generator=generator).to(prior.device)
    end = end_of(proximal_chain(denoise, agree, schedule, z, schedule.spaced(len(schedule) - 1, steps)))
    drawn = prior.decode(end).mean(0, keepdim=True).to(small.device)
    colour = carry_over(grey, small, drawn - _LUMA(drawn), otherwise=0.0)
    return _within_range(grey, colour - _LUMA(colour))


def _small_size(height: int, width: int, multiple: int) -> tuple[int, int]:
    shrink = min(1.0, _SIDE / max(height, width))
    rows, columns = (max(1, round(side * shrink / multiple)) * multiple for side in (height, width))
    return rows, columns


def _within_range(grey: Tensor, colour: Tensor) -> Tensor:
    """Their sum, the colour as weak at each place as it must be to stay in [0, 1]: clamping would change the luma."""
    room = torch.where(colour > 0, (1 - grey) / colour.clamp_min(1e-6), grey / (-colour).clamp_min(1e-6))
    return grey + colour * room.amin(1, keepdim=True).clamp(0, 1)
