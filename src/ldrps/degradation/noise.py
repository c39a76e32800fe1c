"""Noise: y = x + n, with n of a mean of 0 that may depend on x."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ldrps.degradation.base import plain_fields
from ldrps.degradation.kernels import taps
from ldrps.degradation.parameter import Parameter, broadcast, by_strength, mean_of
from ldrps.degradation.sampling import resampled, resize
from ldrps.degradation.solve import slope_of
from ldrps.degradation.srgb import Domain, into, out_of

_COUNTABLE = 1e16  # counts at white: more of them are without noise in float32, and too many to draw


class Noise(ABC):
    """One kind of noise; its subclasses are frozen dataclasses, with parameters as those of a `Degradation`.

    Pictures are floating [B, C, H, W]; nothing is clipped. What is drawn comes from a generator of NumPy, whose streams
    stay what they are from version to version, in the order of a file: picture, row, column, channel.
    """

    kind: ClassVar[str]

    @abstractmethod
    def sample(self, x: Tensor, random: np.random.Generator) -> Tensor:
        """x with noise drawn for it."""

    @abstractmethod
    def variance(self, x: Tensor) -> Tensor:
        """The variance of the noise of each value of x, shaped as x."""

    @abstractmethod
    def words(self) -> str:
        """How much noise, in a few words for people."""

    def scaled(self, strength: float) -> Noise:
        """The same noise, of `strength` times the deviation: itself for 1, white noise of none for 0.

        Raises:
            SettingsError: the strength is below 0 or no finite number.
        """
        return by_strength(strength, self, self._scaled, lambda: WhiteNoise(0.0))

    @abstractmethod
    def _scaled(self, strength: float) -> Self:
        """`scaled`, for a strength above 0."""

    def plain(self) -> dict[str, Any]:
        """Kind and parameters as plain data for JSON, which `from_plain` turns back."""
        return {"kind": self.kind, **plain_fields(self)}


def normal(shape: Sequence[int], like: Tensor, random: np.random.Generator) -> Tensor:
    """Standard normal values [B, C, H, W] in the type of `like`, drawn in the order of a file."""
    batch, channels, height, width = shape
    dtype = np.float64 if like.dtype == torch.float64 else np.float32
    drawn = random.standard_normal((batch, height, width, channels), dtype=dtype)
    return torch.from_numpy(drawn).to(like).movedim(-1, 1)


@dataclass(frozen=True, eq=False)
class WhiteNoise(Noise):
    """Gaussian, the same everywhere, each value by itself.

    Attributes:
        sigma: deviation, of 1.
    """

    kind = "white noise"

    sigma: Parameter

    def sample(self, x: Tensor, random: np.random.Generator) -> Tensor:
        return x + broadcast(self.sigma, x) * normal(x.shape, x, random)

    def variance(self, x: Tensor) -> Tensor:
        return (broadcast(self.sigma, x) ** 2).expand_as(x)

    def _scaled(self, strength: float) -> Self:
        return replace(self, sigma=self.sigma * strength)

    def words(self) -> str:
        return f"noise {255 * mean_of(self.sigma):.0f} of 255"


@dataclass(frozen=True, eq=False)
class PoissonNoise(Noise):
    """Counted light, y = Poisson(peak x) / peak; what is below 0 counts as 0.

    Attributes:
        peak: counts at white.
        domain: where; "srgb" as ImageNet-C has it, "linear" as a camera counts.
    """

    kind = "poisson noise"

    peak: Parameter
    domain: Domain = "srgb"

    def sample(self, x: Tensor, random: np.random.Generator) -> Tensor:
        counts = into(self.domain, x).clamp_min(0) * broadcast(self.peak, x)
        drawn = torch.from_numpy(random.poisson(counts.movedim(1, -1).cpu().double().numpy())).movedim(-1, 1)
        return out_of(self.domain, drawn.to(x) / broadcast(self.peak, x))

    def variance(self, x: Tensor) -> Tensor:
        return as_seen(self.domain, x, lambda light: light.clamp_min(0) / broadcast(self.peak, x))

    def _scaled(self, strength: float) -> Self:
        peak = self.peak / strength / strength
        return replace(self, peak=peak.clamp_max(_COUNTABLE) if isinstance(peak, Tensor) else min(peak, _COUNTABLE))

    def words(self) -> str:
        return f"shot noise of {mean_of(self.peak):.0f} counts"


@dataclass(frozen=True, eq=False)
class ShotReadNoise(Noise):
    """Gaussian of the variance shot * light + read ** 2 (Foi et al. 2008): that of light and that of the electronics.

    Attributes:
        shot: variance at white, of 1.
        read: deviation in the dark, of 1.
        domain: where; "linear" as a sensor has it.
    """

    kind = "shot and read noise"

    shot: Parameter
    read: Parameter
    domain: Domain = "linear"

    def sample(self, x: Tensor, random: np.random.Generator) -> Tensor:
        light = into(self.domain, x)
        return out_of(self.domain, light + self._at(light).sqrt() * normal(x.shape, x, random))

    def variance(self, x: Tensor) -> Tensor:
        return as_seen(self.domain, x, self._at)

    def _scaled(self, strength: float) -> Self:
        return replace(self, shot=self.shot * strength * strength, read=self.read * strength)

    def words(self) -> str:
        return f"sensor noise {255 * math.sqrt(mean_of(self.shot) + mean_of(self.read) ** 2):.0f} of 255 at white"

    def _at(self, light: Tensor) -> Tensor:
        return broadcast(self.shot, light) * light.clamp_min(0) + broadcast(self.read, light) ** 2


@dataclass(frozen=True, eq=False)
class SharedNoise(Noise):
    """Gaussian noise that neighbours and channels share, as resizing, demosaicking and compression leave it.

    White noise, convolved both ways with (a, 1, a), then moved towards the mean of its channels.

    Attributes:
        sigma: deviation of each value, of 1.
        neighbours: a, 0 for none; neighbours then have a correlation of 2 a / (1 + 2 a^2).
        channels: how far each channel has become the mean of all, 0 to 1.
    """

    kind = "shared noise"

    sigma: Parameter
    neighbours: Parameter = 0.0
    channels: Parameter = 0.0

    def sample(self, x: Tensor, random: np.random.Generator) -> Tensor:
        batch, channels, height, width = x.shape
        n = normal((batch, channels, height + 2, width + 2), x, random)  # what comes in from outside, too
        a, share = broadcast(self.neighbours, x), broadcast(self.channels, x)
        n = a * (n[..., :-2, :] + n[..., 2:, :]) + n[..., 1:-1, :]
        n = a * (n[..., :-2] + n[..., 2:]) + n[..., 1:-1]
        n = torch.lerp(n, n.mean(1, keepdim=True), share.expand_as(n))
        left = (1 - share) ** 2 + (2 * share * (1 - share) + share**2) / channels  # of the variance, by sharing
        return x + broadcast(self.sigma, x) * n / ((1 + 2 * a**2) * left.sqrt())

    def variance(self, x: Tensor) -> Tensor:
        return (broadcast(self.sigma, x) ** 2).expand_as(x)

    def _scaled(self, strength: float) -> Self:
        return replace(self, sigma=self.sigma * strength)

    def words(self) -> str:
        return f"coarse noise {255 * mean_of(self.sigma):.0f} of 255"


@dataclass(frozen=True, eq=False)
class GrainNoise(Noise):
    """Gaussian noise smoothed by a Gaussian, the grain of a film or the blotches that a camera's denoising leaves.

    Attributes:
        sigma: deviation of each value, of 1, if the channels do not share it.
        spread: deviation of the smoothing in pixels.
        colour: what it is of: 0 for grey grain, 1 for blotches of colour without any luma, 0.5 for equal channels that
            share nothing.
    """

    kind = "grain"

    sigma: Parameter
    spread: float
    colour: Parameter = 0.5

    def sample(self, x: Tensor, random: np.random.Generator) -> Tensor:
        batch, channels, height, width = x.shape
        weights = taps(self.spread).to(x)
        reach = len(weights) // 2
        n = normal((batch, channels, height + 2 * reach, width + 2 * reach), x, random)
        kernel = (weights / weights.norm()).expand(channels, 1, 1, -1)  # which keeps the variance
        n = F.conv2d(F.conv2d(n, kernel, groups=channels), kernel.mT, groups=channels)
        mean, colour = n.mean(1, keepdim=True), broadcast(self.colour, x)
        # sqrt(2 (1 - c)) and sqrt(2 c) make both parts whole at a half.
        n = (2 * (1 - colour)).sqrt() * mean + (2 * colour).sqrt() * (n - mean)
        return x + broadcast(self.sigma, x) * n

    def variance(self, x: Tensor) -> Tensor:
        colour = broadcast(self.colour, x)
        share = 2 * ((1 - colour) + colour * (x.shape[1] - 1)) / x.shape[1]
        return (broadcast(self.sigma, x) ** 2 * share).expand_as(x)

    def _scaled(self, strength: float) -> Self:
        return replace(self, sigma=self.sigma * strength)

    def words(self) -> str:
        return f"grain {255 * mean_of(self.sigma):.0f} of 255, of {self.spread:.1f} px"


@dataclass(frozen=True, eq=False)
class ReducedNoise(Noise):
    """White Gaussian noise of a picture `scale` times as large, reduced with it: weaker, and shared by neighbours.

    Reducing (bicubic, antialiased) is linear, so that of the picture only the noise has to be reduced.

    Attributes:
        sigma: deviation before reducing, of 1.
        scale: how much larger the picture was, 1 or more.
    """

    kind = "reduced noise"

    sigma: Parameter
    scale: float

    def sample(self, x: Tensor, random: np.random.Generator) -> Tensor:
        batch, channels, height, width = x.shape
        large = (batch, channels, round(height * self.scale), round(width * self.scale))
        # In float32, as Pillow reduces pictures, by which it was first done: the same noise to the bit.
        reduced = resize(normal(large, x, random).float(), (height, width))
        return x + (broadcast(self.sigma, reduced) * reduced).to(x.dtype)

    def variance(self, x: Tensor) -> Tensor:
        down, across = (self._share(side) for side in x.shape[-2:])
        return broadcast(self.sigma, x) ** 2 * torch.outer(down, across).to(x).expand_as(x)

    def _scaled(self, strength: float) -> Self:
        return replace(self, sigma=self.sigma * strength)

    def words(self) -> str:
        return f"coarse noise {255 * mean_of(self.sigma) / max(self.scale, 1):.0f} of 255"

    def _share(self, side: int) -> Tensor:
        large = round(side * self.scale)
        return resampled(large, side, large / side).weight.pow(2).sum(1)


def as_seen(domain: Domain, x: Tensor, variance: Callable[[Tensor], Tensor]) -> Tensor:
    """A variance in the domain of the noise, as one of sRGB values: times the square of the slope there."""
    light = into(domain, x)
    if domain == "srgb":
        return variance(light).expand_as(x)
    return variance(light) * slope_of(lambda v: out_of(domain, v), light) ** 2
