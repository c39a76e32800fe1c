"""`ldrps methods`: who can restore or be measured, what each is for, what it needs, what it takes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ldrps.cli.terminal import tell, tell_text
from ldrps.printable import json_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ldrps.rivals.facts import Facts

OURS = "ldrps"
# Parameters of `ldrps restore` by the methods that take them; any other is of ldrps alone.
OF_ALL = {
    *("sources", "out", "method", "seed", "steps", "device"),
    *("compare", "trace", "force", "max_pixels", "quality", "srgb", "strip"),
    *("recursive", "include", "exclude", "jobs", "watch"),
}
OF_RIVALS = {"weights", "set_"}


def methods(as_json: Annotated[bool, typer.Option("--json", help="Print them as JSON.")] = False) -> None:
    """List all methods: ldrps, the systems that its paper compares with, and plain tools.

    ldrps and the systems restore by `ldrps restore --method NAME`; all can be measured by `ldrps bench --method NAME`.
    """
    rows = _rows()
    if as_json:
        tell_text(json_text(rows))
        return
    for kind in dict.fromkeys(row["kind"] for row in rows):
        tell(kind, "")
        for row in rows:
            if row["kind"] == kind:
                _tell(row)
        tell("")


def check_options(context: typer.Context, method: str) -> None:
    """Refuse what was given on the command line and `method` does not take, be it the default.

    Raises:
        BadParameter: an option was given that the method does not take.
        InputError: there is no such method.
    """
    explicit = {"COMMANDLINE", "ENVIRONMENT"}  # by name: typer and click have a class each for where a value is from
    sources = {option: context.get_parameter_source(option.name or "") for option in context.command.params}
    given = [option for option, source in sources.items() if source is not None and source.name in explicit]
    if method == OURS:
        if any(option.name in OF_RIVALS for option in given):
            raise typer.BadParameter("--set and --weights are of other methods: give --method as well")
        return
    from ldrps.rivals.registry import facts_of

    facts_of(method)
    if wrong := [option.opts[0] for option in given if option.name not in OF_ALL | OF_RIVALS]:
        raise typer.BadParameter(f"{', '.join(wrong)}: of ldrps alone, not of {method}; leave it out")


def read_settings(texts: Iterable[str]) -> tuple[tuple[str, Any], ...]:
    """The settings of a rival, by name, from texts like "NAME=VALUE", whose values are JSON or else text.

    Raises:
        BadParameter: one is malformed.
    """
    return tuple(_setting(text) for text in texts)


def _setting(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise typer.BadParameter(f"--set is {text!r}; it must be NAME=VALUE, such as timeout=60")
    try:
        return name, json.loads(value)
    except json.JSONDecodeError:
        return name, value


def _rows() -> list[dict[str, Any]]:
    from ldrps.rivals.facts import Facts
    from ldrps.rivals.registry import all_facts
    from ldrps.tools import BASELINES, ORACLES

    ours = Facts(
        OURS,
        "this program",
        "all",
        "after Li et al., ICCV 2025",
        licence="Apache-2.0; weights: see their card",
        seconds=2,
    )
    systems = [_row("Systems", facts) for facts in all_facts()]
    plain = [
        {"kind": kind, "name": each.name, "what": each.what, "for": "", "source": each.source}
        for kind, tools in (("Plain tools (bench only)", BASELINES), ("Oracles (bench only)", ORACLES))
        for each in tools.values()
    ]
    return [_row("Ours", ours), *systems, *plain]


def _row(kind: str, facts: Facts) -> dict[str, Any]:
    return {
        "kind": kind,
        "name": facts.name,
        "what": facts.what,
        "for": facts.purpose,
        "source": facts.source,
        "needs": facts.needs,
        "takes": facts.takes,
        "licence": facts.licence,
        "seconds": facts.seconds,
    }


def _tell(row: Mapping[str, Any]) -> None:
    what = f"{row['what']} ({row['source']})" if row["source"] else row["what"]
    tell(f"  {row['name']:18} {what}")
    facts = [f"for {'any damage' if row['for'] == 'all' else row['for']}"] if row["for"] else []
    facts += [f"needs {row['needs']}"] if row.get("needs") else []
    facts += [f"comes with weights, takes {row['takes']}"] if row.get("takes") else []
    facts += [f"about {_rounded(row['seconds'])} s for 256x256"] if row.get("seconds") else []
    facts += [row["licence"]] if row.get("licence") else []
    if facts:
        tell(f"  {'':18} {'; '.join(facts)}")


def _rounded(seconds: float) -> str:
    return f"{seconds:,.0f}" if seconds >= 10 else f"{seconds:.1g}"
