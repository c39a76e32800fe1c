"""Light and haze that differ from place to place."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor

from ldrps.degradation.base import Pointwise
from ldrps.degradation.parameter import Parameter, broadcast, crop, equals, mean_of
from ldrps.degradation.srgb import Domain, into, out_of
from ldrps.image.tiles import Window

_OPAQUE = 1e-3  # of a veil: what it hides entirely cannot be undone


@dataclass(frozen=True, eq=False)
class Veil(Pointwise):
    """y = t x + (1 - t) airlight (Koschmieder 1924): haze, fog, stray light.

    Attributes:
        transmission: t, above 0 to 1; a field [B, 1, H, W] where it follows the depth of the scene.
        airlight: what is seen where nothing is left; a number, [B], or [B, 3] where it is tinted.
        domain: where; "srgb" as the synthetic benchmarks have it, "linear" as in the air.
    """

    kind = "veil"

    transmission: Parameter = 1.0
    airlight: Parameter = 1.0
    domain: Domain = "srgb"

    @property
    def absent(self) -> Tensor:
        return equals(self.transmission, 1)

    @property
    def is_affine(self) -> bool:
        return self.domain == "srgb"

    def _apply(self, x: Tensor) -> Tensor:
        t = broadcast(self.transmission, x)
        return out_of(self.domain, t * into(self.domain, x) + (1 - t) * broadcast(self.airlight, x))

    def _invert(self, y: Tensor) -> Tensor:
        t = broadcast(self.transmission, y)
        scene = (into(self.domain, y) - (1 - t) * broadcast(self.airlight, y)) / t.clamp_min(_OPAQUE)
        return out_of(self.domain, scene)

    def at(self, window: Window) -> Veil:
        return replace(self, transmission=crop(self.transmission, window), airlight=crop(self.airlight, window))

    def _scaled(self, strength: float) -> Self:
        """As the same air over `strength` times the distance."""
        return replace(self, transmission=self.transmission**strength)

    def words(self) -> str:
        return f"a veil that hides {1 - mean_of(self.transmission):.0%}"


@dataclass(frozen=True, eq=False)
class Streaks(Pointwise):
    """y = x + opacity (1 - x): white streaks of rain or of scratches, on sRGB values.

    Attributes:
        opacity: a field [B, 1, H, W], 0 where there is no streak, below 1.
    """

    kind = "streaks"

    opacity: Tensor

    @property
    def absent(self) -> Tensor:
        return equals(self.opacity, 0)

    @property
    def is_affine(self) -> bool:
        return True

    def _apply(self, x: Tensor) -> Tensor:
        return x + broadcast(self.opacity, x) * (1 - x)

    def _invert(self, y: Tensor) -> Tensor:
        opacity = broadcast(self.opacity, y)
        return (y - opacity) / (1 - opacity).clamp_min(_OPAQUE)

    def at(self, window: Window) -> Streaks:
        return Streaks(window.of(self.opacity))

    def _scaled(self, strength: float) -> Self:
        """What passes is to that power, as through several layers: opacity becomes 1 - (1 - opacity)^s."""
        return replace(self, opacity=-torch.expm1(strength * torch.log1p(-self.opacity)))

    def words(self) -> str:
        return f"streaks over {float((self.opacity[0] > 0).float().mean()):.0%}"


@dataclass(frozen=True, eq=False)
class LocalLight(Pointwise):
    """Light that falls on some parts more than on others: y = exp(log_gain) x.

    Attributes:
        log_gain: a field [B, 1, H, W], of the picture's size, or [B, 3, H, W] where its colour differs too.
        domain: where; "linear" as in a camera.
    """

    kind = "local light"

    log_gain: Tensor
    domain: Domain = "linear"

    @property
    def absent(self) -> Tensor:
        return equals(self.log_gain, 0)

    @property
    def is_affine(self) -> bool:
        return self.domain == "srgb"

    def _apply(self, x: Tensor) -> Tensor:
        return out_of(self.domain, into(self.domain, x) * broadcast(self.log_gain, x).exp())

    def _invert(self, y: Tensor) -> Tensor:
        return out_of(self.domain, into(self.domain, y) * (-broadcast(self.log_gain, y)).exp())

    def at(self, window: Window) -> LocalLight:
        return replace(self, log_gain=window.of(self.log_gain))

    def _scaled(self, strength: float) -> Self:
        return replace(self, log_gain=self.log_gain * strength)

    def words(self) -> str:
        return f"light uneven by {float(self.log_gain[0].float().std(correction=0)) / math.log(2):.1f} stops"
