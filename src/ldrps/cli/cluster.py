"""`ldrps restore --ray`: folders, here or in object storage, by the machines of a cluster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from ldrps.cli.grouped import Group, names_of, option
from ldrps.cli.masks import MaskOptions
from ldrps.cli.methods import OURS
from ldrps.cli.output import FolderOptions
from ldrps.cli.terminal import say
from ldrps.distributed.store import Store, is_url, require_ray
from ldrps.errors import InputError
from ldrps.settings import Panel

if TYPE_CHECKING:
    from ldrps.distributed.running import Ended
    from ldrps.run.recipe import Recipe

# What is in files of this machine, or goes by the names of files of it.
_NOT_ON_CLUSTERS = {"watch", "dry_run", "trace", *names_of([MaskOptions])}


@dataclass(frozen=True)
class ClusterOptions(Group):
    """Where else than in this process and its children pictures are restored."""

    of_ldrps: ClassVar[bool] = True

    ray: Annotated[
        str | None,
        option(
            "Restore a folder, also an s3://, gs:// or sftp:// one, on Ray: local, auto or host:port of a cluster.",
            Panel.MANY,
            "--ray",
            metavar="ADDRESS",
        ),
    ] = None
    threads: Annotated[
        int | None, option("Of --ray: cores of each process; 1 if not given.", Panel.MANY, min=1, metavar="N")
    ] = None
    gpus: Annotated[
        float, option("Of --ray: GPUs of each process, or a share such as 0.5.", Panel.MANY, min=0.0, metavar="N")
    ] = 0.0

    def check(self, given: Mapping[str, str], method: str, places: Sequence[str]) -> None:
        """Find out what does not go together, before anything is loaded. `places` are those of pictures, and --out.

        Raises:
            BadParameter: options that need --ray, or cannot be had with it.
            InputError: an address without --ray, several folders with it, or Ray is not installed.
        """
        if self.ray is None:
            if wrong := [given[name] for name in ("threads", "gpus") if name in given]:
                raise typer.BadParameter(f"{', '.join(wrong)}: of --ray; give that as well")
            for place in places:
                if is_url(place):
                    raise InputError(f"{place} is no folder of this machine: give --ray as well, such as --ray local")
            return
        if wrong := [spelt for name, spelt in given.items() if name in _NOT_ON_CLUSTERS]:
            raise typer.BadParameter(f"{', '.join(wrong)}: cannot be had with --ray; leave it out")
        if method != OURS:
            raise typer.BadParameter(f"--method {method}: --ray restores by ldrps alone; leave one of them out")
        if len(places) != 2:
            raise InputError(f"{len(places) - 1} pictures or folders are given: give one folder to --ray")
        require_ray()


def restore_on_cluster(
    source: str, out: str, recipe: Recipe, folders: FolderOptions, cluster: ClusterOptions, jobs: int | None
) -> int:
    """Carry it out; returns how many pictures failed. `jobs`: workers; None for as many as there is room for."""
    from ldrps.cli.stopping import stoppable
    from ldrps.distributed.listing import Asked
    from ldrps.distributed.running import Cluster, restore_all
    from ldrps.run.recipe import OwnMethod

    assert cluster.ray is not None
    if isinstance(recipe.method, OwnMethod) and recipe.method.captions.in_files:
        raise InputError("captions in files are not to be had with --ray: leave --captioner out, or give a server")
    asked = Asked(folders.recursive, tuple(folders.include or ()), tuple(folders.exclude or ()))
    where = Cluster(cluster.ray, jobs, cluster.threads, cluster.gpus)
    with stoppable():
        ended = restore_all(Store.of(source), Store.of(out), asked, recipe, where, say)
    _summarise(ended, out)
    return ended.after.failed + len(ended.listing.clashes)


def _summarise(ended: Ended, out: str) -> None:
    before, after, listing = ended.before, ended.after, ended.listing
    done, failed = after.done - before.done, after.failed
    unchanged = after.unchanged - before.unchanged
    for note in listing.notes:
        say(note)
    parts = [f"{done} done" + f" ({unchanged} unchanged)" * (unchanged > 0)]
    skipped = ended.total - done - failed
    parts += [f"{skipped} skipped, finished before (--force does them again)"] * (skipped > 0)
    parts += [f"{failed + len(listing.clashes)} failed"]
    parts += [f"{listing.others} passed over, no pictures"] * (listing.others > 0)
    parts += [f"{(after.seconds - before.seconds) / done:.2f} s a picture"] if done else []
    named = [*listing.clashes, *ended.reasons][:20]
    more = failed + len(listing.clashes) - len(named)
    say(", ".join(parts), *named, *[f"and {more} more, in {out.rstrip('/')}/.ldrps-ray/failures.parquet"] * (more > 0))
    if len(after.machines) > 1:
        say(f"computed in {len(after.machines)} ways, whose bytes may differ: {'; '.join(sorted(after.machines))}")
