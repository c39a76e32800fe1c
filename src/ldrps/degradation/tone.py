"""Tones and colours that are wrong in the same way everywhere."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor

from ldrps.degradation.base import Pointwise
from ldrps.degradation.parameter import (
    Parameter,
    broadcast,
    crop,
    equals,
    line_power,
    mean_of,
    per_picture,
    power,
)
from ldrps.degradation.srgb import Domain, into, out_of
from ldrps.image.tiles import Window

_BLACK = 1e-4  # below it a power is undone with the slope that it has there, which stays finite
_NO_LIGHT = 1e-6


@dataclass(frozen=True, eq=False)
class Tone(Pointwise):
    """y = gain * x ** gamma + offset: darkness, lost contrast, raised blacks. A gamma above 1 darkens.

    Attributes:
        gain, offset: of the line.
        gamma: of the power, under which what is below 0 becomes 0; None for the line alone, which goes on below 0.
        domain: where; "srgb" as the synthetic benchmarks have it.
    """

    kind = "tone"

    gain: Parameter = 1.0
    offset: Parameter = 0.0
    gamma: Parameter | None = None
    domain: Domain = "srgb"

    @property
    def absent(self) -> Tensor:
        line = equals(self.gain, 1) & equals(self.offset, 0)
        return line if self.gamma is None else line & equals(self.gamma, 1)

    @property
    def is_affine(self) -> bool:
        return self.gamma is None and self.domain == "srgb"

    def _apply(self, x: Tensor) -> Tensor:
        light = into(self.domain, x)
        if isinstance(self.gamma, Tensor):
            light = light.clamp_min(0) ** broadcast(self.gamma, x)
        elif self.gamma is not None:
            light = light.clamp_min(0) ** self.gamma
        return out_of(self.domain, broadcast(self.gain, x) * light + broadcast(self.offset, x))

    def _invert(self, y: Tensor) -> Tensor:
        light = (into(self.domain, y) - broadcast(self.offset, y)) / broadcast(self.gain, y).clamp_min(_NO_LIGHT)
        if self.gamma is not None:
            power = 1 / broadcast(self.gamma, y)
            curved = light.clamp_min(_BLACK) ** power
            light = torch.where(light > _BLACK, curved, light.clamp_min(0) * _BLACK ** (power - 1))
        return out_of(self.domain, light)

    def at(self, window: Window) -> Tone:
        gamma = None if self.gamma is None else crop(self.gamma, window)
        return replace(self, gain=crop(self.gain, window), offset=crop(self.offset, window), gamma=gamma)

    def _scaled(self, strength: float) -> Self:
        """The powers of the line and of the gamma. With no gamma, two halves are the whole."""
        gain, offset = line_power(self.gain, self.offset, strength, _NO_LIGHT)
        gamma = None if self.gamma is None else power(self.gamma, strength, _NO_LIGHT)
        return replace(self, gain=gain, offset=offset, gamma=gamma)

    def words(self) -> str:
        words = []
        if (gain := mean_of(self.gain)) != 1:
            words.append(f"{gain:.2g}x")
        if self.gamma is not None and (gamma := mean_of(self.gamma)) != 1:
            words.append(f"gamma {gamma:.2g}")
        if offset := mean_of(self.offset):
            words.append(f"black at {255 * offset:.0f} of 255")
        return ", ".join(words) or "tones as they were"


@dataclass(frozen=True, eq=False)
class Exposure(Pointwise):
    """A longer or shorter exposure: light times 2 ** stops; what exceeds white is kept.

    Attributes:
        stops: below 0 is darker.
        domain: where; "linear" as in a camera.
    """

    kind = "exposure"

    stops: Parameter = 0.0
    domain: Domain = "linear"

    @property
    def absent(self) -> Tensor:
        return equals(self.stops, 0)

    @property
    def is_affine(self) -> bool:
        return self.domain == "srgb"

    def _apply(self, x: Tensor) -> Tensor:
        return out_of(self.domain, self._gain(x) * into(self.domain, x))

    def _invert(self, y: Tensor) -> Tensor:
        return out_of(self.domain, into(self.domain, y) / self._gain(y))

    def words(self) -> str:
        stops = mean_of(self.stops)
        return f"{abs(stops):.1f} stops {'darker' if stops < 0 else 'lighter'}"

    def _scaled(self, strength: float) -> Self:
        return replace(self, stops=self.stops * strength)

    def _gain(self, x: Tensor) -> Tensor:
        return torch.exp2(broadcast(self.stops, x))


@dataclass(frozen=True, eq=False)
class WhiteBalance(Pointwise):
    """The colour of the light taken wrongly: a factor for each channel.

    Attributes:
        gains: (red, green, blue) of all pictures, [3], or of each, [B, 3].
        domain: where; "linear" as in a camera, "srgb" as in simple models.
    """

    kind = "white balance"

    gains: Tensor
    domain: Domain = "linear"

    @property
    def absent(self) -> Tensor:
        return (self.gains == 1).all(-1)

    @property
    def is_affine(self) -> bool:
        return self.domain == "srgb"

    def _apply(self, x: Tensor) -> Tensor:
        return out_of(self.domain, self._factors(x) * into(self.domain, x))

    def _invert(self, y: Tensor) -> Tensor:
        return out_of(self.domain, into(self.domain, y) / self._factors(y).clamp_min(_NO_LIGHT))

    def words(self) -> str:
        red, green, blue = self.gains.reshape(-1, 3)[0].tolist()
        warmth = math.log2(max(red, _NO_LIGHT) / max(blue, _NO_LIGHT))
        if abs(warmth) > 0.1:
            return f"{'warm' if warmth > 0 else 'cold'} light ({red:.2g}, {green:.2g}, {blue:.2g})"
        return f"colours off ({red:.2g}, {green:.2g}, {blue:.2g})"

    def _scaled(self, strength: float) -> Self:
        return replace(self, gains=self.gains.clamp_min(_NO_LIGHT) ** strength)

    def _factors(self, x: Tensor) -> Tensor:
        return per_picture(self.gains.to(x).reshape(-1, 3))
