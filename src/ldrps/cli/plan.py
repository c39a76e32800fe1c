"""`ldrps restore --dry-run`: what would be done, and what it would take."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from ldrps.cli.terminal import say, tell
from ldrps.cost import Cost
from ldrps.errors import InputError, LdrpsError
from ldrps.folders.find import Found
from ldrps.folders.manifest import check_manifest, status_of
from ldrps.folders.status import Place, Status
from ldrps.image.header import read_size
from ldrps.run.job import Job, check_files
from ldrps.run.recipe import Recipe


def show_plan(found: Found, recipe: Recipe, root: Path | None) -> int:
    """A line for each picture on stdout, the sum on stderr; returns how many would fail. Touches nothing.

    `root` is the folder of results where there is a manifest, or will be.

    Raises:
        OutputError: the manifest is of no use.
    """
    costs: list[Cost] = []
    failures = [reason for _, reason in found.clashes]
    finished = 0
    place = None if root is None else Place(root, recipe.fingerprint(), recipe.output, time.time())
    if place is not None:
        check_manifest(place)
    for job in found.jobs:
        try:
            status = Status("open", recipe.output.overwrite) if place is None else status_of(job, place)
            if status.state in ("finished", "busy"):
                finished += 1
                _tell(job, status.state)
                continue
            if status.state == "failed":
                raise InputError(status.reason)
            check_files(job, recipe.output, overwrite=status.overwrite)
            size = read_size(job.source, recipe.output.max_pixels, first_frame=recipe.output.first_frame)
            cost = recipe.cost(size)
        except LdrpsError as error:
            failures.append(error.on_command_line)
            continue
        costs.append(cost)
        _tell(job, f"{size[0]}x{size[1]}, {duration(cost.seconds)}, {cost.bytes / 2**20:,.0f} MiB")
    for reason in failures:
        say(reason)
    say(_sum(costs, finished, len(failures), found.others))
    return len(failures)


def duration(seconds: float) -> str:
    """Seconds for people: "0.6 s", "12 s", "5 min", "3.5 h"."""
    if seconds < 90:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _tell(job: Job, what: str) -> None:
    tell(f"{job.source} -> {job.target}  ({what})")


def _sum(costs: Sequence[Cost], finished: int, failures: int, others: int) -> str:
    text = f"{len(costs)} to do, {finished} finished before, {failures} would fail, {others} no pictures"
    if not costs:
        return text
    seconds, peak = sum(cost.seconds for cost in costs), max(cost.bytes for cost in costs)
    return f"{text}; about {duration(seconds)} by one process, {peak / 2**20:,.0f} MiB at most"
