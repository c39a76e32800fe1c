"""Pictures that a linear map was applied to, y = A x + n with A known: A is undone and n taken away in one loop."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import replace

import torch
from torch import Tensor

from ldrps.degradation import Blur, GaussianBlur, WhiteNoise
from ldrps.estimation.damage import Damage, Estimate
from ldrps.estimation.estimate import latent_deviation, undone_sample
from ldrps.image.tiles import Canvas, Window
from ldrps.methods.base import Part
from ldrps.methods.blind import Blind, as_grey
from ldrps.prior.base import Prior
from ldrps.sampling.chains import Chain, end_of, splitting_chain
from ldrps.sampling.noise import NoiseField
from ldrps.sampling.spinning import on_an_offset
from ldrps.settings import BlindSettings, Filling, Settings, Splitting, again

_ROUNDING = 1 / 255 / 12**0.5  # the deviation of what rounding to bytes adds


class SplittingMethod(Blind):
    """Half-quadratic splitting (DPIR, Zhang et al. 2021), whatever A is.

    The chain is one of pictures, as A spreads over places of the latents and over what the autoencoder drops: a data
    step undoes it, and the denoiser takes away what that left of errors, on another offset of the prior's grid in each
    step. What the autoencoder drops comes back with the next data step, and with a last one at the end. The levels fall
    from far above the noise of the picture down to it. In a recurrence noise is added to what was found.

    Noise that is not white, of cameras or JPEG, is none that such a chain takes away: a prior that knows it does so
    before, in one call, as by default, and what is left of it, a share of its deviation, counts as white.

    Args:
        y, prior, settings, damage, caption, visible: as of `Blind`.
        size: (H, W) of the picture before it was padded at the right and the bottom; None that it was not.

    Attributes:
        splitting: the numbers of the loop.
        blur: of the damage, as wide as a "valid" border leaves it; None where there is none.
        noise: the deviation of n, [1, 1, H, W] in pixels; infinite where y tells nothing of x.
        levels: of each round, deviations in pixels.
        latent_gain: what turns them into those of latents.
    """

    def __init__(
        self,
        y: Tensor,
        prior: Prior,
        settings: Settings,
        damage: Damage,
        caption: str,
        visible: Tensor | None = None,
        size: tuple[int, int] | None = None,
    ) -> None:
        assert isinstance(settings.method, BlindSettings)
        self.splitting = splitting = self.numbers(settings.method)
        kernel = damage.blur_kernel
        self.blur = None if kernel is None else Blur(kernel.to(prior.device), "valid")
        if damage.noise_kind == "white":
            super().__init__(y, prior, settings, damage, caption, visible)
        else:
            once = settings.with_changes(scale=1.0, recurrences=0)
            before = Blind(y, prior, once, replace(damage, blur=None), caption, visible)
            left = WhiteNoise(splitting.residue * before.sigma)
            y, undone = whole_of(before), Damage(noise=Estimate(left, float(left.sigma > 0)), blur=damage.blur)
            super().__init__(y, prior, settings, undone, caption, visible)
            self.findings = replace(before.findings, caption=self.findings.caption, damage=damage)
        height, width = size or y.shape[-2:]
        known = torch.ones_like(y[:, :1]) if visible is None else visible.to(y).clone()
        known[..., height:, :], known[..., width:] = 0.0, 0.0
        noise = self.damage.noise
        sure = 0.0 if noise is None or noise.absent else noise.share
        unseen = (1 - sure) * self.least_noise(splitting)
        self.noise = math.hypot(self.sigma, max(unseen, _ROUNDING)) / known**0.5

        first = falling_levels(math.hypot(self.sigma, unseen), splitting)
        later = first[-again(len(first), settings.renoise) :]
        self.levels = [first, *[later] * max(settings.recurrences, self.options.sample)]
        sample = self._as_seen(undone_sample(y, self.damage, prior))
        self.latent_gain = latent_deviation(prior, sample, first[0]) / first[0]
        self.rounds = [[self.schedule.timestep_of(self.latent_gain * s) for s in levels] for levels in self.levels]

    def least_noise(self, splitting: Splitting) -> float:
        """The deviation of the noise, of 1, of a picture in which none was found; as far as some was, less is meant.

        A kernel that is no Gaussian, such as a path, may be a little wrong everywhere: too much noise costs little
        then, too little leaves rings.
        """
        noise, blur = self.damage.noise, self.damage.blur
        if noise is None or blur is None or isinstance(blur.value, GaussianBlur):
            return splitting.noise / 255
        return max(splitting.noise / 255, splitting.unsure * float(noise.value.sigma))

    def rounds_of(self, window: Window) -> list[list[int]]:
        """All of them: a blur reaches beyond what a window shows, and of an enlargement windows are not those of y."""
        return self.rounds

    @staticmethod
    @abstractmethod
    def numbers(options: BlindSettings) -> Splitting:
        """Of the loop, among the settings."""

    @torch.no_grad()
    def denoised(self, x: Tensor, level: float, number: int) -> Tensor:
        """The picture x [1, 3, H, W] without white noise of that level, on an offset of the grid for each number."""
        return on_an_offset(self.prior, x, number, lambda z: self.remove(z, level * self.latent_gain, "white"))


def whole_of(method: Blind) -> Tensor:
    """What the first round of a method makes of all of its windows, [1, 3, H, W]."""
    canvas = Canvas(method.windows, *method.size)
    for window in method.windows:
        part = method.part(window)
        z = end_of(part.chain(part.start(), 0)) if method.rounds_of(window) else None
        canvas.add(window, part.picture(z))
    return canvas.image


class SplittingPart(Part):
    """One window of a picture, in a frame as wide as the map reaches.

    Attributes:
        method: of the whole picture.
        frame: where x is in the picture; it may reach over the edge.
        inside: the window, in the frame.
        y: what is seen of x, with its tones as they were.
    """

    method: SplittingMethod
    frame: Window
    inside: Window
    y: Tensor

    @abstractmethod
    def agreeing(self, x0: Tensor, level: float) -> Tensor:
        """argmin over x of |A x - y|^2 / noise^2 + weight |x - x0|^2 / level^2."""

    @abstractmethod
    def ends(self) -> tuple[Tensor, Tensor]:
        """Where in the window black and white are clipped, [1, 1, h, w], and what is there, [1, 3, h, w]."""

    def renoise(self, z: Tensor, number: int) -> Tensor:
        noise = NoiseField(self.method.settings.seed, number).at(self.frame.top, self.frame.left, z.shape)
        return z + self.method.levels[number][0] * noise.to(z.device)

    def chain(self, z: Tensor, number: int) -> Chain:
        method = self.method
        return splitting_chain(method.denoised, self.agreeing, z, method.levels[number], method.rounds[number])

    def picture(self, z: Tensor | None) -> Tensor:
        assert z is not None
        restored = self.inside.of(self.agreeing(z, self.method.levels[0][-1]))
        if self.method.grey:
            restored = as_grey(restored)
        places, values = self.ends()
        return torch.where(places, values, restored)

    def preview(self, z0: Tensor) -> Tensor:
        return self.inside.of(z0)


def falling_levels(sigma: float, options: Splitting | Filling) -> list[float]:
    """The levels of a chain for a picture with noise of deviation sigma, of 1, equally spaced in their logarithms."""
    end = max(options.end / 255, sigma)
    start = max(options.start / 255, end)
    shares = [k / max(options.levels - 1, 1) for k in range(options.levels)]
    return [start * (end / start) ** share for share in shares]
