"""A picture that is blurred, y = k * x + n with k known: the blur is undone and the noise taken away in one loop."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from ldrps.degradation import Blur, Clipping
from ldrps.image.pad import pad_to_multiple
from ldrps.image.tiles import Window
from ldrps.image.views import grid_shifts
from ldrps.methods.base import Part
from ldrps.methods.ends import as_grey, clipped
from ldrps.sampling.chains import Chain, splitting_chain
from ldrps.sampling.noise import NoiseField
from ldrps.settings import Deblurring

if TYPE_CHECKING:
    from ldrps.methods.blind import Blind

_ROUNDING = 1 / 255 / 12**0.5  # the deviation of what rounding to bytes adds


def falling_levels(sigma: float, options: Deblurring) -> list[float]:
    """The levels of a chain for a picture with noise of deviation sigma, of 1, equally spaced in their logarithms."""
    end = max(options.end / 255, sigma)
    start = max(options.start / 255, end)
    share = torch.linspace(0, 1, options.levels)
    return (start ** (1 - share) * end**share).tolist()


class DeblurredPart(Part):
    """One window of a picture that is blurred, by half-quadratic splitting (DPIR, Zhang et al. 2021).

    The chain is one of pictures, as a blur spreads over places of the latents and over what the autoencoder drops: a
    data step undoes it, and the denoiser takes away what that left of errors, on another offset of the prior's grid in
    each step. What the autoencoder drops comes back with the next data step, and with a last one at the end.

    What lies beyond the edge is neither the picture mirrored nor the picture again, but not known: x is larger than y
    by the reach of the kernel, and y bounds what it can. Nor is known what was hidden, or is there because the picture
    was padded. Of a window, the pixels around it count too, as far as the kernel reaches.

    Args:
        method: the plan, of a picture that is blurred.
        window: of the picture.
    """

    def __init__(self, method: Blind, window: Window) -> None:
        assert method.kernel is not None
        self.method, self.window, self.options = method, window, method.options.deblurring
        self.blur = Blur(method.kernel.to(method.prior.device), "valid")
        self.reach = (method.kernel.shape[-2] // 2, method.kernel.shape[-1] // 2)
        self.seen = _grown(window, self.reach, method.y)
        self.y = method.undone(self.seen.of(method.y), self.seen)  # [1, 3, h, w]
        noise = (method.sigma**2 + _ROUNDING**2) ** 0.5 if method.sigma else self.options.noise / 255
        self.sigma = noise / self.seen.of(method.known).to(self.y) ** 0.5  # infinite where nothing is known

    def start(self) -> Tensor:
        down, across = self.reach
        return F.pad(self.y, (across, across, down, down), mode="replicate")

    def renoise(self, z: Tensor, number: int) -> Tensor:
        top, left = self.seen.top - self.reach[0], self.seen.left - self.reach[1]
        noise = NoiseField(self.method.settings.seed, number).at(top, left, z.shape)
        return z + self.method.levels[number][0] * noise.to(z.device)

    def chain(self, z: Tensor, number: int) -> Chain:
        levels, timesteps = self.method.levels[number], self.method.rounds[number]
        return splitting_chain(self._denoised, self._agreeing, z, levels, timesteps)

    def picture(self, z: Tensor | None) -> Tensor:
        assert z is not None
        restored, y = (self._inside(x) for x in (self._agreeing(z, self.method.levels[0][-1]), self.start()))
        if self.method.grey:
            restored = as_grey(restored)
        return torch.where(clipped(y), y, restored)

    def preview(self, z0: Tensor) -> Tensor:
        return self._inside(z0)

    @torch.no_grad()
    def _agreeing(self, x0: Tensor, level: float) -> Tensor:
        """argmin over x of |k * x - y|^2 / sigma^2 + weight |x - x0|^2 / level^2; what was clipped bounds one side."""
        y = Clipping().project(self.blur(x0), self.y)
        return self.blur.valid_step(x0, y, level / self.options.weight**0.5, self.sigma, self.options.rounds)

    @torch.no_grad()
    def _denoised(self, x: Tensor, level: float, number: int) -> Tensor:
        method, prior = self.method, self.method.prior
        shifts = grid_shifts(method.options.shifts, prior.factor)
        padded, crop = pad_to_multiple(x, prior.size_multiple, before=shifts[number % len(shifts)])
        return crop(prior.decode(method.remove(prior.encode(padded), level * method.latent_gain, "white")))

    def _inside(self, x: Tensor) -> Tensor:
        """The window, of a picture that has what is seen around it, and what is not."""
        top, left = self.window.top - self.seen.top + self.reach[0], self.window.left - self.seen.left + self.reach[1]
        return Window(top, left, self.window.height, self.window.width).of(x)


def _grown(window: Window, reach: tuple[int, int], picture: Tensor) -> Window:
    """A window and as many pixels around it as there are, up to `reach` (down, across)."""
    (down, across), (height, width) = reach, picture.shape[-2:]
    top, left = max(window.top - down, 0), max(window.left - across, 0)
    bottom, right = min(window.top + window.height + down, height), min(window.left + window.width + across, width)
    return Window(top, left, bottom - top, right - left)
