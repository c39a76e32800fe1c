"""A run on a cluster: the pictures are listed, handed out by Ray Data, and what became of each is written down.

    manifest -> without what is done -> a few rows at a time -> workers, which fetch, restore and put -> outcomes

Ray Data does all but the restoring: it keeps the workers busy, starts those anew that die and hands out again what they
were at, and writes the ids of what is done, with a row of outcomes for each, in one step (`ray.data.checkpoint`).
"""

from __future__ import annotations

import logging
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ldrps.distributed.listing import Asked, Listing, listed
from ldrps.distributed.state import Pinned, Run, check_new, check_same, load_run
from ldrps.distributed.store import Store, in_short, require_ray
from ldrps.distributed.worker import Errand, Worker, versions
from ldrps.errors import InputError, LdrpsError
from ldrps.folders.names import CLUSTER
from ldrps.run.recipe import OwnMethod, Recipe

if TYPE_CHECKING:
    import pyarrow as pa
    from ray.data import Dataset

    from ldrps.distributed.tables import Sum

LOCAL = "local"
TOGETHER = 8  # pictures that a worker is handed at once: what dies with it is done again
IN_FLIGHT = 2  # such handfuls that a worker has or is about to get
_OTHERS = 4  # CPUs for what reads the manifest, leaves out what is done and writes the outcomes
_MOST_FILES = 2000  # of outcomes, about; a larger run has more rows in each
MOST_ROWS = 1000  # of these, at most: if the driver dies, they are done again
_STEP = 2**28  # bytes, of which the memory of a worker is a multiple


@dataclass(frozen=True)
class Cluster:
    """Where a run is carried out.

    Attributes:
        address: of a running Ray, as host:port, or "auto" for the one that this machine belongs to; or "local" for one
            on this machine that ends with the run.
        workers: how many restore; None for as many as there is room for.
        threads: CPUs of each; None for those of the earlier commands, or 1.
        gpus: GPUs of each, or a share of one.
    """

    address: str = LOCAL
    workers: int | None = None
    threads: int | None = None
    gpus: float = 0.0

    def __post_init__(self) -> None:
        if "://" in self.address:
            raise InputError(
                f"--ray is {self.address}; a run is begun on a machine of the cluster: give auto there, as with "
                "`ray job submit`"
            )


@dataclass(frozen=True)
class Ended:
    """How a run went.

    Attributes:
        before, after: the sums of the pass, of earlier commands and with this one.
        total: the pictures of the pass.
        listing: what was passed over, if this command listed the pictures.
        reasons: why the first of those failed that did.
    """

    before: Sum
    after: Sum
    total: int
    listing: Listing
    reasons: list[str]


def restore_all(
    source: Store, out: Store, asked: Asked, recipe: Recipe, cluster: Cluster, say: Callable[[str], object]
) -> Ended:
    """Restore the pictures of a folder that the results in another lack.

    Args:
        source, out: the folders.
        asked: which pictures.
        recipe: how; its precision, threads and memory are those with which the results were begun, if they were.
        cluster: where.
        say: told what people should know meanwhile, a line at a time.

    Raises:
        LdrpsError: the folders or the cluster cannot be used, or what no picture could be restored with.
    """
    require_ray()
    for store in (source, out):
        _ = store.files  # whose package may be missing
    begun = load_run(out)
    if begun is None or recipe.output.overwrite:
        begun = None
        if not recipe.output.overwrite:
            check_new(out)
    else:
        check_same(begun, [str(each.fingerprint()) for each in recipe.in_precisions()], source, out)
        if cluster.threads not in (None, begun.pinned.threads):
            raise InputError(
                f"the results in {out.url_of('')} were begun with {begun.pinned.threads} threads a picture, on which "
                f"their bytes may depend, not {cluster.threads}: give that to --threads, or another --out"
            )
    cluster = replace(cluster, threads=begun.pinned.threads if begun else cluster.threads or 1)
    with tempfile.TemporaryDirectory(prefix="ldrps-") as name, _ray(cluster) as workers:
        scratch = Path(name)
        if begun is None:
            out.remove(CLUSTER)
            recipe, pinned = _pin(recipe, cluster, workers)
            begun = Run(str(recipe.fingerprint()), source.url, pinned, asked)
        else:
            recipe = _as_pinned(recipe, begun.pinned, say)
        return _carry_out(begun, asked, Errand(recipe, begun.pinned, source, out, 0), cluster, workers, scratch)


