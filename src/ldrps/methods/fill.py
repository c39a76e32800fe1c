"""Holes in a picture, y = known * x: what is lost is drawn from the prior, so that it goes on from what is known."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ldrps.estimation.estimate import latent_deviation, noise_sample
from ldrps.image.fill import filled
from ldrps.image.pad import pad_to_multiple
from ldrps.image.tiles import Canvas, Window, windows
from ldrps.methods.blind import as_grey
from ldrps.methods.splitting import falling_levels
from ldrps.prior.base import Prior
from ldrps.sampling.chains import Chain, Step
from ldrps.sampling.noise import NoiseField
from ldrps.sampling.schedule import Schedule
from ldrps.sampling.spinning import on_an_offset
from ldrps.settings import BlindSettings, Settings

_AROUND = 48  # pixels around holes that are looked at as well: further away nothing decides what is in them


@dataclass(frozen=True)
class HoleWindows:
    """Where a picture is looked at to fill its holes.

    Attributes:
        region: around all holes, with some of the picture around them.
        every: the windows that cover it, padded to multiples of the prior's.
        looked_at: those in which something is lost.
    """

    region: Window
    every: list[Window]
    looked_at: list[Window]

    @classmethod
    def of(cls, lost: Tensor, prior: Prior, settings: Settings) -> HoleWindows:
        """Those of a picture of which so much is lost, [1, 1, H, W]; something is."""
        region = _around(lost, prior.size_multiple)
        holes = pad_to_multiple(region.of(lost), prior.size_multiple)[0] > 0
        height, width = holes.shape[-2:]
        every = windows(height, width, settings.tile, settings.overlap, prior.size_multiple)
        return cls(region, every, [window for window in every if bool(window.of(holes).any())])

    def steps(self, settings: Settings) -> int:
        """How many calls of the denoiser it takes."""
        assert isinstance(settings.method, BlindSettings)
        return len(self.looked_at) * settings.method.filling.levels


class HoleFilling:
    """Fills the holes of a picture whose other damage is undone.

    Annealed: in the hole the picture is first a plain continuation of what is around. At levels that fall from what
    that gets wrong to nearly nothing, noise is added to the whole picture and taken away by the denoiser, on another
    offset of its grid each time; then what is known is put back. A level is that of the noise and of the errors in the
    hole together, so less noise is added than the denoiser is told of; without any it could not leave what the level
    before made up (for which RePaint, Lugmayr et al. 2022, goes back and forth). A pixel that is known in part is a
    blend.

    Of a large picture, windows with holes alone are looked at, all at one level before any at the next: each goes on
    from what its neighbours have made of what they share.

    Args:
        image: the picture, [1, 3, H, W] in [0, 1]. What it shows where nothing is known decides nothing.
        known: how much each pixel tells, [1, 1, H, W] from 0 to 1: nothing where it is lost, or under transparency.
        lost: what is to be filled, [1, 1, H, W] from 0 to 1; the rest comes back to the bit.
        places: where that is looked at.
        prior: what removes noise.
        settings: all numbers.
        caption: what the picture shows, "" if nobody knows.
    """

    def __init__(
        self,
        image: Tensor,
        known: Tensor,
        lost: Tensor,
        places: HoleWindows,
        prior: Prior,
        settings: Settings,
        caption: str = "",
    ) -> None:
        assert isinstance(settings.method, BlindSettings)
        self.prior, self.seed = prior, settings.seed
        self._text = prior.embed([caption]) if prior.has_text else None
        self._image, self._lost, self._places = image, lost, places
        self._y, self._crop = pad_to_multiple(places.region.of(image), prior.size_multiple)
        self._known = pad_to_multiple(places.region.of(known), prior.size_multiple)[0]
        self._start = filled(self._y, self._known)
        self._grey = bool((self._start == self._start[:, :1]).all())
        self.levels, self._fresh = falling_levels(0.0, settings.method.filling), settings.method.filling.fresh
        schedule, first = Schedule(prior.alphas_cumprod), self.levels[0]
        sample = noise_sample(self._start, prior).to(prior.device)
        self._latent_gain = latent_deviation(prior, sample, first) / first
        self._timesteps = [schedule.timestep_of(self._latent_gain * level) for level in self.levels]

    @torch.no_grad()
    def chain(self) -> Chain:
        """The way down, a step for each window at each level; of pictures of the region around the holes.

        `placed` makes whole ones of them, of the last the result.
        """
        x = self._start
        for number, (level, t) in enumerate(zip(self.levels, self._timesteps, strict=True)):
            noise, canvas = NoiseField(self.seed, number), Canvas(self._places.every, *x.shape[-2:])
            for window in self._places.looked_at:
                part = window.of(x)
                top, left = self._places.region.top + window.top, self._places.region.left + window.left
                noisy = part + self._fresh * level * noise.at(top, left, part.shape)
                canvas.add(window, self._denoised(noisy, level, number))
                if window is self._places.looked_at[-1]:
                    x = torch.lerp(canvas.image, self._y, self._known)
                yield Step(t, x, x, {})
        return x

    def placed(self, x: Tensor) -> Tensor:
        """The whole picture with its holes as they are in a picture of the region, what is around them."""
        whole = self._image.clone()
        place = self._places.region.of(whole)
        place.copy_(torch.where(self._places.region.of(self._lost) > 0, self._crop(x), place))
        return whole

    def _denoised(self, x: Tensor, level: float, number: int) -> Tensor:
        """The picture x [1, 3, H, W] without white noise of that level, on an offset of the grid for each number."""

        def remove(z: Tensor) -> Tensor:
            return self.prior.remove_noise(z, level * self._latent_gain, "white", self._text)

        found = on_an_offset(self.prior, x.to(self.prior.device), number, remove).to(x.device)
        return as_grey(found) if self._grey else found


def _around(lost: Tensor, multiple: int) -> Window:
    """The rectangle around all that is lost, [1, 1, H, W], with some of the picture around it.

    It begins at multiples of the prior's, so that what is in it does not depend on where it begins.
    """
    places = lost[0, 0] > 0
    ends = []
    for axis, length in ((1, places.shape[0]), (0, places.shape[1])):
        found = places.any(axis).nonzero()
        first = max(int(found.min()) - _AROUND, 0) // multiple * multiple
        ends.append((first, min(-(-(int(found.max()) + 1 + _AROUND) // multiple) * multiple, length) - first))
    (top, tall), (left, wide) = ends
    return Window(top, left, tall, wide)
