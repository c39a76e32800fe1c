"""The posterior of LD-RPS without its scales: psi is learned from free samples and the picture, and steers z0."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.optim import Adam

from ldrps.estimation.fpam import learn
from ldrps.estimation.noise import estimate_noise
from ldrps.estimation.psi import MonotoneCurve, Psi, curved
from ldrps.guidance.domain import CleanDomain, distance, quantiles
from ldrps.guidance.evidence import evidence
from ldrps.guidance.proper import proper_step
from ldrps.prior.base import Prior
from ldrps.sampling.schedule import Schedule
from ldrps.settings import Loop

Losses = dict[str, float]


@dataclass
class RecurrentPosterior:
    """grad log p(y | z0) for the guided chains, with the psi that is learned on the way.

    Made for one picture and thrown away with it: psi and its optimiser are state.

    Stage one, from pure noise down to t1: psi learns on the domain alone (D1: does psi make of free samples what y
    looks like?) and the chain runs free, g = 0. Stage two, below t1: psi also learns that it makes y of what the prior
    makes of y, and z0 takes the data step.

    Args:
        y: the degraded picture [1, 3, H, W] in [0, 1], multiples of the prior's.
        prior: of undamaged pictures.
        domain: its free samples.
        numbers: weights, rates, timetable.
        generator: of the weights of the convolutions.

    Attributes:
        w: the gate, from 0, y is no degraded picture and psi stays the identity, to 1.
        evidence: what decided it, in nats per latent.
        noise: the deviation of y's noise.
    """

    y: Tensor
    prior: Prior
    domain: CleanDomain
    numbers: Loop
    generator: torch.Generator
    psi: Psi = field(init=False, repr=False)
    w: float = field(init=False)
    evidence: float = field(init=False)
    noise: float = field(init=False)

    def __post_init__(self) -> None:
        numbers, y = self.numbers, self.y
        self._schedule = Schedule(self.prior.alphas_cumprod)
        self._typical = self.domain.typical.to(y.device)
        self._degraded = quantiles(y)[0]
        self._variance = self.domain.variance.to(y.device).reshape(1, -1, 1, 1)
        self._spread = float(y.var().clamp_min(1e-4))
        self.noise = max(numbers.noise_factor * float(estimate_noise(y).mean()), numbers.noise_floor)
        explained = MonotoneCurve(numbers.knots, *self.domain.line_to(y)).to(y.device)
        self.evidence = evidence(self.prior, y, explained.curve())
        above = (self.evidence - numbers.undamaged) / (numbers.damaged - numbers.undamaged)
        self.w = min(max(above, 0.0), 1.0)
        curve = explained if self.w else MonotoneCurve(numbers.knots).to(y.device)
        self.psi = Psi(curve, y, convolutions=numbers.convolutions, generator=self.generator).to(y.device)
        self._optimiser = Adam(self.psi.parameter_groups(numbers.rate, numbers.convolution_rate), betas=(0.9, 0.99))
        self._rates = [group["lr"] for group in self._optimiser.param_groups]

    def agree(self, z0: Tensor, t: int) -> tuple[Tensor, Losses]:
        """z0 [chains, C, h, w] as the prior expects it, moved to agree with y; its noise is recomputed from it."""
        sigma = self._schedule.sigma(t)
        if sigma >= self.numbers.stage_two:
            return z0, self._learn(None, self.numbers.alone)
        with torch.no_grad():
            x = self.prior.decode(z0)
        losses = self._learn(x, self.numbers.along)
        # What the prior leaves open: the variance of z0 given z_t, were both Gaussian, twice to be on the safe side.
        open_ = 2 * sigma**2 * self._variance / (sigma**2 + self._variance)
        for parameter in self.psi.parameters():
            parameter.requires_grad_(False)
        z0 = proper_step(lambda z: self.psi(self.prior.decode(z)), z0, self.y, self.noise, open_, self.numbers.inner)
        for parameter in self.psi.parameters():
            parameter.requires_grad_(True)
        if self.numbers.quality and self.w and sigma < self.numbers.quality_from:
            z0 = self._improve(z0)
        return z0, losses

    def _learn(self, x: Tensor | None, steps: int) -> Losses:
        """Steps of S_psi; in stage two x [chains, 3, H, W] is what the prior makes of y."""
        numbers = self.numbers
        for group, rate in zip(self._optimiser.param_groups, self._rates, strict=True):
            group["lr"] = rate * (1 if x is None else numbers.slower)
        terms: dict[str, Tensor] = {}
        for _ in range(steps):
            terms = self._terms(x)
            learn(self._optimiser, sum(terms.values(), torch.zeros((), device=self.y.device)))
        return {f"alignment/{name}": float(term.detach()) for name, term in terms.items()}

    def _terms(self, x: Tensor | None) -> dict[str, Tensor]:
        numbers, w, curve = self.numbers, self.w, self.psi.curve
        slopes, values = curve.slopes.log(), curve.values
        ground = values[:, 0] / self.psi.deviation
        own = (slopes - slopes.mean(0)).square().mean() + (ground - ground.mean()).square().mean()
        terms = {
            "smooth": numbers.smooth * (slopes.diff(dim=-1) * slopes.shape[-1] / 4).square().mean(),
            "least": numbers.least * slopes.square().mean(),
            "grey": numbers.grey * own,
        }
        if w < 1:
            levels = torch.linspace(0, 1, values.shape[-1], device=values.device)
            terms["content"] = numbers.content * (1 - w) * (values - levels).square().mean() / self._spread
        if w > 0:
            weight = w * (1 if x is None else numbers.domain)
            terms["domain"] = weight * distance(curved(self._typical, values), self._degraded)
        if x is not None:
            made = self.psi(x)
            if w > 0:
                terms["data"] = w * numbers.data * (made - self.y).square().mean() / self._spread
            if numbers.convolutions:
                terms["quiet"] = numbers.quiet * (made - curve(x)).square().mean() / self._spread
        return terms

    @torch.no_grad()
    def _improve(self, z0: Tensor) -> Tensor:
        """Q, chrominance: each channel's mean a share of the way to grey, and psi takes it back."""
        x = self.prior.decode(z0)
        channels = x.mean((0, 2, 3)).clamp_min(0.02)
        gains = (channels.mean() / channels) ** (self.w * self.numbers.quality)
        self.psi.curve.rescale(gains)
        return z0 + self.prior.encode(x * gains.reshape(1, 3, 1, 1)) - self.prior.encode(x)
