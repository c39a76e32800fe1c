"""Several kinds of damage in a row, and the text that stands for them."""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ldrps.degrade.base import Kind, Pixels, parameters, refuse_unfit
from ldrps.degrade.blur import Blur, MotionBlur
from ldrps.degrade.holes import Holes, Mask, Scratches, Text
from ldrps.degrade.light import Cast, Dark, Exposure, Fade
from ldrps.degrade.loss import Downscale, Jpeg
from ldrps.degrade.noise import Camera, CorrelatedNoise, Grain, Noise, ShotNoise
from ldrps.degrade.weather import Haze, Rain
from ldrps.errors import SettingsError

NONE = "none"

_ALL: tuple[type[Kind], ...] = (
    *(Dark, Exposure, Cast, Fade, Haze, Rain, Blur, MotionBlur, Downscale, Mask, Scratches, Text),
    *(Noise, ShotNoise, CorrelatedNoise, Grain, Camera, Jpeg),
)
KINDS: dict[str, type[Kind]] = {kind.kind: kind for kind in _ALL}


@dataclass(frozen=True)
class Chain:
    """Kinds of damage, applied from the first to the last; none leaves a picture as it is."""

    parts: tuple[Kind, ...] = ()

    def apply(self, x: Pixels, seed: int | Sequence[int] = 0) -> Pixels:
        """The damaged picture, floating [H, W, 3] as x, which is nominally in [0, 1]; not rounded, not clipped.

        Each part draws from a stream of its own, told by the seed, its kind and how many of that kind came before: to
        put noise before or behind haze changes nothing of the haze.

        Raises:
            InputError: x breaks the contract of `Kind.apply`.
            SettingsError: the seed is negative.
        """
        if np.min(seed, initial=0) < 0:
            raise SettingsError(f"seed is {seed}; it must be 0 or more")
        refuse_unfit(x)
        if min(x.shape[:2]) >= self.reduction:
            x = self.crop(x)  # first, so that what is dropped decides nothing of the rest
        for part, random in self._streams(seed):
            x = part.apply(x, random)
        return x

    def lost(self, size: tuple[int, int], seed: int | Sequence[int] = 0) -> NDArray[np.bool_]:
        """Which pixels of a picture of that size (H, W) are lost with that seed, [H, W]."""
        lost = np.zeros(size, dtype=bool)
        for part, random in self._streams(seed):
            if isinstance(part, Holes):
                lost |= part.lost(size, random)
        return lost

    def _streams(self, seed: int | Sequence[int]) -> Iterator[tuple[Kind, np.random.Generator]]:
        """Each part with what it draws from."""
        before: Counter[str] = Counter()
        for part in self.parts:
            key = (zlib.crc32(part.kind.encode()), before[part.kind])
            yield part, np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))
            before[part.kind] += 1

    @property
    def reduction(self) -> int:
        """How many pixels of the clean side become one, each way."""
        return int(np.prod([part.reduction for part in self.parts], initial=1))

    def crop(self, x: Pixels) -> Pixels:
        """The part of a clean picture [H, W, 3] that the damaged one shows: whole multiples of `reduction`."""
        height, width = (side // self.reduction * self.reduction for side in x.shape[:2])
        return x[:height, :width]

    def describe(self) -> str:
        """What is done, in order, for people."""
        return ", then ".join(part.describe() for part in self.parts) or "no damage"

    def __str__(self) -> str:
        """The text from which `parse` makes the same chain."""
        return "+".join(map(str, self.parts)) or NONE


def parse(text: str) -> Chain:
    """`dark=0.2+noise=25`: kinds joined by +, each with its parameters in order or by name (`haze=0.4,ramp:0.2`).

    What is not given has its default; `none` alone is no damage.

    Raises:
        SettingsError: an unknown kind or parameter, too many of them, no number, or one outside its limits.
    """
    if text.strip().lower() == NONE:
        return Chain()
    # The + of 1e+3 does not join.
    return Chain(tuple(_part(part.strip()) for part in re.split(r"\+(?=\s*[A-Za-z])", text)))


def usage() -> str:
    """All kinds with their parameters, limits and defaults, one a line."""
    return "\n".join(kind.usage() for kind in KINDS.values())


def _part(text: str) -> Kind:
    name, equals, given = text.partition("=")
    kind = KINDS.get(name.strip().lower())
    if kind is None:
        known = ", ".join(_form(kind) for kind in KINDS.values())
        raise SettingsError(f"kind is {name.strip()!r} in {text!r}; there are {known}; join several with +, or {NONE}")
    names = [field.name for field in parameters(kind)]
    values: dict[str, float] = {}
    for place, item in enumerate(given.split(",") if equals else []):
        named, _, value = item.rpartition(":")
        if not named and place >= len(names):
            raise SettingsError(f"{text!r} has more than {len(names)} values; write {_form(kind)}")
        target = named.strip() or names[place]
        if target not in names or target in values:
            problem = "is given twice" if target in values else f"is no parameter of {kind.kind}"
            raise SettingsError(
                f"{target!r} in {text!r} {problem}; write {_form(kind)}, or name:value for some of them"
            )
        try:
            number = float(value)
        except ValueError:
            raise SettingsError(f"{target} is {value.strip()!r} in {text!r}, no number; write {_form(kind)}") from None
        values[target] = int(number) if number.is_integer() else number
    return kind(**values)


def _form(kind: type[Kind]) -> str:
    return f"{kind.kind}={','.join(field.name for field in parameters(kind))}"
