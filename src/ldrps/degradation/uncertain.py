"""Tones that are only known to be one of several."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import torch
from torch import Tensor

from ldrps.degradation.base import Pointwise
from ldrps.degradation.change import change_of_levels
from ldrps.degradation.curve import interpolated, level_of
from ldrps.degradation.tone import Tone
from ldrps.errors import SettingsError

LEVELS = 1025  # of a table: four steps to one of 8 bits, as a dark picture lives in a few of them
_MOST = 4096  # tones: a table of more of them would take a GB to make


@dataclass(frozen=True, eq=False)
class UncertainTone(Pointwise):
    """One of K tones, it is not known which; it is undone by the mean of what undoes each.

    Undone, values are in [0, 1]; what lies outside is taken as 0 or 1. A(x) is what is undone to x. Of many values that
    are undone to black or to white it is the one next to those that are not, so that A has no step there; of values in
    between, the lowest; and what nothing is undone to becomes what is undone to the nearest.

    All is looked up in a table, made once, on the CPU and in float32: the same to the bit on every device, and after
    parameters were written out and read again. No gradient reaches the parameters.

    Attributes:
        gain, offset, gamma: of each tone and channel, as those of a `Tone` of sRGB values, [K, 3]; gain and gamma are
            above 0.
        weights: how likely each tone is, above 0, [K]; a sum of 1 is not needed. K is at most 4096.

    Raises:
        SettingsError: parameters of other shapes, not finite, or not above 0.
    """

    kind = "uncertain tone"

    gain: Tensor
    offset: Tensor
    gamma: Tensor
    weights: Tensor

    def __post_init__(self) -> None:
        count = self.weights.numel()
        if count > _MOST:
            raise SettingsError(f"weights of {count:,} tones; give {_MOST:,} at most, the likeliest")
        lines = {"gain": self.gain, "offset": self.offset, "gamma": self.gamma}
        for name, found, wanted in (
            ("weights", self.weights, (max(count, 1),)),
            *((name, each, (max(count, 1), 3)) for name, each in lines.items()),
        ):
            if found.shape != wanted:
                raise SettingsError(
                    f"{name} of shape {list(found.shape)}, of {count} tones: give {list(wanted)}, and weights [K]"
                )
            single, least = found.float(), "" if name == "offset" else " above 0"  # the type of the table
            wrong = ~single.isfinite() | ((single <= 0) & (name != "offset"))
            if bool(wrong.any()):
                number = float(found[wrong][0])
                raise SettingsError(f"{name} of an uncertain tone is {number:g}; give finite numbers{least}")

    @property
    def absent(self) -> Tensor:
        return self.tones.absent.all()

    @property
    def tones(self) -> Tone:
        """The K tones as one of K pictures, on the CPU."""
        gain, offset, gamma = (each.cpu().float() for each in (self.gain, self.offset, self.gamma))
        return Tone(gain, offset, gamma)

    @cached_property
    def table(self) -> Tensor:
        """What `LEVELS` even levels from 0 to 1 are undone to, [3, LEVELS], nowhere falling."""
        with torch.inference_mode(False), torch.no_grad():  # it is kept, and may have to be differentiated through
            weights = self.weights.cpu().float()
            levels = torch.linspace(0, 1, LEVELS).expand(len(weights), 3, 1, LEVELS)
            undone = self.tones.invert(levels)[:, :, 0].clamp(0, 1)
            mean = torch.einsum("k,kcl->cl", weights / weights.sum(), undone)
            return mean.clamp(0, 1).cummax(-1).values  # rounded, a mean might fall by a bit

    def drawn(self, generator: torch.Generator) -> UncertainTone:
        """One of the tones, drawn as likely as it is, with no other beside it."""
        k = int(torch.multinomial(self.weights.cpu().float(), 1, generator=generator))
        gain, offset, gamma = (each[k : k + 1] for each in (self.gain, self.offset, self.gamma))
        return UncertainTone(gain, offset, gamma, torch.ones_like(self.weights[k : k + 1]))

    def words(self) -> str:
        """As if all levels were as common."""
        if bool(self.absent):
            return "tones as they were"
        return ", ".join(change_of_levels(self.table).words())

    def _apply(self, x: Tensor) -> Tensor:
        table = self.table.to(x)
        black = (table <= table[:, :1]).sum(-1) - 1  # the last level of those that are undone as the first is
        return torch.maximum(level_of(x, table), (black / (LEVELS - 1)).to(x).reshape(-1, 1, 1))

    def _invert(self, y: Tensor) -> Tensor:
        return interpolated(y, self.table)

    def _scaled(self, strength: float) -> Self:
        """Each of the tones; as likely as it was."""
        tones = self.tones.scaled(strength)
        assert isinstance(tones, Tone)
        gain, offset, gamma = (torch.as_tensor(each) for each in (tones.gain, tones.offset, tones.gamma))
        return type(self)(gain, offset, gamma, self.weights)
