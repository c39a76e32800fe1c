"""A picture that is blurred, y = k * x + n with k known: the blur is undone and the noise taken away in one loop."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ldrps.degradation import Blur
from ldrps.estimation.damage import Damage
from ldrps.estimation.estimate import latent_deviation, undone_sample
from ldrps.image.pad import pad_to_multiple
from ldrps.image.tiles import Window
from ldrps.image.views import grid_shifts
from ldrps.methods.base import Part
from ldrps.methods.blind import Blind, as_grey, clipped
from ldrps.prior.base import Prior
from ldrps.sampling.chains import Chain, splitting_chain
from ldrps.sampling.noise import NoiseField
from ldrps.settings import Settings, Splitting, again

_ROUNDING = 1 / 255 / 12**0.5  # the deviation of what rounding to bytes adds
_OFFSETS = 4  # of the prior's grid, one after the other; with sixteen it is no better
_WHITE = 1 - 1e-6  # what undoing the tones makes of white
_EXPLAINED = 0.05  # of white: as near as a first step comes to what it sees


class Deblurring(Blind):
    """The default where a picture is blurred, by half-quadratic splitting (DPIR, Zhang et al. 2021).

    The chain is one of pictures, as a blur spreads over places of the latents and over what the autoencoder drops: a
    data step undoes it, and the denoiser takes away what that left of errors, on another offset of the prior's grid in
    each step. What the autoencoder drops comes back with the next data step, and with a last one at the end. The levels
    fall from far above the noise of the picture down to it. In a recurrence noise is added to what was found.

    What lies beyond the edge is neither the picture mirrored nor the picture again, but not known: x is larger than y
    by the reach of the kernel, and y bounds what it can. Nor is known what was hidden, or is there because the picture
    was padded, or what white was before it was clipped. Of a window, the pixels around it count too, as far as the
    kernel reaches.

    Args:
        y, prior, settings, damage, caption, visible: as of `Blind`; the damage has a blur.
        size: (H, W) of the picture before it was padded at the right and the bottom; None that it was not.

    Attributes:
        blur: what it is blurred by.
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
        super().__init__(y, prior, settings, damage, caption, visible)
        assert damage.blur_kernel is not None
        self.blur = Blur(damage.blur_kernel.to(prior.device), "valid")
        options = self.options.splitting
        height, width = size or y.shape[-2:]
        known = torch.ones_like(y[:, :1]) if visible is None else visible.to(y).clone()
        known[..., height:, :], known[..., width:] = 0.0, 0.0
        deviation = (self.sigma**2 + _ROUNDING**2) ** 0.5 if self.sigma else options.noise / 255
        self.noise = deviation / known**0.5

        first = falling_levels(self.sigma, options)
        later = first[-again(len(first), settings.renoise) :]
        self.levels = [first, *[later] * max(settings.recurrences, self.options.sample)]
        sample = self._as_seen(undone_sample(y, damage, prior))
        self.latent_gain = latent_deviation(prior, sample, first[0]) / first[0]
        self.rounds = [[self.schedule.timestep_of(self.latent_gain * s) for s in levels] for levels in self.levels]

    def part(self, window: Window) -> Part:
        return _Part(self, window)

    @torch.no_grad()
    def agreeing(self, x0: Tensor, level: float, y: Tensor, noise: Tensor) -> Tensor:
        """argmin over x of |k * x - y|^2 / noise^2 + weight |x - x0|^2 / level^2."""
        options = self.options.splitting
        return self.blur.valid_step(x0, y, level / options.weight**0.5, noise, options.rounds)

    @torch.no_grad()
    def denoised(self, x: Tensor, level: float, number: int) -> Tensor:
        """The picture x [1, 3, H, W] without white noise of that level, on an offset of the grid for each number."""
        shift = grid_shifts(_OFFSETS, self.prior.factor)[number % _OFFSETS]
        padded, crop = pad_to_multiple(x, self.prior.size_multiple, before=shift)
        return crop(self.prior.decode(self.remove(self.prior.encode(padded), level * self.latent_gain, "white")))


