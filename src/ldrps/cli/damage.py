"""What people say about the damage on the command line: what happened, which parts are undone, and how much."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

import typer

from ldrps.cli.grouped import Group, option
from ldrps.estimation.files import PlainDamage, read_plain
from ldrps.settings import MAX_STRENGTH, PARTS, Panel, Settings, options_of

_NAMES = ", ".join(PARTS)


@dataclass(frozen=True)
class DamageOptions(Group):
    """What happened, which parts of it are undone, and how much."""

    of_ldrps: ClassVar[bool] = True

    only: Annotated[
        list[str] | None,
        option(
            f"Undo only these parts of the damage: {_NAMES}, with commas; may be repeated.",
            Panel.STRENGTH,
            metavar="PARTS",
        ),
    ] = None
    skip: Annotated[
        list[str] | None, option("Leave these parts as they are; may be repeated.", Panel.STRENGTH, metavar="PARTS")
    ] = None
    strength: Annotated[
        list[str] | None,
        option(
            f"How much of the damage, or of a part, is undone: 1 all, 0.5 half of it, up to {MAX_STRENGTH:g}; "
            "may be repeated.",
            Panel.STRENGTH,
            metavar="[PART=]S",
        ),
    ] = None
    damage: Annotated[
        Path | None,
        option(
            "What happened, in place of an estimate: a record of --trace, perhaps edited.",
            Panel.STRENGTH,
            metavar="FILE",
        ),
    ] = None

    def applied(self, settings: Settings) -> Settings:
        """The settings with what the options say about parts of the damage.

        Raises:
            BadParameter: a strength is no number.
            SettingsError: there is no such part, a strength is out of range, or the preset knows no parts.
        """
        everywhere: float | None = None
        of_parts: dict[str, float] = {}
        for text in self.strength or []:
            part, equals, number = text.rpartition("=")
            try:
                value = float(number)
            except ValueError:
                raise typer.BadParameter(f"--strength is {text!r}; it must be a number, or PART=NUMBER") from None
            if equals:
                of_parts[part.strip()] = value
            else:
                everywhere = value
        if everywhere is not None:
            of_parts = dict.fromkeys(PARTS, everywhere) | of_parts
        return settings.with_strengths(of_parts, only=_parts(self.only), skip=_parts(self.skip))

    def read(self, settings: Settings, given: Mapping[str, str]) -> PlainDamage | None:
        """What the file that was given says; None where none was. `given` are all options, by name, as spelt.

        Raises:
            BadParameter: something is said of the estimate, which is not made.
            InputError: the file cannot be read.
            SettingsError: the preset knows no parts.
        """
        if self.damage is None:
            return None
        settings.require_parts()
        if estimated := [given[name] for name in options_of(type(settings.method)) if name in given]:
            raise typer.BadParameter(
                f"--damage is what happened: leave {' and '.join(estimated)}, of the estimate, out"
            )
        return read_plain(self.damage)


def _parts(texts: Iterable[str] | None) -> list[str]:
    return [part.strip() for text in texts or [] for part in text.split(",")]
