"""Every (contender, set, picture, seed) once: what is not in the store yet is computed and put there."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ldrps.bench.captions import Captions
from ldrps.bench.contenders import Attempt, Contender, Problem
from ldrps.bench.data import DataSet, Pair
from ldrps.bench.inputs import InputMarks, mask_of, prepare
from ldrps.bench.judges import Judges
from ldrps.bench.store import Key, Row, Store
from ldrps.memory import peak_mib, reset_peak
from ldrps.printable import printable
from ldrps.run.handle import Handle, WorkerLost
from ldrps.run.pool import ProcessPool
from ldrps.run.share import Share
from ldrps.run.work import Carry

_PAUSE = 60.0  # seconds; a row that is done ends it


@dataclass(frozen=True)
class BenchTask:
    """One row to compute."""

    key: Key
    contender: Contender
    dataset: DataSet
    pair: Pair
    caption: str
    picture: Path | None  # where to keep the result, for the report


def tasks(
    contenders: Sequence[Contender],
    sets: Sequence[tuple[DataSet, Sequence[Pair]]],
    seeds: int,
    pictures: Path,
    captions: Mapping[str, Captions],
) -> list[BenchTask]:
    """All rows that a benchmark wants. A contender without randomness is run with one seed. `captions`: of each set."""
    wanted, marks = [], InputMarks()
    for contender in contenders:
        fingerprint = contender.fingerprint()
        for dataset, pairs in sets:
            for seed in range(seeds if contender.is_random else 1):
                for pair in pairs:
                    caption = captions[dataset.name](contender.captions, pair.name)
                    inputs = marks.mark(dataset, pair, caption, contender.finished(pair.source))
                    key = Key(fingerprint, dataset.name, pair.name, seed, inputs)
                    keep = picture_path(pictures, key) if seed == 0 else None
                    wanted.append(BenchTask(key, contender, dataset, pair, caption, keep))
    return wanted


def picture_path(folder: Path, key: Key) -> Path:
    """Where the result of a key is kept."""
    return folder / key.contender.rpartition("#")[2] / key.dataset / f"{key.image}-{key.inputs}.png"


def unsettled(wanted: Sequence[BenchTask], store: Store, judges: Judges, retry: bool = False) -> list[BenchTask]:
    """What the store has no row of, or one that lacks a judge or had another; with `retry`, failures too."""
    there = {row.key: row for row in store.rows()}

    def settled(row: Row) -> bool:
        if row.error is not None:
            return not retry
        return set(judges.marks) <= set(row.details.get("judges", ()))

    return [task for task in wanted if task.key not in there or not settled(there[task.key])]


def run(missing: Sequence[BenchTask], store: Store, judges: Judges, *, workers: int = 1) -> Iterator[Row]:
    """Compute rows in `workers` processes of their own, and yield each once it is stored.

    A worker that dies (of memory, most often) costs the row that it was at, which becomes a failure, and no other. A
    worker stops by itself when this process is gone.
    """
    left = deque(missing)
    on_cpu = all(task.contender.device == "cpu" for task in missing)
    with closing(ProcessPool(Benching(judges, on_cpu), workers)) as pool:
        while left or pool.is_busy:
            while left and pool.has_room:
                pool.submit(left.popleft())
            for handle in pool.wait(_PAUSE):
                row = _row(handle)
                store.add(row)
                yield row


@dataclass(frozen=True)
class Benching:
    """Computes rows. A `Work`; what goes wrong with a row is in it.

    Attributes:
        judges: of the results.
        on_cpu: whether nothing is computed elsewhere.
    """

    judges: Judges
    on_cpu: bool = True

    @property
    def preload(self) -> list[str]:
        return ["ldrps.bench.scores", "ldrps.restorer"] if self.on_cpu else []

    @contextmanager
    def open(self, share: Share) -> Iterator[Carry[BenchTask, Row]]:
        """See `Work.open`; contenders are loaded with their first row."""
        yield lambda task, report: compute(task, self.judges, share.bytes)


def _row(handle: Handle[BenchTask, Row]) -> Row:
    try:
        return handle.result()
    except WorkerLost as lost:
        return Row(handle.job.key, {}, 0.0, None, str(lost))


def compute(task: BenchTask, judges: Judges, max_bytes: int | None = None) -> Row:
    """Restore one picture, in so much memory or in what is free, and score the result; any failure becomes the row's
    error.
    """
    from ldrps.bench.scores import score

    seconds = 0.0
    try:
        attempt = _built(task.contender)
        damaged, truth = prepare(task.dataset, task.pair)
        mask = mask_of(task.dataset, task.pair, damaged)
        seed, enlarge = task.key.seed, task.dataset.enlarge
        problem = Problem(damaged, task.pair.source, truth, task.caption, seed, enlarge, mask, max_bytes)
        reset_peak()
        began = time.perf_counter()
        result = attempt(problem)
        seconds = time.perf_counter() - began
        peak = peak_mib()
        if task.picture is not None:
            task.picture.parent.mkdir(parents=True, exist_ok=True)
            result.save(task.picture)
        border, shift = task.dataset.border, task.dataset.shift
        scores, protocol = score(result, truth, judges, damaged=damaged, border=border, shift=shift)
    except Exception as error:
        # A benchmark of others' code: whatever it raises is a result, not the end of the run.
        return Row(task.key, {}, seconds, None, printable(f"{type(error).__name__}: {error}"))
    return Row(task.key, scores, seconds, peak, None, {"protocol": protocol, "judges": judges.marks})


@lru_cache(maxsize=4)
def _built(contender: Contender) -> Attempt:
    return contender.build()
