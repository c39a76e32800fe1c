"""Restoration and denoising as modules of torch, for pipelines and loops of somebody else's."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Generic, TypeVar

import torch
from torch import Tensor, nn

from ldrps.errors import InputError
from ldrps.estimation.estimate import kept_detail, latent_deviation, noise_sample
from ldrps.image.arrays import check_batch
from ldrps.image.pad import pad_to_multiple
from ldrps.prior import EMBEDDED, load_prior
from ldrps.prior.base import Prior
from ldrps.restorer import Restorer
from ldrps.sampling.schedule import Schedule
from ldrps.sampling.spinning import CycleSpinning

_Tool = TypeVar("_Tool", Restorer, Prior)


class _Module(nn.Module, Generic[_Tool]):
    """A module without parameters: its networks are frozen, and belong to whoever gave them.

    Where the pipeline that it is in is moved, a copy of them follows, and those that were given stay.
    """

    place: Tensor  # empty: where it is the networks are wanted

    def __init__(self, tool: _Tool, device: torch.device) -> None:
        super().__init__()
        self._tool: _Tool = tool
        self.register_buffer("place", torch.empty(0, device=device), persistent=False)

    def _there(self) -> _Tool:
        self._tool = self._tool.to(self.place.device)
        return self._tool


class RestorerModule(_Module[Restorer]):
    """A `Restorer` as a module, to be put into a pipeline: its `forward`, which takes and returns a batch.

    >>> import torch, ldrps
    >>> pipeline = torch.nn.Sequential(ldrps.RestorerModule(preset="fast"), torch.nn.AvgPool2d(2))
    >>> pipeline(torch.rand(2, 3, 64, 64)).shape
    torch.Size([2, 3, 32, 32])

    Args:
        restorer: what restores; None for one with the embedded prior and the preset of that name.
    """

    def __init__(self, restorer: Restorer | None = None, *, preset: str = "default") -> None:
        restorer = restorer or Restorer.from_pretrained(preset=preset)
        super().__init__(restorer, restorer.prior.device)

    def forward(self, y: Tensor) -> Tensor:
        """As `Restorer.forward`.

        Raises:
            InputError: y is not floating [B, 3, H, W] in [0, 1].
        """
        return self._there().forward(y)


class Denoiser(_Module[Prior]):
    """The denoiser of a prior, for plug-and-play loops: `forward(y, sigma)`, as in deepinv.

    >>> import torch, ldrps
    >>> denoiser = ldrps.Denoiser()
    >>> y = 0.5 + 0.1 * torch.randn(2, 3, 40, 48)
    >>> bool((denoiser(y, 0.1) - 0.5).std() < 0.02)
    True

    Args:
        prior: whose; a name as of `ldrps.load_prior`, or a loaded one.
        shifts: on how many offsets of the prior's grid of patches it works, to be averaged: with 1 it is quickest, and
            the grid may show.
    """

    def __init__(self, prior: str | Path | Prior = EMBEDDED, *, shifts: int = 4) -> None:
        if not isinstance(shifts, int) or not 1 <= shifts <= 64:
            raise InputError(f"shifts is {shifts!r}; it must be 1 to 64")
        prior = prior if isinstance(prior, Prior) else load_prior(prior)
        super().__init__(prior, prior.device)
        self.shifts = shifts

    @torch.no_grad()
    def forward(self, y: Tensor, sigma: float | Tensor) -> Tensor:
        """The expected clean pictures of y = x + n, n white and Gaussian; without gradient.

        Args:
            y: floating [B, 3, H, W] on any device, nominally in [0, 1], as far beyond as the noise takes it.
            sigma: the deviation of n in units of [0, 1], a number, or one for each picture, of any shape with B values.

        Returns:
            x, not clamped, shaped as y, of its dtype and on its device.

        Raises:
            InputError: y or sigma cannot be used; the message has the value, the limit and the remedy.
        """
        name = check_batch(y)
        if not y.isfinite().all():
            raise InputError(f"{name} holds values that are NaN or infinite: see what made them")
        prior = self._there()
        pairs = zip(y.to(prior.device, torch.float32).split(1), _deviations(sigma, len(y)), strict=True)
        return torch.cat([self._denoised(prior, picture, level) for picture, level in pairs]).to(y.device, y.dtype)

    def _denoised(self, prior: Prior, y: Tensor, sigma: float) -> Tensor:
        """A picture [1, 3, H, W] without noise of that deviation."""
        if sigma == 0:
            return y
        padded, crop = pad_to_multiple(y, prior.size_multiple)
        size, views = (padded.shape[-2], padded.shape[-1]), CycleSpinning.over(prior, self.shifts)
        level = latent_deviation(prior, noise_sample(padded, prior), sigma)
        highest = Schedule(prior.alphas_cumprod).sigma(len(prior.alphas_cumprod) - 1)
        if level > highest:
            most = highest / level * sigma
            raise InputError(f"sigma is {sigma:g}; it must be 0 to {most:.3g}: divide by 255 if it is of bytes")
        z = views.encode(padded)
        text = prior.embed([""]).expand(len(z), -1, -1) if prior.has_text else None
        clean = views.decode(prior.remove_noise(z, level, "white", text), size)
        missing = padded - views.decode(z, size)
        return crop(clean + kept_detail(missing, sigma) * missing)


def _deviations(sigma: float | Tensor, count: int) -> list[float]:
    """A deviation for each of so many pictures.

    Raises:
        InputError: it is no number, or below 0, or not one for all or one for each.
    """
    try:
        values = torch.as_tensor(sigma, dtype=torch.float64).flatten().tolist()
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"sigma is {sigma!r}: give a number, or a tensor of one for each picture") from error
    if len(values) not in (1, count):
        raise InputError(f"sigma has {len(values)} values, and there are {count} pictures: give one, or one for each")
    for value in values:
        if not (math.isfinite(value) and value >= 0):
            raise InputError(f"sigma is {value:g}; it must be 0 or more, in units of [0, 1]")
    return values * (count if len(values) == 1 else 1)
