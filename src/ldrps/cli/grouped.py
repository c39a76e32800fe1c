"""Commands of many options: a parameter that is a group of options stands for all of them."""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Callable, Iterable, Iterator
from typing import Any, ClassVar, get_args, get_type_hints

import typer
from typer.models import OptionInfo

from ldrps.settings import Panel

_PANELS = [panel.value for panel in Panel]


class Group:
    """Options that belong together. A subclass is a dataclass with a field for each, annotated as typer wants it; or it
    says by itself what its options are.

    Attributes:
        of_ldrps: whether they are of ldrps alone, not of other systems.
    """

    of_ldrps: ClassVar[bool] = False

    @classmethod
    def options(cls) -> Iterator[inspect.Parameter]:
        """The options, as parameters of a command."""
        hints = get_type_hints(cls, include_extras=True)
        for each in dataclasses.fields(cls):  # type: ignore[arg-type]
            yield inspect.Parameter(
                each.name, inspect.Parameter.KEYWORD_ONLY, default=each.default, annotation=hints[each.name]
            )


def option(help_text: str, panel: Panel, *names: str, **more: Any) -> Any:
    """An option of a command in a panel of its help; see `typer.Option` for the rest."""
    return typer.Option(*names, help=help_text, rich_help_panel=panel.value, **more)


def flag(help_text: str, panel: Panel, name: str, *names: str) -> Any:
    """An option without a value, which is false unless it is given."""
    return option(help_text, panel, name, *names)


def grouped(command: Callable[..., None]) -> Callable[..., None]:
    """A command with the options of its groups in place of these, in the order of their panels."""
    hints = get_type_hints(command, include_extras=True)
    groups = {name: kind for name, kind in hints.items() if isinstance(kind, type) and issubclass(kind, Group)}
    own: list[inspect.Parameter] = []
    for name, each in inspect.signature(command).parameters.items():
        shown = groups[name].options() if name in groups else [each.replace(annotation=hints[name])]
        own += [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in shown]
    own.sort(key=_place)

    @functools.wraps(command)
    def taking_each(**given: Any) -> None:
        for name, kind in groups.items():
            given[name] = kind(**{each.name: given.pop(each.name) for each in kind.options()})
        command(**given)

    taking_each.__signature__ = inspect.Signature(own)  # type: ignore[attr-defined]
    taking_each.__annotations__ = {each.name: each.annotation for each in own}
    return taking_each


def given_options(context: typer.Context) -> Iterator[tuple[str, str]]:
    """Of the options of a command that people gave, the name, and how it is spelt."""
    explicit = {"COMMANDLINE", "ENVIRONMENT"}  # by name: typer and click have a class each for where a value is from
    for each in context.command.params:
        source = context.get_parameter_source(each.name or "")
        if source is not None and source.name in explicit:
            yield each.name or "", each.opts[0]


def names_of(groups: Iterable[type[Group]]) -> set[str]:
    """The names of all options of some groups."""
    return {each.name for group in groups for each in group.options()}


def _place(parameter: inspect.Parameter) -> int:
    """Which panel a parameter is in; what is in none comes first."""
    infos = [each for each in get_args(parameter.annotation) if isinstance(each, OptionInfo)]
    return _PANELS.index(infos[0].rich_help_panel) if infos and infos[0].rich_help_panel else -1