def _pin(recipe: Recipe, cluster: Cluster, workers: int) -> tuple[Recipe, Pinned]:
    """The recipe in the precision of this machine, and what else results depend on, for all machines to come."""
    import ray

    recipe = recipe.in_precisions()[0]
    assert isinstance(recipe.method, OwnMethod) and cluster.threads is not None
    memory = recipe.output.max_memory
    if memory is None:  # what the machine with the least has for each of its workers, if all have as many
        nodes = [each["Resources"] for each in ray.nodes() if each["Alive"] and each["Resources"].get("CPU")]
        each = min(node.get("memory", 0.0) / max(1.0, min(workers, node["CPU"] / cluster.threads)) for node in nodes)
        memory = max(_STEP, int(each // _STEP) * _STEP)
    here = versions()
    return recipe, Pinned(recipe.method.dtype, cluster.threads, memory, here["ldrps"], here["torch"])


def _as_pinned(recipe: Recipe, pinned: Pinned, say: Callable[[str], object]) -> Recipe:
    """The recipe in the precision in which its results were begun."""
    here, *others = recipe.in_precisions()
    for each in (here, *others):
        assert isinstance(each.method, OwnMethod)
        if each.method.dtype == pinned.dtype:
            if each is not here:
                say(f"the results began in {pinned.dtype}, and go on in it")
            return each
    raise AssertionError("the fingerprint of the run is that of one of them")


def _carry_out(run: Run, asked: Asked, errand: Errand, cluster: Cluster, workers: int, scratch: Path) -> Ended:
    """Go on with a pass that is not over, or begin the next."""
    from ldrps.distributed.tables import failed_ids, sum_up, write_failures, write_manifest

    out, listing = errand.out, Listing()
    if run.total is None or run.is_over or run.asked != asked:
        number = run.number + (run.total is not None)
        run = replace(run, asked=asked, number=number, total=None, is_over=False)
        run.save(out, scratch)
        pictures = listed(errand.source, out, asked, listing)
        total = write_manifest(out, pictures, failed_ids(out), scratch)
        run = replace(run, total=total)
        run.save(out, scratch)
    assert run.total is not None
    before = sum_up(out, run.number)
    if run.total:
        _hand_out(replace(errand, number=run.number), run.total, cluster, workers)
    after, reasons = sum_up(out, run.number), []
    if after.failed:
        reasons = write_failures(out, run.number, scratch)
    replace(run, is_over=True).save(out, scratch)
    return Ended(before, after, run.total, listing, reasons)


def _hand_out(errand: Errand, total: int, cluster: Cluster, workers: int) -> None:
    """Let the workers restore what is not done of the manifest.

    Raises:
        LdrpsError: what no picture could be restored with, or no result be written.
    """
    import ray
    from ray.data import ActorPoolStrategy, DataContext
    from ray.data.checkpoint import CheckpointConfig

    from ldrps.distributed.tables import DONE, ID, MANIFEST, OUTCOMES, arrow_files

    logging.getLogger("ray.data").setLevel(logging.WARNING)  # which importing it has set
    out, files = errand.out, arrow_files(errand.out)
    context = DataContext.get_current()
    context.checkpoint_config = CheckpointConfig(
        ID, out.at(DONE), override_filesystem=files, delete_checkpoint_on_success=False
    )
    context.enable_progress_bars = sys.stderr.isatty()
    if hasattr(context, "use_datasource_v2"):  # which starts 32 processes to look at tables, however small
        context.use_datasource_v2 = False
    try:
        rows: Dataset = ray.data.read_parquet(out.at(MANIFEST), filesystem=files)
        rows = rows.repartition(target_num_rows_per_block=TOGETHER).map_batches(
            _Actor,
            batch_size=None,
            batch_format="pyarrow",
            fn_constructor_args=[errand],
            compute=ActorPoolStrategy(size=workers, max_tasks_in_flight_per_actor=IN_FLIGHT),
            num_cpus=cluster.threads,
            num_gpus=cluster.gpus or None,
        )
        rows.write_parquet(
            out.at(OUTCOMES), filesystem=files, min_rows_per_file=min(MOST_ROWS, max(TOGETHER, total // _MOST_FILES))
        )
    except ray.exceptions.RayError as error:
        raise _of_ours(error) or error from None
    finally:
        context.checkpoint_config = None


class _Actor:
    """A worker, as Ray Data calls it."""

    def __init__(self, errand: Errand) -> None:
        self._errand = errand
        self._worker: Worker | None = None

    def __call__(self, pictures: pa.Table) -> pa.Table:
        import pyarrow as pa

        from ldrps.distributed.tables import ROWS

        if self._worker is None:  # here, as Ray passes on what a call raises, and starts anew what could not be started
            self._worker = Worker(self._errand)
        columns = (pictures[name].to_pylist() for name in ("id", "key", "target"))
        return pa.Table.from_pylist(self._worker(zip(*columns, strict=True)), schema=ROWS)


def _of_ours(error: BaseException) -> LdrpsError | None:
    """The error of ours that one of Ray's is about; None where it is about none."""
    about: BaseException | None = error
    while about is not None:
        cause = getattr(about, "cause", None)  # of Ray's; which is of our class too, with a traceback for a message
        if isinstance(cause, LdrpsError):
            return cause
        about = cause or about.__cause__
    return None


@contextmanager
def _ray(cluster: Cluster) -> Iterator[int]:
    """Within this, Ray runs; gives how many workers there is room for, or as many as are wanted.

    Raises:
        InputError: there is no such cluster, or it is too small.
    """
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # nothing is sent to anybody
    import ray

    assert cluster.threads is not None
    options: dict[str, Any] = {"logging_level": logging.WARNING, "namespace": "ldrps"}
    if cluster.address == LOCAL:
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        workers = cluster.workers or max(1, cores // cluster.threads)
        # What is not restoring takes next to no time: it gets CPUs on paper, beside those of the workers.
        options |= {"num_cpus": workers * cluster.threads + _OTHERS, "include_dashboard": False}
    try:
        ray.init(address=cluster.address, **options)
    except Exception as error:  # of many kinds, some without a class of their own
        remedy = "close other programs" if cluster.address == LOCAL else f"start one (ray start), or give --ray {LOCAL}"
        raise InputError(f"Ray cannot be had at {cluster.address} ({in_short(error)}): {remedy}") from error
    try:
        yield _room(cluster, ray.cluster_resources())
    finally:
        ray.shutdown()


def _room(cluster: Cluster, resources: dict[str, float]) -> int:
    """How many workers there is room for in a cluster, or as many as are wanted.

    Raises:
        InputError: it is too small.
    """
    assert cluster.threads is not None
    cpus, gpus = resources.get("CPU", 0.0), resources.get("GPU", 0.0)
    room = int((cpus - _OTHERS) // cluster.threads)
    if cluster.gpus:
        room = min(room, int(gpus // cluster.gpus))
    if room < (cluster.workers or 1):
        raise InputError(
            f"the cluster has {cpus:g} CPUs and {gpus:g} GPUs, which is room for {max(room, 0)} workers of "
            f"{cluster.threads} threads and {cluster.gpus:g} GPUs, beside {_OTHERS} CPUs that Ray needs: give it "
            "more, or fewer --jobs"
        )
    return cluster.workers or room
