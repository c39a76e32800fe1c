"""The command line: thin, and without torch until there is something to compute."""

from __future__ import annotations

import io
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import ldrps
from ldrps.errors import LdrpsError
from ldrps.image.limits import MAX_PIXELS
from ldrps.settings import PRESETS

if TYPE_CHECKING:
    import torch

    from ldrps.prior.base import Prior
    from ldrps.settings import Settings

app = typer.Typer(
    help="Restore damaged photographs without being told what is wrong with them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

_DTYPES = ("float32", "float16", "bfloat16")

PriorOption = Annotated[str, typer.Option(help="'embedded', a folder in diffusers layout, or a hub id.")]
DeviceOption = Annotated[str, typer.Option(help="cpu, cuda, cuda:1, mps.")]
DtypeOption = Annotated[str, typer.Option(help="Precision of the prior: float32, float16, bfloat16.")]


def main() -> None:
    """Entry point: our own errors become one line and exit code 2, Ctrl-C becomes 130."""
    logging.basicConfig(level=logging.WARNING, format="ldrps: %(message)s", stream=sys.stderr)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="surrogateescape")  # names of files need not be text
    try:
        code = app(standalone_mode=False)  # an Exit comes back as its code
        if code == 130:  # so newer versions of typer tell of Ctrl-C
            raise KeyboardInterrupt
        sys.exit(code)
    except LdrpsError as error:
        _say(str(error))
        sys.exit(2)
    except (KeyboardInterrupt, typer.Abort):
        _say("stopped; what was written is whole")
        sys.exit(130)
    except Exception as error:
        # What the parser refuses, it can show itself; anything else is a bug and keeps its traceback.
        if not (hasattr(error, "show") and hasattr(error, "exit_code")):
            raise
        error.show()
        sys.exit(error.exit_code)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"ldrps {ldrps.__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


@app.command()
def restore(
    sources: Annotated[list[Path], typer.Argument(metavar="IN...", help="Pictures to restore.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="A file for one picture, or a folder.")],
    preset: Annotated[str, typer.Option(help=", ".join(PRESETS))] = "default",
    prior: PriorOption = "embedded",
    caption: Annotated[str, typer.Option(help="What the picture should show, for priors that know text.")] = "",
    seed: Annotated[int | None, typer.Option(help="Instead of the preset's.")] = None,
    recurrences: Annotated[int | None, typer.Option(help="Rounds of re-noising, instead of the preset's.")] = None,
    steps: Annotated[int | None, typer.Option(help="Steps of the chain, instead of the preset's.")] = None,
    perceptual: Annotated[
        Path | None, typer.Option(help="VGG16 weights (safetensors) for the perceptual terms of the paper's presets.")
    ] = None,
    device: DeviceOption = "cpu",
    dtype: DtypeOption = "float32",
    compare: Annotated[bool, typer.Option("--compare", help="Also write a sheet of before and after.")] = False,
    trace: Annotated[bool, typer.Option("--trace", help="Also write settings, losses and timings as JSON.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace files that exist.")] = False,
    max_pixels: Annotated[int, typer.Option(min=1, help="Larger pictures are refused.")] = MAX_PIXELS,
) -> None:
    """Restore pictures, whatever is wrong with them.

    Exit code 0: all restored; 1: some failed, the others are written; 2: the command cannot be carried out.
    """
    settings = ldrps.preset(preset).with_changes(seed=seed, steps=steps, recurrences=recurrences)
    from ldrps.batch import plan_jobs

    jobs = plan_jobs(sources, out)
    loaded = _load(prior, device, dtype)
    switches = {"overwrite": force, "compare": compare, "trace": trace}
    if _restore_all(jobs, loaded, settings, perceptual, caption, max_pixels, **switches):
        raise typer.Exit(1)


def _restore_all(
    jobs: list[ldrps.batch.Job],
    prior: Prior,
    settings: Settings,
    perceptual: Path | None,
    caption: str,
    max_pixels: int,
    **switches: bool,
) -> int:
    """Draws the bars; returns how many failed."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from ldrps.batch import Job, run_jobs
    from ldrps.guidance.perceptual import VGG16Features
    from ldrps.restorer import Progress as Step
    from ldrps.restorer import Restorer

    features = None if perceptual is None else VGG16Features.from_file(perceptual).to(prior.device)
    restorer = Restorer(prior, settings, features=features)
    console = Console(stderr=True)
    name, state = TextColumn("{task.description}", markup=False), TextColumn("{task.fields[state]}")
    bars = Progress(
        *(name, BarColumn(), state, TimeRemainingColumn()),
        console=console,
        transient=True,
        disable=not console.is_terminal,
        redirect_stdout=sys.stdout.isatty(),  # else the paths in a pipe would end up among the bars
    )
    failures: list[str] = []
    with bars:
        bar = bars.add_task("", state="", total=None)

        def show(job: Job, step: Step) -> None:
            loss = sum(value for name, value in step.losses.items() if name.startswith("posterior/"))
            state = f"round {step.round}  step {step.number}/{step.total}  loss {loss:.4f}"
            bars.update(bar, description=job.source.name, completed=step.number, total=step.total, state=state)

        for done in run_jobs(jobs, restorer, caption=caption, max_pixels=max_pixels, on_step=show, **switches):
            if done.result is None:
                failures.append(str(done.job.source))
                bars.console.print(f"ldrps: {done.error}", style="red", markup=False, highlight=False, soft_wrap=True)
            else:
                sys.stdout.write("".join(f"{path}\n" for path in done.written))
                sys.stdout.flush()
            bars.reset(bar)
    if failures and len(jobs) > 1:
        _say(f"{len(failures)} of {len(jobs)} pictures failed: {', '.join(failures)}")
    return len(failures)


@app.command()
def info(
    prior: Annotated[str, typer.Argument(help="'embedded', a folder in diffusers layout, or a hub id.")] = "embedded",
    device: DeviceOption = "cpu",
    dtype: DtypeOption = "float32",
) -> None:
    """Load a prior and tell what it is."""
    loaded = _load(prior, device, dtype)
    for name, value in loaded.describe().items():
        typer.echo(f"{name:18} {value}")


@app.command()
def train(
    part: Annotated[str, typer.Argument(help="autoencoder, then diffusion and tone.")],
    data: Annotated[list[Path], typer.Option(help="A folder of photographs; may be given more than once.")],
    out: Annotated[Path, typer.Option(help="The prior's folder; it grows part by part.")],
    steps: Annotated[int | None, typer.Option(help="How long; the default suits about a thousand photographs.")] = None,
    seed: Annotated[int, typer.Option()] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint.")] = False,
) -> None:
    """Train a small prior on photographs of your own. May be stopped at any time and resumed."""
    from ldrps.train.command import train_part

    for line in train_part(part, data, out, steps=steps, seed=seed, resume=resume):
        typer.echo(line)


def _load(prior: str, device: str, dtype: str) -> Prior:
    if dtype not in _DTYPES:
        raise typer.BadParameter(f"{dtype!r} is none of {', '.join(_DTYPES)}", param_hint="--dtype")
    import torch

    precision: torch.dtype = getattr(torch, dtype)
    return ldrps.load_prior(prior, device=device, dtype=precision)


def _say(text: str) -> None:
    sys.stderr.write(f"ldrps: {text}\n")
