"""Light and haze that differ from place to place."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ldrps.degradation.base import Parameter, Pointwise, cut, equals, first, spread
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

    def _apply(self, x: Tensor) -> Tensor:
        t = spread(self.transmission, x)
        return out_of(self.domain, t * into(self.domain, x) + (1 - t) * spread(self.airlight, x))

    def _invert(self, y: Tensor) -> Tensor:
        t = spread(self.transmission, y)
        scene = (into(self.domain, y) - (1 - t) * spread(self.airlight, y)) / t.clamp_min(_OPAQUE)
        return out_of(self.domain, scene)

    def at(self, window: Window) -> Veil:
        return replace(self, transmission=cut(self.transmission, window), airlight=cut(self.airlight, window))

    def words(self) -> str:
        return f"a veil that hides {1 - first(self.transmission):.0%}"


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

    def _apply(self, x: Tensor) -> Tensor:
        return x + spread(self.opacity, x) * (1 - x)

    def _invert(self, y: Tensor) -> Tensor:
        opacity = spread(self.opacity, y)
        return (y - opacity) / (1 - opacity).clamp_min(_OPAQUE)

    def at(self, window: Window) -> Streaks:
        return Streaks(window.of(self.opacity))

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

    def _apply(self, x: Tensor) -> Tensor:
        return out_of(self.domain, into(self.domain, x) * spread(self.log_gain, x).exp())

    def _invert(self, y: Tensor) -> Tensor:
        return out_of(self.domain, into(self.domain, y) * (-spread(self.log_gain, y)).exp())

    def at(self, window: Window) -> LocalLight:
        return replace(self, log_gain=window.of(self.log_gain))

    def words(self) -> str:
        stops = self.log_gain[0].float() / torch.tensor(2.0).log().item()
        return f"light uneven by {float(stops.std()):.1f} stops"
