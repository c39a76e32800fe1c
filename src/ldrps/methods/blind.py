"""The default: what happened to the picture is estimated, its tones are undone, its own noise is the chain's."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from ldrps.degradation import Jpeg
from ldrps.estimation.codec import estimated_residue, of_luma_alone
from ldrps.estimation.damage import Damage
from ldrps.estimation.estimate import ENOUGH, kept_detail, latent_deviation, undone_sample
from ldrps.estimation.words import change_of, possible_change
from ldrps.findings import CaptionFit, Findings
from ldrps.image.tiles import Window, windows
from ldrps.image.views import thumbnail
from ldrps.methods.base import Method, Part
from ldrps.prior.base import NoiseKind, Prior
from ldrps.sampling.chains import Chain, leave, picture_chain, proximal_chain, pulled_to, single_step
from ldrps.sampling.denoiser import denoiser_for, in_batches
from ldrps.sampling.noise import NoiseField
from ldrps.sampling.schedule import Schedule
from ldrps.sampling.spinning import CycleSpinning
from ldrps.sampling.trust import caption_gain
from ldrps.settings import BlindSettings, Settings

# Of a step's noise level, the next one's at the least, where steps share the offsets. Beside steps on all of them, in
# twelve held-out photographs with noise of 8, 12, 20, 30, 50 0.04, 0.03, 0.02, 0.02, 0.01 dB are lost where the second
# is at the lowest level there is; with 0.4 0.04, 0.02, 0.00 are, and 0.02 and 0.06 gained; 0.5 costs LPIPS.
_FALL = 0.4
_ALIKE = 1.1  # levels that differ by less are one


class Blind(Method):
    """y = A(x) + n with A and n estimated, or given: A is undone first, n is what the chain begins with.

    A picture with white noise of deviation sigma is, encoded, a latent at the timestep of that level: the chain starts
    there with what the camera drew, instead of with noise of our own, and needs no further data term. In a recurrence
    the noise is ours, and a proximal step holds the chain to the picture. No network is trained; a picture takes a few
    network calls, on several offsets of the prior's grid. Windows of a large picture need not be held together
    step by step, as chains from noise of one's own must be: all begin with the same picture and end near it. Noise that
    is not white, of cameras or JPEG, is no diffusion's, nor is white noise below all of the schedule's levels: a prior
    that knows it takes it away in one call.

    Args:
        y: the picture, [1, 3, H, W] in [0, 1], multiples of the prior's.
        prior: what removes noise.
        settings: all other numbers.
        damage: A and n.
        caption: what the picture shows, "" if nobody knows.
        visible: how much each pixel counts, [1, 1, H, W]; where pixels were made up they must not tell of noise.
        codec: within whose steps what is restored is to stay, see `steps_to_keep`.
    """

    def __init__(
        self,
        y: Tensor,
        prior: Prior,
        settings: Settings,
        damage: Damage,
        caption: str,
        visible: Tensor | None = None,
        codec: Jpeg | None = None,
    ) -> None:
        assert isinstance(settings.method, BlindSettings)
        self.y, self.prior, self.settings, self.options = y, prior, settings, settings.method
        self.damage, self.visible = damage.of_size(y.shape[-2], y.shape[-1]), visible
        self.grey = all(bool((part == part[:, :1]).all()) for part in y.split(settings.tile, 2))
        self.schedule = Schedule(prior.alphas_cumprod)
        self.views = CycleSpinning.over(prior, self.options.shifts, self.options.batch_size)
        self.windows = windows(y.shape[-2], y.shape[-1], settings.tile, settings.overlap, prior.size_multiple)
        small = thumbnail(y, ENOUGH)
        changes = change_of(damage, small), possible_change(damage, small)
        self.findings = Findings(damage, *changes, windows=len(self.windows))
        self.set_caption(caption)
        self.sigma, self.kind = damage.noise_deviation, damage.noise_kind  # in pixels
        self.codec = codec
        self.level, self.rounds = 0.0, []  # the same in latents
        if self.sigma:
            self.level = latent_deviation(prior, self._as_seen(undone_sample(y, damage, prior)), self.sigma)
            first, again = (self.schedule.timestep_of(self.level * part) for part in (1, settings.renoise))
            # A sample's grain is ours: at least one round begins with noise that was drawn.
            recurrences = max(settings.recurrences, self.options.sample)
            self.rounds = [self.schedule.spaced(start, settings.steps) for start in [first, *[again] * recurrences]]
            if self.in_one_call:
                self.rounds[0] = [first]
            elif self.shares_shifts:
                self.rounds[0] = self.schedule.spaced(first, settings.steps, _FALL ** (settings.steps - 1))

    @property
    def in_one_call(self) -> bool:
        """Whether the picture's own noise is none that a chain of the schedule begins with."""
        return self.kind != "white" or self.level < self.schedule.sigma(0)

    @property
    def shares_shifts(self) -> bool:
        """Whether steps share the offsets of the grid among them, in a chain of pictures; not where a recurrence is to
        come, which begins with latents.
        """
        shares = self.options.shares_among(self.settings.steps)
        return shares and len(self.rounds) == 1 and not self.in_one_call

    def set_caption(self, caption: str) -> None:
        fit = None
        if caption and self.prior.has_text:
            gain = caption_gain(self.prior, self.undone(thumbnail(self.y, ENOUGH)), caption)
            fit = CaptionFit(round(gain, 4), followed=gain > -self.options.caption_misleads)
            caption = caption if fit.followed else ""
        self.findings = replace(self.findings, caption=fit)
        denoise = denoiser_for(self.prior, caption, self.settings.negative, self.settings.text_scale)
        self.denoise = in_batches(denoise, self.options.batch_size)
        self.caption = caption

    def remove(self, z: Tensor, level: float, kind: NoiseKind) -> Tensor:
        """Latents z [B, C, h, w] without noise of that level and kind, in one call."""
        text = self.prior.embed([self.caption]) if self.prior.has_text else None

        def removed(part: Tensor) -> Tensor:
            return self.prior.remove_noise(part, level, kind, None if text is None else text.expand(len(part), -1, -1))

        return torch.cat([removed(part) for part in z.split(self.options.batch_size)])

    def rounds_of(self, window: Window) -> list[list[int]]:
        """None for what has no noise: pixels of one colour all over, such as a margin or what was clipped; nor for what
        nobody sees.
        """
        y = window.of(self.y)
        of_one_colour = bool((y == y[..., :1, :1]).all())
        hidden = self.visible is not None and not bool(window.of(self.visible).any())
        return [] if of_one_colour or hidden else self.rounds

    def part(self, window: Window) -> Part:
        shares = self.shares_shifts and self.rounds_of(window)
        return _Sharing(self, window) if shares else _AtOnce(self, window)

    def undone(self, y: Tensor, window: Window | None = None) -> Tensor:
        """The picture, or a window of it, on the prior's device, with its tones as they were."""
        return self._as_seen(self.damage.undo_tone(y.to(self.prior.device), window))

    def _as_seen(self, undone: Tensor) -> Tensor:
        """Without colours if the picture had none."""
        return as_grey(undone) if self.grey else undone


