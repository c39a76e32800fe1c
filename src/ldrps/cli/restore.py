"""`ldrps restore`: pictures in, restored pictures out, bars in between."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import ldrps
from ldrps.cli.options import DeviceOption, DtypeOption, PriorOption, load, say
from ldrps.image.limits import MAX_PIXELS
from ldrps.settings import PRESETS

if TYPE_CHECKING:
    from ldrps.batch import Job
    from ldrps.caption.base import Captioner
    from ldrps.prior.base import Prior
    from ldrps.settings import Settings


def restore(
    sources: Annotated[list[Path], typer.Argument(metavar="IN...", help="Pictures to restore.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="A file for one picture, or a folder.")],
    preset: Annotated[str, typer.Option(help=", ".join(PRESETS))] = "default",
    prior: PriorOption = "embedded",
    caption: Annotated[
        str,
        typer.Option(
            metavar="SPEC",
            help="What the picture should show, for priors that know text, or who says it: none, offline, auto, file "
            "(STEM.txt beside the picture), file:FOLDER, openai:MODEL (any endpoint of that protocol), "
            "transformers:MODEL, text:WORDS; anything else is the caption itself.",
        ),
    ] = "",
    caption_url: Annotated[
        str | None, typer.Option(help="Base URL of the endpoint for captions, instead of OPENAI_BASE_URL.")
    ] = None,
    caption_prompt: Annotated[str | None, typer.Option(help="What models are asked about a picture.")] = None,
    caption_timeout: Annotated[float, typer.Option(help="Seconds for each try of the endpoint, at most three.")] = 30.0,
    caption_required: Annotated[
        bool, typer.Option("--caption-required", help="A picture fails if the one named has no caption for it.")
    ] = False,
    no_caption_cache: Annotated[
        bool, typer.Option("--no-caption-cache", help="Ask models again, and keep no answers.")
    ] = False,
    negative: Annotated[
        str | None, typer.Option(help="What the picture should not show: for the paper's presets and --colorize.")
    ] = None,
    colourise: Annotated[
        bool, typer.Option("--colorize", help="Give grey pictures colours, such as the caption says.")
    ] = False,
    seed: Annotated[int | None, typer.Option(help="Instead of the preset's.")] = None,
    recurrences: Annotated[int | None, typer.Option(help="Rounds of re-noising, instead of the preset's.")] = None,
    steps: Annotated[int | None, typer.Option(help="Steps of the chain, instead of the preset's.")] = None,
    perceptual: Annotated[
        Path | None, typer.Option(help="VGG16 weights (safetensors) for the perceptual terms of the paper's presets.")
    ] = None,
    device: DeviceOption = "cpu",
    dtype: DtypeOption = "float32",
    compare: Annotated[bool, typer.Option("--compare", help="Also write a sheet of before and after.")] = False,
    samples: Annotated[
        int, typer.Option(min=0, help="Also draw so many likely restorations, and a map of where they differ.")
    ] = 0,
    trace: Annotated[bool, typer.Option("--trace", help="Also write settings, losses and timings as JSON.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace files that exist.")] = False,
    max_pixels: Annotated[int, typer.Option(min=1, help="Larger pictures are refused.")] = MAX_PIXELS,
) -> None:
    """Restore pictures, whatever is wrong with them.

    Exit code 0: all restored; 1: some failed, the others are written; 2: the command cannot be carried out.
    """
    settings = ldrps.preset(preset).with_changes(
        seed=seed, steps=steps, recurrences=recurrences, negative=negative, colourise=colourise
    )
    from ldrps.batch import plan_jobs
    from ldrps.caption.chain import make_captioner

    jobs = plan_jobs(sources, out)
    captioner = make_captioner(
        caption,
        url=caption_url,
        prompt=caption_prompt,
        required=caption_required,
        cache=not no_caption_cache,
        timeout=caption_timeout,
        device=device,
    )
    loaded = load(prior, device, dtype)
    switches = {"overwrite": force, "compare": compare, "trace": trace, "samples": samples}
    if _restore_all(jobs, loaded, settings, perceptual, captioner, max_pixels, **switches):
        raise typer.Exit(1)


def _restore_all(
    jobs: list[Job],
    prior: Prior,
    settings: Settings,
    perceptual: Path | None,
    caption: Captioner,
    max_pixels: int,
    **switches: Any,
) -> int:
    """Draws the bars; returns how many failed."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from ldrps.batch import run_jobs
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
                if console.is_terminal and done.result.damage:
                    bars.console.print(f"  {done.result.damage}", style="dim", markup=False, highlight=False)
            bars.reset(bar)
    if failures and len(jobs) > 1:
        say(f"{len(failures)} of {len(jobs)} pictures failed: {', '.join(failures)}")
    return len(failures)
