"""The posterior of LD-RPS without its scales: psi is learned from the clean domain and the picture, and steers z0."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.optim import Adam

from ldrps.estimation.fpam import learn
from ldrps.estimation.noise import estimate_noise
from ldrps.estimation.psi import MonotoneCurve, Psi, curved
from ldrps.guidance.domain import distance, quantiles, with_quantiles
from ldrps.guidance.expected import Expected
from ldrps.guidance.proper import proper_step
from ldrps.prior.base import Prior
from ldrps.sampling.schedule import Schedule
from ldrps.settings import Loop

Losses = dict[str, float]


@dataclass
class RecurrentPosterior:
    """grad log p(y | z0) for the guided chains, with the psi that is learned on the way.

    Made for one picture and thrown away with it: psi and its optimiser are state.

    Stage one, from pure noise down to t1: psi learns on the domain alone (D1: does psi make of clean pictures what y
    looks like?) and the chain runs free, g = 0. Stage two, below t1: psi also learns that it makes y of what the prior
    makes of y, and z0 takes the data step.

    Args:
        y: the degraded picture [1, 3, H, W] in [0, 1], multiples of the prior's.
        prior: of undamaged pictures.
        expected: the clean domain, psi's start and the gate.
        variance: of each channel of the prior's latents, [C].
        numbers: weights, rates, timetable.
        generator: of the weights of the convolutions.

    Attributes:
        psi: what was learned so far.
        noise: the deviation of y's noise.
    """

    y: Tensor
    prior: Prior
    expected: Expected
    variance: Tensor
    numbers: Loop
    generator: torch.Generator
    psi: Psi = field(init=False, repr=False)
    noise: float = field(init=False)

    def __post_init__(self) -> None:
        numbers, y = self.numbers, self.y
        self._schedule = Schedule(self.prior.alphas_cumprod)
        self._degraded = quantiles(y)[0]
        self._variance = self.variance.to(y.device).reshape(1, -1, 1, 1)
        self._spread = float(y.var().clamp_min(1e-4))
        self.noise = max(numbers.noise_factor * float(estimate_noise(y).mean()), numbers.noise_floor)
        curve = MonotoneCurve(numbers.knots, self.expected.start) if numbers.knots else MonotoneCurve(2)
        curve.requires_grad_(numbers.knots > 0)
        self.psi = Psi(curve, y, convolutions=numbers.convolutions, generator=self.generator).to(y.device)
        self._learned = [parameter for parameter in self.psi.parameters() if parameter.requires_grad]
        self._optimiser = Adam(self.psi.parameter_groups(numbers.rate, numbers.convolution_rate), betas=(0.9, 0.99))
        self._rates = [group["lr"] for group in self._optimiser.param_groups]

    def agree(self, z0: Tensor, t: int) -> tuple[Tensor, Losses]:
        """z0 [chains, C, h, w] as the prior expects it, moved to agree with y; its noise is recomputed from it."""
        sigma = self._schedule.sigma(t)
        alone = sigma >= self.numbers.stage_two
        x = None
        if not alone or self.psi.residual is not None:
            with torch.no_grad():
                x = self.prior.decode(z0)
        losses = self._learn(x, alone)
        if alone:
            return z0, losses
        # What the prior leaves open: the variance of z0 given z_t, were both Gaussian, twice to be on the safe side.
        open_ = 2 * sigma**2 * self._variance / (sigma**2 + self._variance)
        for parameter in self._learned:
            parameter.requires_grad_(False)
        z0 = proper_step(lambda z: self.psi(self.prior.decode(z)), z0, self.y, self.noise, open_, self.numbers.inner)
        for parameter in self._learned:
            parameter.requires_grad_(True)
        if self.numbers.quality and self.expected.damaged and sigma < self.numbers.quality_from:
            z0 = self._improve(z0)
        return z0, losses

    def _learn(self, x: Tensor | None, alone: bool) -> Losses:
        """Steps of S_psi, in stage one alone; x [chains, 3, H, W] is what the prior expects, in stage two given y."""
        numbers = self.numbers
        for group, rate in zip(self._optimiser.param_groups, self._rates, strict=True):
            group["lr"] = rate * (1 if alone else numbers.slower)
        looks = None if x is None else with_quantiles(x, self.expected.quantiles)
        terms: dict[str, Tensor] = {}
        for _ in range(numbers.alone if alone else numbers.along):
            terms = {**self._on_curve(), **self._on_domain(looks, alone)}
            if x is not None and not alone:
                terms |= self._on_data(x)
            total = sum(terms.values(), torch.zeros((), device=self.y.device))
            if total.requires_grad:  # not where there is no curve, and nothing for convolutions to learn from
                learn(self._optimiser, total)
        return {f"alignment/{name}": float(term.detach()) for name, term in terms.items()}

    def _on_curve(self) -> dict[str, Tensor]:
        """What is asked of the curve whatever the picture."""
        numbers, curve = self.numbers, self.psi.curve
        slopes, values = curve.slopes.log(), curve.values
        ground = values[:, 0] / self.psi.deviation
        own = (slopes - slopes.mean(0)).square().mean() + (ground - ground.mean()).square().mean()
        terms = {"least": numbers.least * slopes.square().mean(), "grey": numbers.grey * own}
        if slopes.shape[-1] > 1:
            terms["smooth"] = numbers.smooth * (slopes.diff(dim=-1) * slopes.shape[-1] / 4).square().mean()
        return terms

    def _on_domain(self, looks: Tensor | None, alone: bool) -> dict[str, Tensor]:
        """D1: does psi make of the clean domain what y looks like? Convolutions need pictures of it."""
        weight = 1.0 if alone else self.numbers.domain
        if not (weight and self.expected.damaged):
            return {}
        if self.psi.residual is None or looks is None:
            made = curved(self.expected.quantiles, self.psi.curve.values)
        else:
            made = quantiles(self.psi(looks)).mean(0)
        return {"domain": weight * distance(made, self._degraded)}

    def _on_data(self, x: Tensor) -> dict[str, Tensor]:
        """Does psi make y of what the prior makes of y, and with convolutions that say little?"""
        made = self.psi(x)
        terms = {}
        if self.numbers.data and self.expected.damaged:
            terms["data"] = self.numbers.data * (made - self.y).square().mean() / self._spread
        if self.psi.residual is not None:
            terms["quiet"] = self.numbers.quiet * (made - self.psi.curve(x)).square().mean() / self._spread
        return terms

    @torch.no_grad()
    def _improve(self, z0: Tensor) -> Tensor:
        """Q, chrominance: each channel's mean a share of the way to grey, and psi takes it back."""
        x = self.prior.decode(z0)
        channels = x.mean((0, 2, 3)).clamp_min(0.02)
        gains = (channels.mean() / channels) ** (self.expected.damaged * self.numbers.quality)
        self.psi.curve.rescale(gains)
        return z0 + self.prior.encode(x * gains.reshape(1, 3, 1, 1)) - self.prior.encode(x)
