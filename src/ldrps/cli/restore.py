"""`ldrps restore`: pictures or folders of them in, restored pictures out, bars in between."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import ldrps
from ldrps.cli.damage import DamageOption, OnlyOption, SkipOption, StrengthOption, with_parts
from ldrps.cli.masks import MaskOption, ProtectOption, masks_of
from ldrps.cli.methods import OURS, check_options, read_settings
from ldrps.cli.options import DeviceOption, DtypeOption, OutOption, PriorOption, check_dtype, is_folder
from ldrps.cli.terminal import say
from ldrps.errors import InputError
from ldrps.estimation import JUDGES, PACKAGED, estimators_folder
from ldrps.estimation.files import read_plain
from ldrps.image.limits import MAX_PIXELS
from ldrps.presets import PRESETS
from ldrps.prior import check_prior
from ldrps.prior.device import check_device

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ldrps.cli.bars import Display
    from ldrps.folders.find import Found, Wanted
    from ldrps.folders.manifest import Manifest
    from ldrps.folders.status import Place
    from ldrps.run.job import Job
    from ldrps.run.recipe import Recipe


def restore(
    context: typer.Context,
    sources: Annotated[list[Path], typer.Argument(metavar="IN...", help="Pictures to restore, or folders of them.")],
    out: OutOption,
    method: Annotated[
        str, typer.Option(help="Another system in place of ldrps, to compare: `ldrps methods` lists them.")
    ] = OURS,
    weights: Annotated[
        Path | None, typer.Option(help="Of --method, a file or its folder; else LDRPS_WEIGHTS names the folder.")
    ] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A setting of --method; may be repeated.")
    ] = None,
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
    recaption: Annotated[
        bool, typer.Option("--recaption", help="Ask again about the cleaner picture before each recurrence.")
    ] = False,
    negative: Annotated[
        str | None, typer.Option(help="What the picture should not show: for the paper's presets and --colorize.")
    ] = None,
    colourise: Annotated[
        bool, typer.Option("--colorize", help="Give grey pictures colours, such as the caption says.")
    ] = False,
    relight: Annotated[
        float | None,
        typer.Option(help="Let the caption say how light the result is, so strongly: 1 or so."),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Instead of the preset's.")] = None,
    recurrences: Annotated[int | None, typer.Option(help="Rounds of re-noising, instead of the preset's.")] = None,
    steps: Annotated[int | None, typer.Option(help="Steps of the chain, instead of the preset's.")] = None,
    perceptual: Annotated[
        Path | None, typer.Option(help="VGG16 weights (safetensors) for the perceptual terms of the paper's presets.")
    ] = None,
    estimators: Annotated[
        str, typer.Option(help="What judges the damage: a folder of `ldrps train tone`, instead of the package's own.")
    ] = PACKAGED,
    device: DeviceOption = "cpu",
    dtype: DtypeOption = "float32",
    compare: Annotated[bool, typer.Option("--compare", help="Also write a sheet of before and after.")] = False,
    samples: Annotated[
        int, typer.Option(min=0, help="Also draw so many likely restorations, and a map of where they differ.")
    ] = 0,
    trace: Annotated[bool, typer.Option("--trace", help="Also write settings, losses and timings as JSON.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace files that exist.")] = False,
    max_pixels: Annotated[int, typer.Option(min=1, help="Larger pictures are refused.")] = MAX_PIXELS,
    undamaged: Annotated[
        float | None,
        typer.Option(help="How likely it is, before a look, that the tones need nothing: 0.8; less changes more."),
    ] = None,
    noise: Annotated[
        float | None, typer.Option(help="The noise, of 255, instead of the estimate; for grain that it does not see.")
    ] = None,
    damage: DamageOption = None,
    only: OnlyOption = None,
    skip: SkipOption = None,
    strength: StrengthOption = None,
    mask: MaskOption = None,
    protect: ProtectOption = None,
    tile: Annotated[
        int | None, typer.Option(help="Pixels a side of the windows in which large pictures are restored; 512.")
    ] = None,
    overlap: Annotated[int | None, typer.Option(help="Pixels that neighbouring windows share; 64.")] = None,
    working_size: Annotated[
        int | None,
        typer.Option(help="Restore a copy of so many pixels, and give the change to the picture in full size."),
    ] = None,
    scale: Annotated[float | None, typer.Option(help="Make it so many times larger each way, 2, 3, up to 8.")] = None,
    max_memory: Annotated[
        float | None, typer.Option(min=0.1, metavar="GIB", help="Shrink windows to stay below; else what is free.")
    ] = None,
    quality: Annotated[
        int | None, typer.Option(min=1, max=100, help="Of JPEG, WEBP and AVIF; 95 if not given.")
    ] = None,
    srgb: Annotated[bool, typer.Option("--srgb", help="Convert to sRGB, for viewers that know no profiles.")] = False,
    strip: Annotated[bool, typer.Option("--strip", help="Leave EXIF and XMP data out.")] = False,
    first_frame: Annotated[
        bool, typer.Option("--first-frame", help="Take the first of several frames or pages, else refused.")
    ] = False,
    recursive: Annotated[bool, typer.Option("--recursive", "-r", help="Go into folders within folders.")] = False,
    include: Annotated[
        list[str] | None, typer.Option(metavar="GLOB", help="Of a folder, take only such files; may be repeated.")
    ] = None,
    exclude: Annotated[
        list[str] | None, typer.Option(metavar="GLOB", help="Leave out such files and folders; may be repeated.")
    ] = None,
    jobs: Annotated[int, typer.Option("--jobs", "-j", min=1, help="Processes that share the work.")] = 1,
    watch: Annotated[
        bool, typer.Option("--watch", help="Go on with what comes into the folder, until Ctrl-C.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only tell what would be done, and what it would take.")
    ] = False,
) -> None:
    """Restore pictures, whatever is wrong with them.

    Of a folder, the tree is made again below the folder of results, where a manifest (.ldrps.sqlite) keeps what is
    done: the same command goes on after an interruption, and does only what is missing or has changed.

    Exit code 0: all restored; 1: some failed, the others are written; 2: the command cannot be carried out;
    130 and 143: stopped by Ctrl-C and by SIGTERM.
    """
    settings = ldrps.preset(preset).with_changes(
        seed=seed,
        steps=steps,
        recurrences=recurrences,
        negative=negative,
        colourise=colourise,
        relight=relight,
        tile=tile,
        overlap=overlap,
        working_size=working_size,
        scale=scale,
    )
    settings = with_parts(
        settings.with_knowledge(undamaged=undamaged, noise=noise), only or [], skip or [], strength or []
    )
    if damage is not None:
        settings.require_parts()
        if undamaged is not None or noise is not None:
            raise typer.BadParameter("--damage is what happened: leave --noise and --undamaged, of the estimate, out")
    given = None if damage is None else read_plain(damage)
    masks = masks_of(mask, protect, sources, max_pixels)
    holes = mask is not None or (given is not None and "holes" in given.data)
    settings = settings.with_masks(holes=holes, protected=protect is not None)
    check_dtype(dtype)
    check_device(device)
    check_prior(prior)
    if not any((estimators_folder(estimators) / judge).is_dir() for judge in JUDGES):
        raise InputError(
            f"{estimators} has no folder {', '.join(JUDGES[:-1])} or {JUDGES[-1]}: give --estimators what "
            "`ldrps train` wrote of one of them"
        )
    if perceptual is not None and not perceptual.is_file():
        raise InputError(f"{perceptual} is no file of weights: check --perceptual")
    from ldrps.folders.find import Wanted
    from ldrps.run.job import Output
    from ldrps.run.recipe import CaptionSource, OwnMethod, Recipe, RivalMethod

    check_options(context, method)
    captions = CaptionSource(
        caption, caption_url, caption_prompt, caption_required, not no_caption_cache, caption_timeout, recaption
    )
    ours = OwnMethod(settings, prior, device, dtype, perceptual, estimators, captions, given, masks)
    rival = RivalMethod(method, seed, steps, weights, read_settings(set_ or []), device)
    limit = None if max_memory is None else round(max_memory * 2**30)
    output = Output(force, compare, trace, samples, max_pixels, limit, quality, not strip, srgb, first_frame)
    recipe = Recipe(ours if method == OURS else rival, output)
    folder = any(os.path.isdir(source) for source in sources)
    if (recursive or include or exclude or watch) and not folder:
        _refuse_missing(sources)
        raise typer.BadParameter("--recursive, --include, --exclude and --watch are about folders, and none is given")
    wanted = Wanted(sources, Path(out), recursive, include or [], exclude or [], is_folder(out))
    if dry_run:
        from ldrps.cli.plan import show_plan
        from ldrps.run.share import Share

        found = _found(wanted, folder)
        recipe.check_damage()
        share = Share.of(min(jobs, len(found.jobs)))
        failed = show_plan(found, recipe.within(share), wanted.out if folder else None)
    else:
        failed = _restore(wanted, recipe, folder, jobs, watch)
    if failed:
        raise typer.Exit(1)


def _refuse_missing(sources: Iterable[Path]) -> None:
    for source in sources:
        if not os.path.exists(source):
            raise InputError(f"{source} does not exist: check the name and the folder")


def _found(wanted: Wanted, folder: bool) -> Found:
    from ldrps.folders.find import Found, find
    from ldrps.run.job import plan_jobs

    if not folder:
        return Found(plan_jobs(wanted.sources, wanted.out, as_folder=wanted.as_folder))
    found = find(wanted)
    for note in found.notes:
        say(note)
    return found


def _restore(wanted: Wanted, recipe: Recipe, folder: bool, workers: int, watching: bool) -> int:
    """Carry it out before people's eyes; returns how many pictures failed."""
    from contextlib import ExitStack, closing

    from ldrps.cli.bars import Display
    from ldrps.cli.stopping import stoppable
    from ldrps.folders.find import find
    from ldrps.folders.manifest import Manifest
    from ldrps.folders.status import Place
    from ldrps.folders.watch import watch
    from ldrps.run.job import part_hopeless
    from ldrps.run.outcome import Outcome

    found = _found(wanted, folder)
    if not folder:  # of folders, the manifest knows what may be replaced
        found.jobs, found.clashes = part_hopeless(found.jobs, recipe.output, recipe.check_size)
    recipe.check_damage()
    workers = workers if watching else max(1, min(workers, len(found.jobs)))
    place = Place(wanted.out, recipe.fingerprint(), recipe.output, time.time()) if folder else None
    display = Display(None if watching else len(found.jobs) + len(found.clashes))
    display.tally.others = found.others

    def fail(job: Job, reason: str) -> None:
        display.outcome(Outcome(job, "failed", reason=reason))

    feed = watch(lambda: find(wanted), place, fail) if watching else found.jobs
    with ExitStack() as stack:
        stack.enter_context(stoppable())
        stack.push(lambda kind, *_: display.summarise(folder, is_whole=kind is None))
        manifest = None if place is None else stack.enter_context(closing(Manifest(place)))
        stack.enter_context(display)
        for job, reason in [] if watching else found.clashes:
            fail(job, reason)
        _show(feed, recipe, manifest, place, workers, display)
    return len(display.tally.failed)


def _show(
    feed: Iterable[Job | None],
    recipe: Recipe,
    manifest: Manifest | None,
    place: Place | None,
    workers: int,
    display: Display,
) -> None:
    from contextlib import closing

    from ldrps.folders.claiming import Claiming
    from ldrps.folders.feeding import restore_all
    from ldrps.run.pool import ProcessPool, ThisProcess
    from ldrps.run.restoring import Restoring

    work = Restoring(recipe) if place is None else Claiming(recipe, place)
    pool = ThisProcess(work) if workers == 1 else ProcessPool(work, workers)
    # Closed at once, so that workers are stopped before anything else.
    with closing(restore_all(feed, pool, manifest, display.tick)) as outcomes:
        for outcome in outcomes:
            display.outcome(outcome)
