"""Curves of a channel, told by their values at even levels."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor

from ldrps.degradation.base import Pointwise
from ldrps.degradation.parameter import line_power
from ldrps.errors import InputError

_LEAST = 1e-12  # of a rise, as a share of the whole: less is lost in the sum of all


@dataclass(frozen=True, eq=False)
class Curve(Pointwise):
    """A curve of each channel, on sRGB values in [0, 1]; what lies outside is taken as 0 or 1.

    Attributes:
        values: what the K even levels from 0 to 1 become, rising, [C, K] or [B, C, K]; C may be 1, for all channels.

    Of `scaled`, the rise from each level to the next, as a share of the whole rise, is to a power; and so is the line
    from the first value to the last, as that of a `Tone` is. Whatever the strength, that is a curve that rises.

    Raises:
        InputError: the values do not rise, so that the curve could not be undone.
    """

    kind = "curve"

    values: Tensor

    def __post_init__(self) -> None:
        if self.values.ndim not in (2, 3) or self.values.shape[-1] < 2 or not bool((self.values.diff() > 0).all()):
            raise InputError(f"a curve of shape {list(self.values.shape)}: give [C, K] or [B, C, K] values that rise")

    @property
    def absent(self) -> Tensor:
        levels = torch.linspace(0, 1, self.values.shape[-1], dtype=self.values.dtype, device=self.values.device)
        return (self.values == levels).all(-1).all(-1)

    def _apply(self, x: Tensor) -> Tensor:
        return interpolated(x, self.values)

    def _invert(self, y: Tensor) -> Tensor:
        return level_of(y, self.values)

    def _scaled(self, strength: float) -> Self:
        values = self.values.double() if self.values.device.type != "mps" else self.values
        first, steps = values[..., :1], values.diff()
        rise = steps.sum(-1, keepdim=True)
        shares = torch.softmax(strength * (steps / rise).log(), -1).clamp_min(_LEAST)
        gain, offset = line_power(rise, first, strength, _LEAST)
        climbed = torch.cat([torch.zeros_like(first), (shares / shares.sum(-1, keepdim=True)).cumsum(-1)], -1)
        return replace(self, values=gain * climbed + offset)

    def words(self) -> str:
        grey = self.values[..., self.values.shape[-1] // 2]
        return f"grey at {255 * float((grey if grey.ndim == 1 else grey[0]).mean()):.0f} of 255"


def interpolated(images: Tensor, table: Tensor) -> Tensor:
    """What a table makes of images [B, C, H, W]: a straight line between the two entries around each value.

    Args:
        images: what is outside [0, 1] is taken as 0 or 1.
        table: what the K even levels from 0 to 1 become, [C, K] for all images or [B, C, K]; C may be 1.
    """
    return _channel_by_channel(_value_at, images, table)


def level_of(images: Tensor, table: Tensor) -> Tensor:
    """Of which levels a table makes images [B, C, H, W], and the nearest to them that it can make.

    Args:
        images: any values.
        table: as for `interpolated`, and nowhere falling. Where it is even, the lowest of the levels is told.
    """
    return _channel_by_channel(_level_of, images, table)


def _channel_by_channel(function: Callable[[Tensor, Tensor], Tensor], images: Tensor, table: Tensor) -> Tensor:
    """Not all at once: the indices into a table are as large as a picture of 64 bits."""
    made, tables = torch.empty_like(images), table.to(images).expand(*images.shape[:2], -1)
    for picture, channel in itertools.product(range(images.shape[0]), range(images.shape[1])):
        made[picture, channel] = function(images[picture, channel], tables[picture, channel])
    return made


def _value_at(levels: Tensor, entries: Tensor) -> Tensor:
    place = levels.clamp(0, 1) * (len(entries) - 1)
    below = place.detach().floor().clamp_max(len(entries) - 2)
    index = below.long()
    return torch.lerp(entries[index], entries[index + 1], place - below)


def _level_of(values: Tensor, entries: Tensor) -> Tensor:
    values = values.clamp(entries[0], entries[-1])
    index = torch.searchsorted(entries, values.detach().contiguous()).clamp(1, len(entries) - 1) - 1
    low, high = entries[index], entries[index + 1]
    share = (values - low) / (high - low).clamp_min(torch.finfo(values.dtype).tiny)
    return (index + share) / (len(entries) - 1)
