"""Curves of a channel, told by their values at even levels."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ldrps.degradation.base import Pointwise
from ldrps.errors import InputError


@dataclass(frozen=True, eq=False)
class Curve(Pointwise):
    """A curve of each channel, on sRGB values in [0, 1]; what lies outside is taken as 0 or 1.

    Attributes:
        values: what the K even levels from 0 to 1 become, rising, [C, K] or [B, C, K].

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
        return _channel_by_channel(_level_of, y, self.values)

    def words(self) -> str:
        grey = self.values[..., self.values.shape[-1] // 2]
        return f"grey at {255 * float((grey if grey.ndim == 1 else grey[0]).mean()):.0f} of 255"


def interpolated(images: Tensor, table: Tensor) -> Tensor:
    """What a table makes of images [B, C, H, W]: a straight line between the two entries around each value.

    Args:
        images: what is outside [0, 1] is taken as 0 or 1.
        table: what the K even levels from 0 to 1 become, [C, K] for all images or [B, C, K].
    """
    return _channel_by_channel(_value_at, images, table)


def _channel_by_channel(function: Callable[[Tensor, Tensor], Tensor], images: Tensor, table: Tensor) -> Tensor:
    """Not all at once: the indices into a table are as large as a picture of 64 bits."""
    made, tables = torch.empty_like(images), table.to(images).expand(len(images), -1, -1)
    for picture, channel in itertools.product(range(images.shape[0]), range(images.shape[1])):
        made[picture, channel] = function(images[picture, channel], tables[picture, channel])
    return made


def _value_at(levels: Tensor, entries: Tensor) -> Tensor:
    place = levels.clamp(0, 1) * (len(entries) - 1)
    below = place.detach().floor().clamp_max(len(entries) - 2)
    index = below.long()
    return torch.lerp(entries[index], entries[index + 1], place - below)


def _level_of(values: Tensor, entries: Tensor) -> Tensor:
    index = torch.searchsorted(entries, values.detach().contiguous()).clamp(1, len(entries) - 1) - 1
    low, high = entries[index], entries[index + 1]
    return ((index + (values - low) / (high - low)) / (len(entries) - 1)).clamp(0, 1)
