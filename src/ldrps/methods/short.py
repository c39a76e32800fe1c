"""The default: the tone posterior undoes darkness, haze and casts; the picture's own noise is the chain's."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ldrps.estimation.estimators import Estimators
from ldrps.estimation.noise import estimate_noise
from ldrps.estimation.tone import ToneFinding, find_tone
from ldrps.image.tiles import Window, windows
from ldrps.image.views import gather, glance, grid_shifts, mosaic, spread
from ldrps.methods.base import Method, Part
from ldrps.prior.base import Prior
from ldrps.sampling.chains import Chain, leave, proximal_chain, pulled_to
from ldrps.sampling.denoiser import denoiser_for
from ldrps.sampling.noise import NoiseField, draw
from ldrps.sampling.schedule import Schedule
from ldrps.sampling.trust import caption_gain
from ldrps.settings import ProximalPosterior, Settings

_ENOUGH = 512  # pixels a side of what is looked at of a large picture, to tell its noise and its exposure


class Short(Method):
    """No network is trained, and a picture takes a few network calls.

    A picture with white noise of deviation sigma is, encoded, a latent at the timestep of that level: the chain starts
    there with what the camera drew, instead of with noise of our own, and needs no further data term. In a
    recurrence the noise is ours, and a proximal step holds the chain to the picture. A caption that
    misleads is not followed.

    The prior's grid of patches would show in smooth places. So the picture is restored on several offsets of that grid
    at once, a batch of one network call, and the mean is taken (cycle spinning, Coifman and Donoho 1995).

    What is true of the whole picture, its tones and its noise, is found out first. Then large pictures are
    restored in windows that overlap. Their chains need not be held together step by step, as chains from noise of one's
    own must be: all begin with the same picture and end near it.
    """

    def __init__(
        self,
        y: Tensor,
        prior: Prior,
        estimators: Estimators,
        settings: Settings,
        caption: str,
        generator: torch.Generator,
        visible: Tensor | None = None,
    ) -> None:
        assert isinstance(settings.posterior, ProximalPosterior)
        self.posterior, self.settings = settings.posterior, settings
        self.prior, self.estimators = prior, estimators
        self.visible = visible  # [1, 1, H, W], where pixels that were made up must not tell of noise
        self.schedule = Schedule(prior.alphas_cumprod)
        self.shifts = grid_shifts(self.posterior.shifts, prior.factor)
        self.windows = windows(y.shape[-2], y.shape[-1], settings.tile, settings.overlap, prior.size_multiple)

        self.findings = {"windows": len(self.windows)} if len(self.windows) > 1 else {}
        self.y, tone = y, self._find_tone(y, generator)
        self.tone: ToneFinding | None = tone
        if tone.field is not None:  # which is of the whole picture
            self.y, self.tone = tone.undo(y.to(prior.device)), None
        self.hear(caption)

        self.level = self.noise = 0.0  # in latents and in pixels
        self.rounds = []
        looked_at = None if visible is None else mosaic(visible, _ENOUGH)
        self._find_noise(self.undone(mosaic(self.y, _ENOUGH)), looked_at, generator)
        if self.level:
            first = self.schedule.timestep_of(self.level)
            again = self.schedule.timestep_of(self.level * settings.strength)
            # A sample's grain is ours: at least one round begins with noise that was drawn.
            recurrences = max(settings.recurrences, self.posterior.sample)
            starts = [first, *[again] * recurrences]
            self.rounds = [self.schedule.spaced(start, settings.steps) for start in starts]

    def hear(self, caption: str) -> None:
        if caption and self.prior.has_text:
            gain = caption_gain(self.prior, self.undone(glance(self.y, _ENOUGH)), caption)
            followed = gain > -self.posterior.caption_misleads
            self.findings["caption"] = {"gain": round(gain, 4), "followed": followed}
            caption = caption if followed else ""
        self.denoise = denoiser_for(self.prior, caption, self.settings.negative, self.settings.text_scale)

    def part(self, window: Window) -> Part:
        return _Part(self, window)

    def undone(self, part: Tensor) -> Tensor:
        """A part of the picture, on the prior's device, with the damage to its tones undone."""
        part = part.to(self.prior.device)
        return part if self.tone is None else self.tone.undo(part)

    @torch.no_grad()
    def encoded(self, image: Tensor) -> Tensor:
        """[1, 3, H, W] to its latents on each offset of the grid, [shifts, C, h, w]."""
        return self.prior.encode(spread(image, self.shifts, self.prior.size_multiple))

    def _find_tone(self, y: Tensor, generator: torch.Generator) -> ToneFinding:
        chosen = self.posterior
        drawing = generator if chosen.sample else None
        small = y if chosen.unevenness else glance(y, _ENOUGH)
        small = small.to(self.prior.device)
        tone = find_tone(small, self.estimators.tone, chosen.tone, chosen.undamaged, chosen.unevenness, drawing)
        exposure = float(small.mean() / tone.undo(small).mean().clamp_min(1e-3))
        self.findings["tone"] = tone.report() | {"exposure": round(exposure, 3)}
        return tone

    def _find_noise(self, y: Tensor, visible: Tensor | None, generator: torch.Generator) -> None:
        """Set `level` and `noise` if there is any to speak of in y [1, 3, H, W], whose tones are good."""
        known = self.posterior.noise
        noise = float(estimate_noise(y, visible).mean()) if known is None else known / 255
        self.findings["noise"] = round(255 * noise, 2)
        if 255 * noise < self.posterior.floor:
            return
        # How much of that noise the latents have: all, if the encoder is orthonormal.
        latents = self.encoded(y)
        probe = self.encoded(y + noise * draw(y.shape, generator, y.device))
        level = self.posterior.noise_factor * float((probe - latents).pow(2).mean().sqrt())
        share = self._noise_share(latents[:1], level, visible) if known is None else 1.0
        self.findings["noise"] = round(255 * noise * share, 2)
        if 255 * noise * share < self.posterior.floor:
            return
        self.level, self.noise = level * share, self.posterior.noise_factor * noise * share
        self.findings["denoised"] = True

    def _noise_share(self, z: Tensor, level: float, visible: Tensor | None) -> float:
        """How much of what was taken for noise in the latents z [1, C, h, w] is noise, 0 to 1.

        The estimate takes fine texture for noise; the prior does not. If there is noise of that level, a denoising step
        takes about as much away; if it is texture, the step lets most of it stand.
        """
        t = self.schedule.timestep_of(level)
        z0 = self.denoise(z * self.schedule.abar(t) ** 0.5, t).z0
        if visible is not None:  # as z has it: on the first offset of the grid, a mean for each latent
            visible = F.avg_pool2d(spread(visible, self.shifts[:1], self.prior.size_multiple), self.prior.factor)
        taken = float(_mean_square(z - z0, visible).sqrt()) / self.schedule.sigma(t)
        none, all_of_it = self.posterior.texture
        return min(max((taken - none) / (all_of_it - none), 0.0), 1.0)