def steps_to_keep(file: Jpeg | None, compression: Jpeg | None, y: Tensor, damage: Damage) -> Jpeg | None:
    """Of a compression, told by the file or by traces, what is known of its steps; None where they bind nothing.

    They do where it is what that compression did that is undone, and not more, such as what another one did before; and
    nothing of the tones, by whose values steps count. What traces leave open of the colours binds nothing.
    """
    noise, tone = damage.noise, damage.tone
    if compression is None or noise is None or damage.noise_kind != "jpeg" or (tone is not None and not tone.absent):
        return None
    if float(noise.value.sigma) > _ALIKE * float(estimated_residue(compression, y).value.sigma):
        return None
    return compression if compression is file else of_luma_alone(compression)


class _BlindPart(Part):
    """One window of a picture, with its tones as they were."""

    def __init__(self, method: Blind, window: Window) -> None:
        self.method, self.window = method, window
        self.y = method.undone(window.of(method.y), window)  # [1, 3, h, w]
        self.size = (window.height, window.width)
        visible = method.visible
        self.visible = None if visible is None else window.of(visible)

    def finished(self, restored: Tensor) -> Tensor:
        """Without colours if there were none, with the coefficients that the picture's JPEG may stand for, and with
        black and white where they were cut off.
        """
        codec = self.method.codec
        restored = as_grey(restored) if self.method.grey else restored
        if codec is not None:
            restored = codec.at(self.window).project(restored, self.y)
        return torch.where(clipped(self.y), self.y, restored)


