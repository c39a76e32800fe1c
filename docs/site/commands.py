"""The page of the command line, docs/project/command-line.md, made of the commands themselves."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import typer
from beyond import DOCS

from ldrps.cli import app as ldrps_app

if TYPE_CHECKING:
    from sphinx.application import Sphinx

PAGE = DOCS / "project" / "command-line.md"


def commands(group: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Every command below a group, with all words of its name."""
    for word, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, f"{name} {word}")
        else:
            yield f"{name} {word}", command


def _prose(text: str) -> str:
    """A help as Markdown: options as code, and what has a meaning there as it stands."""
    text = re.sub(r"([|<*])", r"\\\1", text)
    return re.sub(r"(?<![\w`-])--[a-z][a-z-]*", r"`\g<0>`", text)


def described(name: str, command: Any) -> str:
    """A command: its help, and a table for each panel of its options."""
    context = typer.Context(command, info_name=name)
    usage = re.sub(r"\{(.+?)\}(\.\.\.)?", r"\1", " ".join(command.collect_usage_pieces(context)))
    lines = [f"## `{name}`", "", _prose(inspect.cleandoc(command.help or "")), "", f"    {name} {usage}", ""]
    panels: dict[str, list[Any]] = {}
    for parameter in command.get_params(context):
        if parameter.param_type_name == "option" and not parameter.hidden:
            panels.setdefault(getattr(parameter, "rich_help_panel", None) or "Options", []).append(parameter)
    for panel, options in panels.items():
        lines += [f"| {panel} | |", "|---|---|"]
        for option in options:
            value = option.bare_type().upper() if option.metavar is None else option.metavar  # none of a flag
            words = (*option.opts, *option.secondary_opts)
            spelt = ", ".join(f"`{f'{word} {value}'.strip()}`" for word in words)
            lines.append(f"| {spelt} | {_prose(' '.join((option.help or '').split()))} |")
        lines.append("")
    return "\n".join(lines)


def write(app: Sphinx, config: Any) -> None:
    """Make the page."""
    group = typer.main.get_command(ldrps_app)
    parts = ["# The command line", "", "As `ldrps COMMAND --help` has it.", ""]
    text = "\n".join(parts + [described(*each) for each in commands(group, "ldrps")])
    if not PAGE.is_file() or PAGE.read_text() != text:
        PAGE.write_text(text)


def setup(app: Sphinx) -> dict[str, bool]:
    """Be an extension of Sphinx."""
    app.connect("config-inited", write, priority=600)  # after the folder is there
    return {"parallel_read_safe": True, "parallel_write_safe": True}
