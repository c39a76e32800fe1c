"""A run of `ldrps restore`, before people's eyes."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Sequence
from contextlib import ExitStack, closing

import typer

from ldrps.cli.bars import Display
from ldrps.cli.plan import show_plan
from ldrps.cli.stopping import stoppable
from ldrps.cli.terminal import say
from ldrps.distributed.state import refuse_results_of_clusters
from ldrps.errors import InputError
from ldrps.folders.claiming import Claiming
from ldrps.folders.feeding import restore_all as restored
from ldrps.folders.find import Found, Wanted, find
from ldrps.folders.manifest import Manifest, made_by, status_of
from ldrps.folders.names import MANIFEST
from ldrps.folders.status import Place
from ldrps.folders.watch import watch
from ldrps.image.formats import FORMATS, WITH_QUALITY
from ldrps.run.job import Job, is_file_name, part_hopeless, plan_jobs
from ldrps.run.outcome import Outcome
from ldrps.run.pool import ProcessPool, ThisProcess
from ldrps.run.recipe import OwnMethod, Recipe
from ldrps.run.restoring import Restoring
from ldrps.run.share import Share


def plan(wanted: Wanted, recipe: Recipe, workers: int) -> int:
    """Tell what would be done, and what it would take; returns how many pictures would fail."""
    found = _found(wanted)
    _check_quality(recipe.output.quality, found.jobs)
    recipe.check_damage()
    recipe = _as_begun(wanted, recipe)
    share = Share.of(min(workers, len(found.jobs)))
    return show_plan(found, recipe.within(share), wanted.out if _keeps_manifest(wanted) else None)


def restore_all(wanted: Wanted, recipe: Recipe, workers: int, *, watching: bool) -> int:
    """Carry it out; returns how many pictures failed."""
    found, folder = _found(wanted), _has_folder(wanted)
    if not watching:
        _check_quality(recipe.output.quality, found.jobs)
    place = None
    if _keeps_manifest(wanted):
        recipe = _as_begun(wanted, recipe)
        place = Place(wanted.out, recipe.fingerprint(), recipe.output, time.time())
    if not folder:
        _part(found, recipe, place)
        place = place if found.jobs else None  # which leaves no trace where nothing can be done
    recipe.check_damage()
    workers = workers if watching else max(1, min(workers, len(found.jobs)))
    display = Display(None if watching else len(found.jobs) + len(found.clashes))
    display.tally.others = found.others

    def fail(job: Job, reason: str) -> None:
        display.outcome(Outcome(job, "failed", reason=reason))

    feed = watch(lambda: find(wanted), place, fail) if watching and place is not None else found.jobs
    with ExitStack() as stack:
        stack.enter_context(stoppable())
        stack.push(lambda kind, *_: display.summarise(folder, is_whole=kind is None))
        manifest = None if place is None else stack.enter_context(closing(Manifest(place)))
        stack.enter_context(display)
        for job, reason in [] if watching else found.clashes:
            fail(job, reason)
        _show(feed, recipe, manifest, place, workers, display)
    return len(display.tally.failed)


def _check_quality(quality: int | None, jobs: Sequence[Job]) -> None:
    """Refuse a quality where no result is of a format that has one.

    Raises:
        BadParameter: so it is.
    """
    kinds = {FORMATS.get(job.target.suffix.lower(), "") for job in jobs}
    if quality is not None and kinds and kinds.isdisjoint(WITH_QUALITY):
        raise typer.BadParameter(f"--quality is of {', '.join(WITH_QUALITY)}, and no result is one: leave it out")


def _has_folder(wanted: Wanted) -> bool:
    return any(os.path.isdir(source) for source in wanted.sources)


def _keeps_manifest(wanted: Wanted) -> bool:
    """Whether it is kept what became of the pictures, so that the same command skips them.

    Of folders it always is; of pictures that were named, if their results go into a folder that is new, empty or has a
    manifest. Another one is left alone: a manifest makes it a folder of results, in which no pictures are looked for.
    """
    if _has_folder(wanted):
        return True
    out = wanted.out
    if is_file_name(out, as_folder=wanted.as_folder) or (os.path.lexists(out) and not out.is_dir()):
        return False
    return os.path.lexists(out / MANIFEST) or not out.is_dir() or not any(out.iterdir())


def _as_begun(wanted: Wanted, recipe: Recipe) -> Recipe:
    """The recipe in the precision in which the results that are there were made, where it was left to the machine: a
    folder that is carried on, maybe elsewhere, is all of one precision.
    """
    here, *others = recipe.in_precisions() if _keeps_manifest(wanted) else [recipe]
    if not others:
        return here
    begun = made_by(wanted.out, [each.fingerprint() for each in (here, *others)])
    if not begun:
        return here
    recipe = others[begun - 1]
    assert isinstance(recipe.method, OwnMethod) and isinstance(here.method, OwnMethod)
    say(
        f"the results in {wanted.out} began in {recipe.method.dtype}, and go on in it; "
        f"--dtype {here.method.dtype} makes all of them again, as this machine does by itself"
    )
    return recipe


def _part(found: Found, recipe: Recipe, place: Place | None) -> None:
    """Of pictures that were named, put apart those that would fail; the manifest knows of which results are ours."""
    known = set() if place is None else {job for job in found.jobs if _is_known(job, place)}
    unknown = [job for job in found.jobs if job not in known]
    hopeful, found.clashes = part_hopeless(unknown, recipe.output, recipe.check_size)
    found.jobs = [job for job in found.jobs if job in known.union(hopeful)]


def _is_known(job: Job, place: Place) -> bool:
    try:
        status = status_of(job, place)
    except InputError:  # which is told with what else is wrong with the picture
        return False
    return status.state != "open" or (status.overwrite and not place.output.overwrite)


def _found(wanted: Wanted) -> Found:
    refuse_results_of_clusters(wanted.out)
    if not _has_folder(wanted):
        return Found(jobs=plan_jobs(wanted.sources, wanted.out, as_folder=wanted.as_folder))
    found = find(wanted)
    for note in found.notes:
        say(note)
    return found


def _show(
    feed: Iterable[Job | None],
    recipe: Recipe,
    manifest: Manifest | None,
    place: Place | None,
    workers: int,
    display: Display,
) -> None:
    work = Restoring(recipe) if place is None else Claiming(recipe, place)
    pool = ThisProcess(work) if workers == 1 else ProcessPool(work, workers)
    # Closed at once, so that workers are stopped before anything else.
    with closing(restored(feed, pool, manifest, display.tick)) as outcomes:
        for outcome in outcomes:
            display.outcome(outcome)
