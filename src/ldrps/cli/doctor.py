"""`ldrps doctor`: whether everything is there and works, and what a picture will take here."""

from __future__ import annotations

from typing import Annotated

import typer

from ldrps.cli.options import DeviceOption, PriorOption
from ldrps.cli.terminal import tell, tell_text
from ldrps.printable import json_text


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
            tell(f"{finding.mark:4} {finding.name:18} {finding.text}")
    if as_json:
        tell_text(json_text([finding.record() for finding in findings]))
    if any(finding.is_broken for finding in findings):
        raise typer.Exit(1)
