"""`ldrps bench`: methods on data sets, measured row by row, as tables, JSON and a page."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ldrps.cli.options import DataOption, DeviceOption, PriorOption
from ldrps.cli.terminal import say, tell_text
from ldrps.presets import PRESETS
from ldrps.prior import check_prior
from ldrps.prior.device import check_device

if TYPE_CHECKING:
    from ldrps.bench.command import Benchmark
    from ldrps.bench.judges import Judges

_SETS = "Data sets, groups of them such as all, or folder:PATH; see --list. paper: the tables of the LD-RPS paper."
_METHODS = (
    "ldrps, a preset of it, a rival, a plain tool or several joined by +, an oracle, files:FOLDER beside the inputs', "
    'command:"PROGRAM {in} {out}", spandrel:FILE, or a group: plain, chains, rivals, oracles; see `ldrps methods`.'
)


def _listing(wanted: bool) -> None:
    if wanted:
        from ldrps.bench.command import listing

        tell_text(listing())
        raise typer.Exit


def bench(
    sets: Annotated[list[str], typer.Argument(metavar="SET...", help=_SETS)],
    method: Annotated[list[str] | None, typer.Option("--method", "-m", help=_METHODS)] = None,
    preset: Annotated[list[str] | None, typer.Option(help=f"Of ldrps: {', '.join(PRESETS)}.")] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Runs of what is random, seeds 0, 1, ...")] = 3,
    limit: Annotated[int | None, typer.Option(min=1, help="The first N pictures of each set only.")] = None,
    sweep: Annotated[
        list[str] | None,
        typer.Option(
            help="SETTING=VALUE,VALUE of ldrps, such as recurrences=0,1,2 or caption=none,written,wrong,file."
        ),
    ] = None,
    data: DataOption = None,
    weights: Annotated[
        Path | None,
        typer.Option(
            envvar="LDRPS_WEIGHTS",
            help="A folder with the weights of LPIPS, NIQE and rivals; or, for rivals alone, as of `ldrps restore`.",
        ),
    ] = None,
    store: Annotated[Path, typer.Option(help="Where rows and pictures are kept; a run goes on from there.")] = Path(
        "out/bench"
    ),
    prior: PriorOption = "embedded",
    device: DeviceOption = "cpu",
    jobs: Annotated[int, typer.Option("--jobs", "-j", min=1, help="Processes.")] = 1,
    retry: Annotated[bool, typer.Option("--retry", help="Try again what failed before.")] = False,
    reference: Annotated[str | None, typer.Option(help="The method that the others are compared with.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the means as a list of objects.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write a page with pictures and plots into this folder.")] = None,
    latex: Annotated[Path | None, typer.Option(help="Write the tables for LaTeX.")] = None,
    listed: Annotated[
        bool, typer.Option("--list", callback=_listing, is_eager=True, help="Print all sets and methods.")
    ] = False,
) -> None:
    """Measure methods on data sets, beside what papers have published.

    Every picture is a row that is kept when it is done: a run that was stopped goes on where it was. Without --method,
    the plain tools, the oracles and ldrps are compared; of `paper` nothing is then measured, and what is stored is
    shown beside what the paper prints, with the commands that measure the rest.

    Exit code 0: all measured; 1: some pictures failed, and the tables say so; 2: the command cannot be carried out.
    """
    from ldrps.bench.command import Benchmark, Plan
    from ldrps.bench.paper import GROUP, PaperTables
    from ldrps.image.files import check_folder, write_text

    check_device(device)
    check_prior(prior)
    for place in (json_file, latex, None if html is None else html / "index.html", store / "rows.sqlite"):
        if place is not None:
            check_folder(place)

    is_paper = GROUP in sets
    if is_paper:
        _check_paper(
            sets, method, of_a_run={"--preset": preset, "--sweep": sweep, "--reference": reference, "--html": html}
        )
    plan = Plan(
        sets=sets,
        methods=_words(method) or ["plain", "oracles", "ldrps"],
        presets=_words(preset) or ["default"],
        seeds=seeds,
        limit=limit,
        sweeps=sweep or [],
        data=data or [],
        store=store,
        prior=prior,
        device=device,
        weights="" if weights is None else str(weights),
        workers=jobs,
        retry=retry,
        reference=reference,
        judges=_judges(weights),
    )
    benchmark = None if is_paper and not method else Benchmark(plan)
    failed = 0 if benchmark is None else _run(benchmark)
    summary = PaperTables(plan) if is_paper or benchmark is None else benchmark.summary()
    tell_text(summary.markdown())
    for path, text in ((json_file, summary.json()), (latex, summary.latex())):
        if path is not None:
            write_text(path, text)
    if html is not None and benchmark is not None:
        say(f"the page is {benchmark.write_html(html, shlex.join(['ldrps', *sys.argv[1:]]))}")
    if benchmark is not None and failed:
        say(f"{failed} of {len(benchmark.tasks)} rows failed; --retry tries them again")
        raise typer.Exit(1)


def _check_paper(sets: list[str], method: list[str] | None, of_a_run: dict[str, object]) -> None:
    """The paper's tables are a layout of their own, and without --method nothing is run.

    Raises:
        InputError: another set is named too, or an option that is of a run.
    """
    from ldrps.errors import InputError

    if len(sets) != 1:
        raise InputError(f"sets are {', '.join(sets)}; paper has tables of its own: name it alone")
    if not method and (idle := [option for option, value in of_a_run.items() if value]):
        raise InputError(
            f"{', '.join(idle)} is of what is measured, and without --method paper measures nothing: give one"
        )


def _judges(weights: Path | None) -> Judges:
    """Of the folder given; if that is a file or a name, which is for rivals, of the one that LDRPS_WEIGHTS names."""
    from ldrps.bench.judges import Judges
    from ldrps.rivals.registry import given_weights

    places = (given_weights(weights), given_weights(None))
    return Judges.at_hand(next((place for place in places if place is not None and place.is_dir()), None))


def _run(benchmark: Benchmark) -> int:
    """Draws the bar; returns how many of the wanted rows are failures, old ones included."""
    from rich.progress import BarColumn, MofNCompleteColumn, TimeRemainingColumn

    from ldrps.cli.bars import Bars, Words

    with Bars(Words("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()) as bars:
        bar = bars.add_task("", total=len(benchmark.missing()))
        for row in benchmark.run():
            label = row.key.contender.rpartition(" #")[0]
            bars.update(bar, advance=1, description=f"{label}  {row.key.dataset}/{row.key.image}")
            if row.error is not None:
                where = f"{label} on {row.key.dataset}/{row.key.image}, seed {row.key.seed}"
                bars.say(f"ldrps: {where}: {row.error}", "red")
    return sum(row.error is not None for row in benchmark.rows())


def _words(given: list[str] | None) -> list[str]:
    """An option that may be repeated, and that may hold several values with commas between; a command's are its own."""
    texts = [[text] if text.startswith("command:") else text.split(",") for text in given or []]
    return [word for words in texts for word in words if word]
