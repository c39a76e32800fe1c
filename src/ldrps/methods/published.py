"""LD-RPS as published: two chains from pure noise, F-PAM learned on the way, the posterior's gradient."""

from __future__ import annotations

import torch
from torch import Tensor

from ldrps.estimation.fpam import AlignmentNets
from ldrps.findings import Findings
from ldrps.guidance.perceptual import Features
from ldrps.guidance.posterior import LearnedPosterior
from ldrps.image.tiles import Window
from ldrps.methods.base import Method, Part
from ldrps.prior.base import Prior
from ldrps.sampling.chains import Chain, gradient_chain
from ldrps.sampling.denoiser import Denoiser, denoiser_for
from ldrps.sampling.noise import draw
from ldrps.sampling.schedule import Schedule
from ldrps.settings import PublishedSettings, Settings


class Published(Method, Part):
    """Restores a picture in one part, itself: what F-PAM learns is of the whole picture."""

    denoise: Denoiser

    def __init__(
        self,
        y: Tensor,
        prior: Prior,
        settings: Settings,
        caption: str,
        features: Features | None,
        generator: torch.Generator,
    ) -> None:
        assert isinstance(settings.method, PublishedSettings)
        self.options, self.settings = settings.method, settings
        self.prior, self.generator = prior, generator
        self.schedule = Schedule(prior.alphas_cumprod)
        self.set_caption(caption)
        timesteps = self.schedule.leading(settings.steps)
        self.stride = self.schedule.stride(settings.steps)
        first = round(len(timesteps) * (1 - settings.renoise))
        again = timesteps[min(first, len(timesteps) - 1) :]  # from gamma T
        self.rounds = [timesteps, *[again] * settings.recurrences]
        self.findings = Findings()
        self.y = y
        self.windows = [Window(0, 0, *y.shape[-2:])]
        self.shape = (2, prior.latent_channels, y.shape[-2] // prior.factor, y.shape[-1] // prior.factor)
        # A generator of their own: as in the reference, nets and latents are drawn from the same seed apart.
        nets = AlignmentNets.create(torch.Generator().manual_seed(settings.seed), prior.device)
        y = y.to(prior.device)
        self.learned = LearnedPosterior(y, prior.decode, features or prior.encode, nets, self.options)

    def set_caption(self, caption: str) -> None:
        self.denoise = denoiser_for(self.prior, caption, self.settings.negative, self.settings.text_scale)

    def part(self, window: Window) -> Part:
        return self

    def start(self) -> Tensor:
        return draw(self.shape, self.generator, self.prior.device)

    def renoise(self, z: Tensor, number: int) -> Tensor:
        return self.schedule.compose(z, draw(z.shape, self.generator, z.device), self.rounds[number][0])

    def chain(self, z: Tensor, number: int) -> Chain:
        return gradient_chain(
            self.denoise,
            self.learned.correction,
            self.schedule,
            z,
            self.rounds[number],
            stride=self.stride,
            clamp_quantile=self.options.clamp_quantile,
            z0_from_stepped=self.options.z0_from_stepped,
        )

    @torch.no_grad()
    def picture(self, z: Tensor | None) -> Tensor:
        assert z is not None
        return self.prior.decode(z[:1])

    @torch.no_grad()
    def preview(self, z0: Tensor) -> Tensor:
        return self.prior.decode(z0[:1])