class _AtOnce(_BlindPart):
    """On all offsets of the prior's grid, from the first step to the last."""

    def __init__(self, method: Blind, window: Window) -> None:
        super().__init__(method, window)
        self.latents = method.views.encode(self.y) if method.rounds_of(window) else self.y

    def start(self) -> Tensor:
        return self.latents * self.method.schedule.abar(self.method.rounds[0][0]) ** 0.5

    def renoise(self, z: Tensor, number: int) -> Tensor:
        method, factor = self.method, self.method.prior.factor
        field = NoiseField(method.settings.seed, number)
        noise = field.at(self.window.top // factor, self.window.left // factor, z.shape)
        return method.schedule.compose(z, noise.to(z.device), method.rounds[number][0])

    def chain(self, z: Tensor, number: int) -> Chain:
        method = self.method
        if number:
            agree = pulled_to(self.latents, method.options.data_variance * method.level**2, method.schedule)
        elif method.in_one_call:
            remove = partial(method.remove, level=method.level, kind=method.kind)
            return single_step(remove, method.schedule, z, method.rounds[0][0])
        else:
            agree = leave
        return proximal_chain(method.denoise, agree, method.schedule, z, method.rounds[number])

    @torch.no_grad()
    def picture(self, z: Tensor | None) -> Tensor:
        if z is None:
            return self.y
        restored, through = (self.method.views.decode(v, self.size) for v in (z, self.latents))
        missing = self.y - through
        return self.finished(restored + kept_detail(missing, self.method.sigma, self.visible) * missing)

    def preview(self, z0: Tensor) -> Tensor:
        return self.method.views.decode_first(z0, self.size)


class _Sharing(_BlindPart):
    """On some offsets of the prior's grid in each step, and others in the next: a chain of pictures.

    What a step believes is a mean over its offsets already when the next step sees it, on others: that does about as
    well as to take every step on all of them, for as many times fewer calls as there are steps.
    """

    def start(self) -> Tensor:
        return self.y

    def renoise(self, z: Tensor, number: int) -> Tensor:
        raise AssertionError("a chain in turn has no recurrence")

    def chain(self, z: Tensor, number: int) -> Chain:
        method, timesteps = self.method, self.method.rounds[0]
        levels = [method.schedule.sigma(t) for t in timesteps]
        deviations = [method.sigma * level / levels[0] for level in levels]
        options = method.options
        views = CycleSpinning.shared(method.prior, options.shifts, len(timesteps), options.batch_size)
        share = 0.0  # of what the autoencoder does not show, how much is picture, as the first step tells

        @torch.no_grad()
        def denoise(x: Tensor, deviation: float, step: int) -> Tensor:
            nonlocal share
            t, seen = timesteps[step], views[step]
            latents = seen.encode(x)
            z0, _ = method.denoise(latents * method.schedule.abar(t) ** 0.5, t)
            restored, through = (seen.decode(v, self.size) for v in (z0, latents))
            missing, left = x - through, deviation / deviations[0]
            if step == 0:
                share = kept_detail(missing, deviation, self.visible)
            # Of that the picture is there already, and of the noise what is left.
            return restored + share / (share + left * (1 - share) or 1.0) * missing

        return picture_chain(denoise, z, deviations, timesteps)

    def picture(self, z: Tensor | None) -> Tensor:
        assert z is not None
        return self.finished(z)

    def preview(self, z0: Tensor) -> Tensor:
        return z0


def as_grey(image: Tensor) -> Tensor:
    """[B, 3, H, W] with three equal channels."""
    return image.mean(1, keepdim=True).expand_as(image)


def clipped(image: Tensor) -> Tensor:
    """Where an image [B, 3, H, W] and all around is black or white, [B, 1, H, W]: noise was cut off there as well."""
    ends = (image >= 1).all(1, keepdim=True) | (image <= 0).all(1, keepdim=True)
    return -F.max_pool2d(-ends.to(image), 3, 1, 1) > 0
