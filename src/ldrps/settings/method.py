"""What the settings of every method have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol, Self

from ldrps.settings.checks import check

PARTS = ("tone", "noise", "blur")  # of the damage that have a strength of their own
MAX_STRENGTH = 4.0


@dataclass(frozen=True)
class Strengths:
    """How much of each part of the damage is undone: 1 all, 0 none, more than was found; None as found, or as given.

    A strength scales the parameter of a part (stops, the logarithm of a transmission, the deviation of noise, the width
    of a blur), and is no blend of pictures. See `Degradation.scaled`.
    """

    tone: float | None = None
    noise: float | None = None
    blur: float | None = None

    def __post_init__(self) -> None:
        for part in PARTS:
            value = getattr(self, part)
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            good = value is None or (is_number and 0 <= value <= MAX_STRENGTH)
            check(good, f"{{strength}} of {part}", repr(value), f"0, which leaves it out, to {MAX_STRENGTH:g}")


class Rounds(Protocol):
    """What of the settings of a restoration tells how long it is; see `Settings`."""

    @property
    def steps(self) -> int: ...
    @property
    def recurrences(self) -> int: ...
    @property
    def renoise(self) -> float: ...
    @property
    def scale(self) -> float: ...


class MethodSettings:
    """What callers ask of the settings of any method.

    Attributes:
        in_windows: whether a large picture is restored in windows.
        enlarges: whether it can make the picture larger.
        fills: whether it can fill holes.
        knows_parts: whether the damage is undone part by part, as it was estimated or given.
        seconds_before: that it takes to find out what happened, if by a chain over a small copy.
        seconds_of_pass: of a megapixel with the embedded prior, in float32, on two cores with AVX-512.
        bytes_of_pixel: of a pixel of the window.
        batch_size: how many pictures go through the networks at once.
    """

    in_windows: ClassVar[bool]
    enlarges: ClassVar[bool] = False
    fills: ClassVar[bool] = False
    knows_parts: ClassVar[bool]
    seconds_before: ClassVar[float] = 0.0
    seconds_of_pass: ClassVar[float]
    bytes_of_pixel: ClassVar[int]

    @property
    def batch_size(self) -> int:
        return 1

    def steps_before(self, settings: Rounds) -> int:
        """How many steps it takes to find out what happened to a picture, if they are a chain."""
        return 0

    @property
    def passes_of_fill(self) -> float:
        """How often a picture with holes goes through the denoiser besides."""
        return 0.0

    def sampled(self) -> Self:
        """The same where samples are wanted."""
        return self


def again(steps: int, renoise: float) -> int:
    """How many of the timesteps of a chain a recurrence takes again, from gamma T on; one at least."""
    return max(steps - round(steps * (1 - renoise)), 1)
