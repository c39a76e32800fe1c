"""`ldrps doctor`: whether everything is there and works, and what a picture will take here."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from ldrps.cli.options import DeviceOption, PriorOption


def doctor(
    prior: PriorOption = "embedded",
    device: DeviceOption = "cpu",
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Look over this installation, restore a small picture with it, and tell what larger ones will take.

    Exit code 0: all is well, though optional parts may be missing; 1: something is broken.
    """
    from ldrps.doctor import examine

    findings = []
    for finding in examine(prior, device):
        findings.append(finding)
        if not as_json:
            typer.echo(f"{finding.mark:4} {finding.name:18} {finding.text}")
    if as_json:
        typer.echo(json.dumps([finding.record() for finding in findings], indent=2))
    if any(finding.is_broken for finding in findings):
        raise typer.Exit(1)
