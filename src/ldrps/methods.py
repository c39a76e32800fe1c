"""The two ways of restoring a picture, as plans that `restore` carries out: where to start, how to go, how to end."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import torch
from torch import Tensor

from ldrps.align.fpam import AlignmentNets
from ldrps.align.noise import estimate_noise
from ldrps.align.tone import find_tone
from ldrps.errors import SettingsError
from ldrps.guidance.perceptual import Features
from ldrps.guidance.posterior import LearnedPosterior
from ldrps.image.views import gather, grid_shifts, spread
from ldrps.prior.base import Prior
from ldrps.sampling.chains import Chain, Losses, gradient_chain, proximal_chain
from ldrps.sampling.denoiser import denoiser_for
from ldrps.sampling.schedule import Schedule
from ldrps.sampling.trust import caption_gain
from ldrps.settings import GradientPosterior, ProximalPosterior, Settings


class Method(ABC):
    """A plan for one picture; made for it and thrown away with it.

    Attributes:
        findings: what it found out about the damage, as plain data.
        rounds: the timesteps of the first chain and of each recurrence; empty where there is nothing to sample.
    """

    findings: dict[str, Any]
    rounds: list[list[int]]

    @abstractmethod
    def start(self, generator: torch.Generator) -> Tensor:
        """The latents at the first timestep, [chains, C, h, w]."""

    @abstractmethod
    def chain(self, z: Tensor, timesteps: list[int], number: int) -> Chain:
        """Round `number` (0, 1, ...) of the recurrence, from latents at the first of `timesteps`."""

    @abstractmethod
    def picture(self, z: Tensor | None) -> Tensor:
        """The restored picture [1, 3, H, W], from the latents at the end; None where there were no rounds."""

    def renoise(self, z: Tensor, t: int, generator: torch.Generator) -> Tensor:
        """The start of a recurrence: clean latents with fresh noise at the level of t."""
        return self.schedule.compose(z, draw(z.shape, generator, z.device), t)

    schedule: Schedule


class Published(Method):
    """LD-RPS as published: two chains from pure noise, F-PAM learned on the way, the posterior's gradient."""

    def __init__(
        self,
        y: Tensor,
        prior: Prior,
        settings: Settings,
        caption: str,
        features: Features | None,
    ) -> None:
        assert isinstance(settings.posterior, GradientPosterior)
        self.posterior = settings.posterior
        self.prior = prior
        self.schedule = Schedule(prior.alphas_cumprod)
        self.denoise = denoiser_for(prior, caption, settings.negative, settings.text_scale)
        timesteps = self.schedule.leading(settings.steps)
        self.stride = self.schedule.stride(settings.steps)
        again = timesteps[round(len(timesteps) * (1 - settings.strength)) :]  # from gamma T
        self.rounds = [timesteps, *[again] * settings.recurrences]
        self.findings = {}
        self.shape = (2, prior.latent_channels, y.shape[-2] // prior.factor, y.shape[-1] // prior.factor)
        # A generator of their own: as in the reference, nets and latents are drawn from the same seed apart.
        nets = AlignmentNets.create(torch.Generator().manual_seed(settings.seed), y.device)
        self.learned = LearnedPosterior(y, prior.decode, features or prior.encode, nets, self.posterior)

    def start(self, generator: torch.Generator) -> Tensor:
        return draw(self.shape, generator, self.prior.device)

    def chain(self, z: Tensor, timesteps: list[int], number: int) -> Chain:
        return gradient_chain(
            self.denoise,
            self.learned.correction,
            self.schedule,
            z,
            timesteps,
            stride=self.stride,
            clamp_quantile=self.posterior.clamp_quantile,
            z0_from_stepped=self.posterior.z0_from_stepped,
        )

    @torch.no_grad()
    def picture(self, z: Tensor | None) -> Tensor:
        assert z is not None
        return self.prior.decode(z[:1])


class Short(Method):
    """The default: the tone posterior undoes darkness, haze and casts; the picture's own noise is the chain's.

    A picture with white noise of deviation sigma is, encoded, a latent at the timestep of that level: the chain starts
    there with what the camera drew, instead of with noise of our own, and needs no further data term. In a
    recurrence the noise is ours, and a proximal step holds the chain to the picture. A caption that
    misleads is not followed.

    The prior's grid of patches would show in smooth places. So the picture is restored on several offsets of that grid
    at once, a batch of one network call, and the mean is taken (cycle spinning, Coifman and Donoho 1995).
    """

    def __init__(self, y: Tensor, prior: Prior, settings: Settings, caption: str, generator: torch.Generator) -> None:
        assert isinstance(settings.posterior, ProximalPosterior)
        self.posterior = settings.posterior
        self.prior = prior
        self.schedule = Schedule(prior.alphas_cumprod)
        self.shifts = grid_shifts(self.posterior.shifts, prior.factor)

        self.findings = {}
        self.y = y
        if prior.tone is not None:
            chosen = self.posterior
            drawing = generator if chosen.sample else None
            tone = find_tone(y, prior.tone, chosen.tone, chosen.undamaged, chosen.unevenness, drawing)
            self.y = tone.undo(y)
            exposure = float(y.mean() / self.y.mean().clamp_min(1e-3))
            self.findings["tone"] = tone.report() | {"exposure": round(exposure, 3)}
        if caption and prior.has_text:
            gain = caption_gain(prior, self.y, caption)
            followed = gain > -self.posterior.caption_misleads
            self.findings["caption"] = {"gain": round(gain, 4), "followed": followed}
            caption = caption if followed else ""
        self.denoise = denoiser_for(prior, caption, settings.negative, settings.text_scale)

        noise = float(estimate_noise(self.y).mean())
        self.findings["noise"] = round(255 * noise, 2)

        self.rounds = []
        self.latents: Tensor = self._encoded(self.y)
        self.level = self.noise = 0.0  # in latents and in pixels
        if 255 * noise < self.posterior.floor:
            return
        # How much of that noise the latents have: all, if the encoder is orthonormal.
        probe = self._encoded(self.y + noise * draw(self.y.shape, generator, self.y.device))
        level = self.posterior.noise_factor * float((probe - self.latents).pow(2).mean().sqrt())
        share = self._noise_share(level)
        self.findings["noise"] = round(255 * noise * share, 2)
        if 255 * noise * share < self.posterior.floor:
            return
        self.level, self.noise = level * share, self.posterior.noise_factor * noise * share
        self.findings["denoised"] = True
        first = self.schedule.timestep_of(self.level)
        again = self.schedule.timestep_of(self.level * settings.strength)
        self.rounds = [
            self.schedule.spaced(first, settings.steps),
            # A sample's grain is ours: at least one round begins with noise that was drawn.
            *[self.schedule.spaced(again, settings.steps)] * max(settings.recurrences, self.posterior.sample),
        ]

    def _noise_share(self, level: float) -> float:
        """How much of what was taken for noise is noise, 0 to 1.

        The estimate takes fine texture for noise; the prior does not. If there is noise of that level, a denoising step
        takes about as much away; if it is texture, the step lets most of it stand.
        """
        t = self.schedule.timestep_of(level)
        z0 = self.denoise(self.latents[:1] * self.schedule.abar(t) ** 0.5, t).z0
        taken = float((self.latents[:1] - z0).pow(2).mean().sqrt()) / self.schedule.sigma(t)
        none, all_of_it = self.posterior.texture
        return min(max((taken - none) / (all_of_it - none), 0.0), 1.0)

    @torch.no_grad()
    def _encoded(self, image: Tensor) -> Tensor:
        """[1, 3, H, W] to its latents on each offset of the grid, [shifts, C, h, w]."""
        return self.prior.encode(spread(image, self.shifts, self.prior.size_multiple))

    def start(self, generator: torch.Generator) -> Tensor:
        return self.latents * self.schedule.abar(self.rounds[0][0]) ** 0.5

    def chain(self, z: Tensor, timesteps: list[int], number: int) -> Chain:
        return proximal_chain(self.denoise, self._agree if number else _keep, self.schedule, z, timesteps)

    def _agree(self, z0: Tensor, t: int) -> tuple[Tensor, Losses]:
        """argmin over z of |z - z_y|^2 / sigma_y^2 + |z - z0|^2 / sigma_t^2 (DiffPIR, eq. 13)."""
        prior_variance = self.schedule.sigma(t) ** 2
        weight = prior_variance / (prior_variance + self.posterior.data_variance * self.level**2)
        change = weight * (self.latents - z0)
        return z0 + change, {"posterior/distance": float(change.pow(2).mean())}

    @torch.no_grad()
    def picture(self, z: Tensor | None) -> Tensor:
        if z is None:
            return self.y
        size = (self.y.shape[-2], self.y.shape[-1])
        restored, through = (gather(self.prior.decode(each), self.shifts, size) for each in (z, self.latents))
        # What the autoencoder cannot show is picture and noise; Wiener's factor keeps the share that is picture.
        missing = self.y - through
        kept = 1 - self.noise**2 / float(missing.pow(2).mean().clamp_min(1e-12))
        return restored + max(kept, 0.0) * missing


def _keep(z0: Tensor, t: int) -> tuple[Tensor, Losses]:
    return z0, {}


def plan(
    y: Tensor,
    prior: Prior,
    settings: Settings,
    caption: str,
    features: Features | None,
    generator: torch.Generator,
) -> Method:
    """The method that the settings ask for, for a picture y [1, 3, H, W] in [0, 1] on the prior's device.

    Raises:
        SettingsError: features are given to a method that compares none.
    """
    if isinstance(settings.posterior, GradientPosterior):
        return Published(y, prior, settings, caption, features)
    if features is not None:
        raise SettingsError(f"preset {settings.preset!r} has no perceptual term: leave the features out")
    return Short(y, prior, settings, caption, generator)


def draw(shape: tuple[int, ...], generator: torch.Generator, device: torch.device) -> Tensor:
    """Standard normal noise, drawn on the CPU in float32 so that every device gets the same."""
    return torch.randn(shape, generator=generator).to(device)
