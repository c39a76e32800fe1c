"""Every (contender, set, picture, seed) once: what is not in the store yet is computed and put there."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import lru_cache
from multiprocessing import connection
from pathlib import Path

from ldrps.bench.captions import Captions
from ldrps.bench.contenders import Attempt, Contender, Problem
from ldrps.bench.data import DataSet, Pair
from ldrps.bench.inputs import InputMarks, mask_of, prepare
from ldrps.bench.judges import Judges
from ldrps.bench.store import Key, Row, Store
from ldrps.log import log_to_stderr
from ldrps.memory import peak_mib, reset_peak
from ldrps.printable import printable


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
    while left:
        suspects = yield from _until_broken(left, store, judges, workers)
        for task in suspects:  # alone, to find out which of them it was
            if (yield from _until_broken(deque([task]), store, judges, 1)):
                row = Row(task.key, {}, 0.0, None, "the process that computed it was killed: out of memory?")
                store.add(row)
                yield row


def _until_broken(
    left: deque[BenchTask], store: Store, judges: Judges, workers: int
) -> Generator[Row, None, Collection[BenchTask]]:
    """Compute what is left, taking it away; returns the tasks that were at work when a worker died, or nothing."""
    threads = max(1, (os.cpu_count() or 1) // workers)
    context = multiprocessing.get_context("spawn")
    running: dict[Future[Row], BenchTask] = {}
    with ProcessPoolExecutor(workers, context, initializer=_start, initargs=(threads,)) as pool:
        try:
            while left or running:
                while left and len(running) <= workers:  # one in reserve, so that no worker waits
                    running[pool.submit(carry_out, left[0], judges)] = left[0]
                    left.popleft()
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    row = future.result()
                    store.add(row)
                    del running[future]
                    yield row
        except BrokenProcessPool:
            return running.values()
        except BaseException:  # Ctrl-C, or a consumer that is done: what is at work is not worth waiting for
            for worker in multiprocessing.active_children():
                worker.terminate()
            raise
    return []


def carry_out(task: BenchTask, judges: Judges) -> Row:
    """Restore one picture and score the result; any failure becomes the row's error."""
    from ldrps.bench.scores import score

    seconds = 0.0
    try:
        attempt = _built(task.contender)
        damaged, truth = prepare(task.dataset, task.pair)
        mask = mask_of(task.dataset, task.pair, damaged)
        seed, enlarge = task.key.seed, task.dataset.enlarge
        problem = Problem(damaged, task.pair.source, truth, task.caption, seed, enlarge, mask)
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


def _start(threads: int) -> None:
    """Set up a worker."""
    import torch

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that people see
    log_to_stderr()
    if "OMP_NUM_THREADS" not in os.environ:  # else the user has decided
        torch.set_num_threads(threads)
    parent = multiprocessing.parent_process()
    assert parent is not None
    threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    connection.wait([sentinel])
    os._exit(1)  # the benchmark was killed: nobody is there to take a result
