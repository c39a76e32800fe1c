"""What a part of the forward model is told by: a number for all pictures, or one for each, each channel, each place."""

from __future__ import annotations

import math
from collections.abc import Callable
from numbers import Real
from typing import TypeVar

import torch
from torch import Tensor

from ldrps.errors import SettingsError
from ldrps.image.tiles import Window

# A number for all pictures, [B] for each, [B, C] for each channel, or a field [B, 1 or C, H, W].
Parameter = float | Tensor

Of = TypeVar("Of")


def broadcast(parameter: Parameter, x: Tensor) -> Tensor:
    """A parameter in the type and on the device of pictures x [B, C, H, W], shaped to be combined with them."""
    if not isinstance(parameter, Tensor):
        return x.new_tensor(parameter)
    return per_picture(parameter.to(x.device, x.dtype), x.ndim)


def per_picture(parameter: Tensor, dimensions: int = 4) -> Tensor:
    """[], [B] or [B, C] with trailing dimensions of one, up to `dimensions`; a field as it is."""
    if parameter.ndim in (0, dimensions):
        return parameter
    return parameter.reshape(*parameter.shape, *(1,) * (dimensions - parameter.ndim))


def is_field(parameter: Parameter) -> bool:
    """Whether it differs from place to place."""
    return isinstance(parameter, Tensor) and parameter.ndim == 4 and parameter.shape[-2:] != (1, 1)


def crop(parameter: Parameter, window: Window) -> Parameter:
    """A parameter in a part of the picture."""
    return window.of(parameter) if isinstance(parameter, Tensor) and is_field(parameter) else parameter


def equals(parameter: Parameter, value: float) -> Tensor:
    """Whether a parameter is `value` throughout a picture: bool [] or [B]."""
    if not isinstance(parameter, Tensor):
        return torch.tensor(parameter == value)
    same = parameter == value
    return same if same.ndim < 2 else same.flatten(1).all(1)


def mean_of(parameter: Parameter) -> float:
    """One number for a parameter, for people: its mean over the first picture."""
    if not isinstance(parameter, Tensor):
        return parameter
    return float(parameter.mean() if parameter.ndim == 0 else parameter[0].float().mean())


def by_strength(strength: float, itself: Of, scaled: Callable[[float], Of], nothing: Callable[[], Of]) -> Of:
    """A part of the damage, `strength` times as strong: itself for 1, nothing for 0, else as it is scaled.

    Raises:
        SettingsError: the strength is below 0, no finite number, or more than the part can be scaled by.
    """
    if not isinstance(strength, Real) or isinstance(strength, bool) or not 0 <= strength < math.inf:
        raise SettingsError(
            f"strength is {strength!r}; it must be a finite number, 0 or more: "
            "give 1 for the damage as it is, 0 for none, 0.5 for half of it"
        )
    if strength in (0, 1):
        return itself if strength else nothing()
    try:
        return scaled(float(strength))
    except OverflowError as error:
        raise SettingsError(f"strength is {strength!s:.12}, more than floats can be scaled by: give less") from error


def product(one: Parameter, other: Parameter) -> Parameter:
    """Of two parameters, which may differ between more or fewer of pictures, channels and places."""
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        dimensions = max(one.ndim, other.ndim)
        return per_picture(one, dimensions) * per_picture(other.to(one.device), dimensions)
    return one * other


def power(parameter: Parameter, exponent: float, least: float) -> Parameter:
    """A factor to a power; one below `least` counts as that."""
    factor = parameter.clamp_min(least) if isinstance(parameter, Tensor) else max(parameter, least)
    return factor**exponent


def line_power(gain: Parameter, offset: Parameter, exponent: float, least: float) -> tuple[Parameter, Parameter]:
    """(gain, offset) of the straight line y = gain x + offset to a power: done twice for 2, undone by half for 1/2.

    That keeps the value that the line keeps, offset / (1 - gain): the gain becomes gain^s, and the offset
    offset (1 - gain^s) / (1 - gain), which is s offset where the gain is 1. A gain below `least` counts as that.
    """
    logarithm = torch.as_tensor(gain, dtype=None if isinstance(gain, Tensor) else torch.float64).clamp_min(least).log()
    below, above = torch.expm1(logarithm), torch.expm1(exponent * logarithm)
    flat, one = below == 0, torch.ones_like(below)
    share = torch.where(flat, exponent * one, above / torch.where(flat, one, below))
    return power(gain, exponent, least), product(offset, share if isinstance(gain, Tensor) else float(share))
