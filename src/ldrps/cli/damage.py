"""What people say about the damage on the command line: what happened, which parts are undone, and how much."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from ldrps.settings import MAX_STRENGTH, PARTS, Settings

_NAMES = ", ".join(PARTS)
DamageOption = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="What happened, in place of an estimate: a record of --trace, perhaps edited."),
]
OnlyOption = Annotated[
    list[str] | None,
    typer.Option(metavar="PARTS", help=f"Undo only these parts of the damage: {_NAMES}, with commas; may be repeated."),
]
SkipOption = Annotated[
    list[str] | None, typer.Option(metavar="PARTS", help="Leave these parts as they are; may be repeated.")
]
StrengthOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="[PART=]S",
        help=f"How much of the damage, or of a part, is undone: 1 all, 0.5 half of it, up to {MAX_STRENGTH:g}; "
        "may be repeated.",
    ),
]


def with_parts(settings: Settings, only: Iterable[str], skip: Iterable[str], strength: Iterable[str]) -> Settings:
    """The settings with what the options say about parts of the damage.

    Raises:
        BadParameter: a strength is no number.
        SettingsError: there is no such part, a strength is out of range, or the preset knows no parts.
    """
    everywhere: float | None = None
    of_parts: dict[str, float] = {}
    for text in strength:
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
    return settings.with_strengths(of_parts, only=_parts(only), skip=_parts(skip))


def _parts(texts: Iterable[str]) -> list[str]:
    return [part.strip() for text in texts for part in text.split(",")]
