"""Options made of the fields of settings: help, bounds and defaults stand there, and nowhere else."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar

from ldrps.cli.grouped import Group, flag, option
from ldrps.presets import PRESETS
from ldrps.settings import Option, Settings, option_name, options_of

_METAVARS = {int: "N", int | None: "N", float: "X", float | None: "X", str: "TEXT"}


class SettingOptions(Group):
    """An option for each setting that is shown, of all methods. None is as the preset has it.

    Attributes:
        given: the values of those that were given, by the names of the settings.
    """

    of_ldrps: ClassVar[bool] = True

    def __init__(self, **values: Any) -> None:
        self.given = {name: value for name, value in values.items() if value is not None and value is not False}

    @classmethod
    def options(cls) -> Iterator[inspect.Parameter]:
        for name, shown in shown_settings().items():
            is_flag = shown.kind is bool
            kind = Annotated[bool if is_flag else shown.kind | None, _option(shown)]  # type: ignore[valid-type]
            default = False if is_flag else None
            yield inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)


def shown_settings() -> dict[str, Option]:
    """All settings that are options: of `Settings`, and of the methods of the presets."""
    known = options_of(Settings)
    for preset in PRESETS.values():
        known |= options_of(type(preset.method))
    return known


def _option(shown: Option) -> Any:
    name, told = option_name(shown.name), shown.shown
    if shown.kind is bool:
        return flag(told.help, told.panel, name)
    bounds = [] if shown.within is None else [shown.within.words()]
    facts = "; ".join([*bounds, *_default(shown.name)])
    help_text = f"{told.help.removesuffix('.')} ({facts})." if facts else told.help
    return option(help_text, told.panel, name, metavar=told.metavar or _METAVARS[shown.kind])


def _default(name: str) -> list[str]:
    """What a setting is if it is not given, in words; nothing where that goes without saying."""
    values = {
        preset: getattr(settings if hasattr(settings, name) else settings.method, name)
        for preset, settings in PRESETS.items()
        if hasattr(settings, name) or hasattr(settings.method, name)
    }
    usual = values["default"]
    if usual in (None, ""):
        return []
    return [f"{usual:g} if not given" if set(values.values()) == {usual} else f"else as the preset has it, {usual:g}"]
