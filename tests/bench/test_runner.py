"""Rows are computed once, whatever happens to the processes that compute them."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
import torch
from conftest import until
from PIL import Image

from ldrps.bench import judges
from ldrps.bench.captions import Captions
from ldrps.bench.contenders import Contender, Problem
from ldrps.bench.data import data_set
from ldrps.bench.judges import Judges
from ldrps.bench.runner import BenchTask, picture_path, run, tasks, unsettled
from ldrps.bench.store import Key, Row, Store
from ldrps.metrics import Niqe

NOBODY = Judges()


def save_niqe(path: Path, mean: float) -> None:
    Niqe(torch.full((36,), mean), torch.eye(36)).save(path)


class Doomed(Contender):
    """Its worker is killed, as by a system that is out of memory, when it comes to picture 2."""

    def build(self):
        def attempt(problem: Problem) -> Image.Image:
            if problem.source.stem == "2":
                os.kill(os.getpid(), signal.SIGKILL)
            return problem.damaged

        return attempt


def wanted(root: Path, *contenders: Contender, seeds: int = 1) -> list[BenchTask]:
    dataset = data_set("lol")
    pairs = dataset.pairs(root)
    captions = {dataset.name: Captions(dataset, pairs, root)}
    return tasks(contenders, [(dataset, pairs)], seeds, root.parent / "pictures", captions)


def test_every_row_once_and_again_nothing(root: Path) -> None:
    store, todo = Store(root.parent / "rows.sqlite"), wanted(root, Contender("identity"), Contender("stretch"))
    rows = list(run(unsettled(todo, store, NOBODY), store, NOBODY, workers=2))
    assert {row.key for row in rows} == {task.key for task in todo}
    assert list(store.rows()) == sorted(rows, key=lambda row: (row.key.contender, row.key.image))
    assert all(row.error is None and row.seconds > 0 and "psnr_rgb" in row.scores for row in rows)
    assert unsettled(todo, store, NOBODY) == []
    for task in todo:
        assert Image.open(picture_path(root.parent / "pictures", task.key)).size == (48, 40)


def test_a_failure_is_a_row_with_its_reason(root: Path) -> None:
    (root / "lol" / "input" / "2.png").write_bytes(b"no picture")
    store, todo = Store(root.parent / "rows.sqlite"), wanted(root, Contender("identity"))
    rows = {row.key.image: row for row in run(todo, store, NOBODY)}
    assert [rows[name].error is None for name in ("1", "2", "10")] == [True, False, True]
    assert "2.png cannot be read" in str(rows["2"].error)
    assert unsettled(todo, store, NOBODY) == []
    assert [task.key.image for task in unsettled(todo, store, NOBODY, retry=True)] == ["2"]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_worker_that_is_killed_costs_one_row(root: Path, workers: int) -> None:
    store, todo = Store(root.parent / "rows.sqlite"), wanted(root, Doomed("identity"))
    rows = {row.key.image: row.error for row in run(todo, store, NOBODY, workers=workers)}
    assert rows == {"1": None, "2": "the process that was at it ended by signal 9; was it out of memory?", "10": None}
    assert {row.key.image: row.error for row in store.rows()} == rows


def test_a_row_without_a_judge_that_is_there_now_is_computed_again(root: Path, tmp_path: Path) -> None:
    store, todo = Store(root.parent / "rows.sqlite"), wanted(root, Contender("identity"))
    now = Judges(niqe=tmp_path / "model.npz")
    (tmp_path / "model.npz").write_bytes(b"a model")
    store.add(Row(todo[0].key, {"psnr_rgb": 1.0}, 1.0, details={"judges": []}))
    store.add(Row(todo[1].key, {"psnr_rgb": 1.0}, 1.0, details={"judges": now.marks}))
    assert [task.key for task in unsettled(todo, store, now)] == [todo[0].key, todo[2].key]
    assert [task.key for task in unsettled(todo, store, NOBODY)] == [todo[2].key]


def test_a_row_that_was_judged_by_other_weights_is_computed_again(root: Path, tmp_path: Path) -> None:
    store, todo = Store(root.parent / "rows.sqlite"), wanted(root, Contender("identity"))
    model = tmp_path / "model.npz"
    save_niqe(model, 1.0)
    now = Judges(niqe=model)
    list(run(todo, store, now))
    assert unsettled(todo, store, now) == []
    save_niqe(model, 2.0)
    judges._digest.cache_clear()  # as in another process
    assert unsettled(todo, store, now) == todo


def test_only_what_is_random_has_several_seeds(root: Path) -> None:
    assert len(wanted(root, Contender("identity"), seeds=3)) == 3
    ours = wanted(root, Contender("ldrps", "default"), seeds=3)
    assert sorted({task.key.seed for task in ours}) == [0, 1, 2]
    assert all((task.picture is not None) == (task.key.seed == 0) for task in ours)


# `ldrps` that is killed at a random instant from when it stores a row on, the n-th that it computed; it stores no more
# than two others, however long that takes to come about. 0 is never.
DOOMED = """
import os, random, signal, sys, threading, time
from ldrps.bench.store import Store
from ldrps.cli import main
n, seed, stored, add = int(sys.argv.pop(1)), int(sys.argv.pop(1)), [], Store.add
def add_and_die(self, row):
    stored.append(row)
    if len(stored) == n:
        instant = random.Random(seed).uniform(0, 0.05)
        threading.Timer(instant, os.kill, (os.getpid(), signal.SIGKILL)).start()
    add(self, row)
    if n and len(stored) == n + 2:
        time.sleep(600)
