"""What is told of a setting beside its name, type and default: its bounds, and what people who set it by name read."""

from __future__ import annotations

import dataclasses
import math
import string
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Any, get_type_hints

from ldrps.errors import SettingsError

_SPELT = {"colourise": "colorize"}  # options whose names are not those of their settings


class Panel(Enum):
    """Where the help of the command line shows an option; in this order, first what a photographer looks for."""

    MAIN = "Options"
    WHAT = "What is done to the picture"
    STRENGTH = "How much of it"
    WRITTEN = "What is written"
    MANY = "Folders, and many pictures"
    CAPTIONS = "Captions: what the picture should show"
    LARGE = "Large pictures"
    OTHERS = "Other systems, to compare"
    EXPERT = "For experts"


@dataclass(frozen=True)
class Within:
    """The bounds of a number: from `low` to `high`, ends included.

    Attributes:
        above, below: whether `low`, or `high`, is itself too little, or too much.
        unit: what is counted, "" for nothing.
        zero: what 0 is for, where it is meant beside the rest; "" that it is not.
    """

    low: float
    high: float = math.inf
    above: bool = False
    below: bool = False
    unit: str = ""
    zero: str = ""

    def admits(self, value: float) -> bool:
        """Whether the value is within the bounds; NaN never is."""
        low = self.low < value if self.above else self.low <= value
        high = value < self.high if self.below else value <= self.high
        return (low and high) or (bool(self.zero) and value == 0)

    def words(self) -> str:
        """Such as "1 to 64", "above 0, at most 1", "0 or more"."""
        low, high = (str(end) if isinstance(end, int) else f"{end:g}" for end in (self.low, self.high))
        if self.above:
            words = f"above {low} and below {high}" if self.below else f"above {low}, at most {high}"
        else:
            words = f"{low} or more" if self.high == math.inf else f"{low} to {high}"
        words = f"{words} {self.unit}".rstrip()
        return f"0 {self.zero}, or {words}" if self.zero else words


@dataclass(frozen=True)
class Needs:
    """What a setting needs of the others to change anything.

    Attributes:
        holds: whether some settings have it.
        otherwise: why it changes nothing where they have not, a text as of `refused`, of which {0} is the preset.
    """

    holds: Callable[[Any], bool]
    otherwise: str


@dataclass(frozen=True)
class Shown:
    """A setting that people can give by name on the command line.

    Attributes:
        help: what it does, without its bounds and its default.
        panel: where it is shown.
        needs: all that must hold for it to change anything.
        metavar: what stands for its value; "" for its type.
    """

    help: str
    panel: Panel = Panel.EXPERT
    needs: tuple[Needs, ...] = ()
    metavar: str = ""


@dataclass(frozen=True)
class Option:
    """A field of settings that is shown: all that is known of it."""

    name: str
    kind: Any
    shown: Shown
    within: Within | None


def options_of(settings: type) -> dict[str, Option]:
    """The fields of a class of settings that are shown, by name."""
    known: dict[str, Option] = {}
    for name, (kind, extras) in annotated(settings).items():
        within = next((extra for extra in extras if isinstance(extra, Within)), None)
        for shown in (extra for extra in extras if isinstance(extra, Shown)):
            known[name] = Option(name, kind, shown, within)
    return known


@cache
def annotated(settings: type) -> Mapping[str, tuple[Any, tuple[Any, ...]]]:
    """Of each field of a dataclass, its type, and what it is annotated with besides."""
    plain, whole = get_type_hints(settings), get_type_hints(settings, include_extras=True)
    names = [each.name for each in dataclasses.fields(settings)]
    return {name: (plain[name], getattr(whole[name], "__metadata__", ())) for name in names}


def option_name(name: str) -> str:
    """How what sets a setting is spelt on the command line, such as "--working-size"."""
    return f"--{_SPELT.get(name, name).replace('_', '-')}"


def refused(text: str, *values: object) -> SettingsError:
    """The error of a text in which settings stand as {name}, and other values as {0}, {1}: in Python they go by their
    names, on the command line by their options.
    """
    formatter = string.Formatter()
    message = formatter.vformat(text, values, _Names(str))
    return SettingsError(message, on_command_line=formatter.vformat(text, values, _Names(option_name)))


class _Names(Mapping[str, str]):
    """Each name as it is spelt somewhere."""

    def __init__(self, spelt: Callable[[str], str]) -> None:
        self._spelt = spelt

    def __getitem__(self, name: str) -> str:
        return self._spelt(name)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0