class _Part(Part):
    """One window of a picture, in a frame as wide as the kernel reaches."""

    def __init__(self, method: Deblurring, window: Window) -> None:
        self.method = method
        self.down, self.across = (side // 2 for side in method.blur.kernel.shape[-2:])
        self.seen = self._around(window, method.y)
        self.y = method.undone(self.seen.of(method.y), self.seen)  # [1, 3, h, w]
        self.noise = self.seen.of(method.noise).to(self.y)
        top, left = window.top - self.seen.top + self.down, window.left - self.seen.left + self.across
        self.inside = Window(top, left, window.height, window.width)  # of what is in the frame
        if bool((self.y >= _WHITE).any()):
            self._leave_lights_out()

    def start(self) -> Tensor:
        return F.pad(self.y, (self.across, self.across, self.down, self.down), mode="replicate")

    def renoise(self, z: Tensor, number: int) -> Tensor:
        field = NoiseField(self.method.settings.seed, number)
        noise = field.at(self.seen.top - self.down, self.seen.left - self.across, z.shape)
        return z + self.method.levels[number][0] * noise.to(z.device)

    def chain(self, z: Tensor, number: int) -> Chain:
        method = self.method
        return splitting_chain(method.denoised, self._agreeing, z, method.levels[number], method.rounds[number])

    def picture(self, z: Tensor | None) -> Tensor:
        assert z is not None
        y, restored = (self.inside.of(x) for x in (self.start(), self._agreeing(z, self.method.levels[0][-1])))
        if self.method.grey:
            restored = as_grey(restored)
        return torch.where(clipped(y), y, restored)

    def preview(self, z0: Tensor) -> Tensor:
        return self.inside.of(z0)

    def _agreeing(self, x0: Tensor, level: float) -> Tensor:
        return self.method.agreeing(x0, level, self.y, self.noise)

    def _leave_lights_out(self) -> None:
        """Let y tell nothing where it is white, as x may have been brighter; nor around that, if it was.

        A lamp that is brighter than white leaves a halo that no picture explains, as none is: such a picture would be
        rings all over (Whyte et al. 2014). Whether it was is seen after a first step.
        """
        white = self.y >= _WHITE
        self.noise = torch.where(white, torch.inf, self.noise)
        level = self.method.levels[0][0]
        x = self.method.denoised(self._agreeing(self.start(), level), level, 0).clamp(0, 1)
        missed = (self.y - self.method.blur(x)).abs() > _EXPLAINED + 3 * self.method.sigma
        beyond = self._spread(white) & self._spread(missed & self._spread(white) & ~white)
        self.noise = torch.where(beyond, torch.inf, self.noise)

    def _spread(self, places: Tensor) -> Tensor:
        """Where the kernel reaches from places [1, 3, h, w]."""
        reach = (2 * self.down + 1, 2 * self.across + 1)
        return F.max_pool2d(places.to(self.y), reach, 1, (self.down, self.across)) > 0

    def _around(self, window: Window, picture: Tensor) -> Window:
        """The window and what there is around it of the picture, as far as the kernel reaches."""
        height, width = picture.shape[-2:]
        top, left = max(window.top - self.down, 0), max(window.left - self.across, 0)
        bottom = min(window.top + window.height + self.down, height)
        right = min(window.left + window.width + self.across, width)
        return Window(top, left, bottom - top, right - left)


def falling_levels(sigma: float, options: Splitting) -> list[float]:
    """The levels of a chain for a picture with noise of deviation sigma, of 1, equally spaced in their logarithms."""
    end = max(options.end / 255, sigma)
    start = max(options.start / 255, end)
    shares = [k / max(options.levels - 1, 1) for k in range(options.levels)]
    return [start * (end / start) ** share for share in shares]
