"""`ldrps methods`: who can restore or be measured, what each is for, what it needs, what it takes."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ldrps.cli.grouped import Group, names_of, option
from ldrps.cli.terminal import tell, tell_text
from ldrps.printable import json_text
from ldrps.settings import Panel

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from ldrps.rivals.facts import Facts

OURS = "ldrps"


@dataclass(frozen=True)
class OtherMethodOptions(Group):
    """What is said of another system that restores in place of ldrps."""

    weights: Annotated[
        Path | None,
        option("Of --method, a file or its folder; else LDRPS_WEIGHTS names the folder.", Panel.OTHERS, metavar="PATH"),
    ] = None
    set_: Annotated[
        list[str] | None,
        option("A setting of --method; may be repeated.", Panel.OTHERS, "--set", metavar="NAME=VALUE"),
    ] = None


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


def check_options(given: Mapping[str, str], of_ldrps: Iterable[type[Group]], method: str) -> None:
    """Refuse options that `method` does not take, be it the default.

    Args:
        given: what people gave, by name, as it is spelt.
        of_ldrps: the groups of options that are of ldrps alone, but for what `RivalOptions` has a field for.
        method: OURS, or a rival.

    Raises:
        BadParameter: an option was given that the method does not take, or has no use for.
        InputError: there is no such method.
    """
    if method == OURS:
        if wrong := _among(names_of([OtherMethodOptions]), given):
            raise typer.BadParameter(f"{', '.join(wrong)}: of other methods; give --method as well")
        return
    from ldrps.rivals.facts import RivalOptions
    from ldrps.rivals.registry import facts_of

    facts = facts_of(method)
    taken = {each.name for each in dataclasses.fields(RivalOptions)}
    if wrong := _among(names_of(of_ldrps) - taken, given):
        raise typer.BadParameter(f"{', '.join(wrong)}: of ldrps alone, not of {method}; leave it out")
    useless = {"seed": not facts.is_random, "weights": not facts.has_weights}
    if wrong := _among({name for name, is_useless in useless.items() if is_useless}, given):
        raise typer.BadParameter(f"{', '.join(wrong)}: {method} has no use for it; leave it out")


def _among(names: Collection[str], given: Mapping[str, str]) -> list[str]:
    return [spelt for name, spelt in given.items() if name in names]


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