class _Part(Part):
    """One window of a picture, on all offsets of the prior's grid."""

    def __init__(self, method: Short, window: Window) -> None:
        self.method, self.window = method, window
        self.prior, self.schedule = method.prior, method.schedule
        self.y = method.undone(window.of(method.y))  # [1, 3, h, w]
        self.latents = method.encoded(self.y) if method.rounds else None

    def start(self) -> Tensor:
        assert self.latents is not None
        return self.latents * self.schedule.abar(self.method.rounds[0][0]) ** 0.5

    def renoise(self, z: Tensor, number: int) -> Tensor:
        field = NoiseField(self.method.settings.seed, number)
        noise = field.at(self.window.top // self.prior.factor, self.window.left // self.prior.factor, z.shape)
        return self.schedule.compose(z, noise.to(z.device), self.method.rounds[number][0])

    def chain(self, z: Tensor, number: int) -> Chain:
        assert self.latents is not None
        variance = self.method.posterior.data_variance * self.method.level**2
        agree = pulled_to(self.latents, variance, self.schedule) if number else leave
        return proximal_chain(self.method.denoise, agree, self.schedule, z, self.method.rounds[number])

    @torch.no_grad()
    def picture(self, z: Tensor | None) -> Tensor:
        if z is None or self.latents is None:
            return self.y
        size = (self.y.shape[-2], self.y.shape[-1])
        restored, through = (gather(self.prior.decode(v), self.method.shifts, size) for v in (z, self.latents))
        # What the autoencoder cannot show is picture and noise; Wiener's factor keeps the share that is picture.
        missing = self.y - through
        visible = None if self.method.visible is None else self.window.of(self.method.visible)
        kept = 1 - self.method.noise**2 / float(_mean_square(missing, visible).clamp_min(1e-12))
        return restored + max(kept, 0.0) * missing


def _mean_square(values: Tensor, visible: Tensor | None) -> Tensor:
    """Of [1, C, H, W], where each place counts as much as it is visible, [1, 1, H, W]; 0 where nothing is."""
    if visible is None:
        return values.pow(2).mean()
    visible = visible.to(values.device)
    return (values.pow(2).mean(1, keepdim=True) * visible).sum() / visible.sum().clamp_min(1e-12)