Store.add = add_and_die
main()
"""


def test_a_run_that_is_killed_goes_on_where_it_was(root: Path) -> None:
    """Killed at random instants in the middle, and then not: no row lost, none computed that was there."""
    out = root.parent / "bench"
    names = ["identity", "autogamma", "stretch", "meanstd"]
    command = ["bench", "lol", "--method", ",".join(names), "--store", str(out)]
    seen: dict[tuple[str, str], float] = {}
    for seed, n in enumerate((1, 3, 1, 0)):
        words = [sys.executable, "-c", DOOMED, str(n), str(seed), *command]
        finished = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert finished.returncode == (-signal.SIGKILL if n else 0)
        rows = stamped(out / "rows.sqlite")
        assert {key: rows.get(key) for key in seen} == seen, "a row is never lost and never written again"
        assert len(rows) >= len(seen) + n - 1
        seen = rows
    assert len(seen) == 3 * len(names)
    assert [f"| {name} |" in finished.stdout for name in names] == [True] * len(names)


def stamped(path: Path) -> dict[tuple[str, str], float]:
    """The rows' keys with their seconds, which no second computation would repeat."""
    if not path.exists():
        return {}
    with closing(sqlite3.connect(path)) as database:
        try:
            return {(c, i): s for c, i, s in database.execute("SELECT contender, image, seconds FROM results")}
        except sqlite3.OperationalError:  # killed before the table was made
            return {}


def test_workers_end_with_the_benchmark(root: Path) -> None:
    out = root.parent / "bench"
    command = [sys.executable, "-m", "ldrps", "bench", "lol", "--method", "oracle-tone", "--store", str(out)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    children: list[int] = []

    def has_started() -> bool:  # the tracker and a worker
        listed = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
        children[:] = map(int, listed.split())
        return len(children) > 1

    until(has_started)
    process.kill()
    process.wait()
    until(lambda: not any(alive(pid) for pid in children))


if not Path("/proc/self/task").exists():
    test_workers_end_with_the_benchmark = pytest.mark.skip(reason="needs /proc")(test_workers_end_with_the_benchmark)


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_keys_name_their_pictures() -> None:
    key = Key("default, steps 3 #abc", "lol", "1", 0, "ef")
    assert picture_path(Path("p"), key) == Path("p/abc/lol/1-ef.png")
