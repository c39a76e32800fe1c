"""A worker of a cluster, without the cluster."""

from __future__ import annotations

import hashlib
import os
import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import noisy
from PIL import Image

import ldrps
from ldrps.distributed.state import Pinned
from ldrps.distributed.store import Store
from ldrps.distributed.worker import Errand, Worker, versions
from ldrps.errors import OutputError, SettingsError
from ldrps.run.handle import Handle
from ldrps.run.job import Job, Output
from ldrps.run.pool import ProcessPool
from ldrps.run.recipe import OwnMethod, Recipe
from ldrps.run.restoring import Restoring
from ldrps.run.share import Share

pytest.importorskip("fsspec")
pytestmark = pytest.mark.usefixtures("quick_start")
NAMES = ("a.png", "deep/b.jpg", "c.gif", "bad.png", "gone.png")
TARGETS = ("a.png", "deep/b.jpg", "c.gif.png", "bad.png", "gone.png")


@pytest.fixture
def errand(tmp_path: Path, tiny_prior_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Errand:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    for number, name in enumerate(NAMES[:3]):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(noisy(seed=number)).save(path)
    (tmp_path / "in" / "bad.png").write_bytes(b"no picture")
    recipe = Recipe(OwnMethod(ldrps.preset("fast"), str(tiny_prior_folder)), Output())
    here = versions()
    pinned = Pinned("float32", 1, 2**31, here["ldrps"], here["torch"])
    return Errand(recipe, pinned, Store.of(str(tmp_path / "in")), Store.of(str(tmp_path / "out")), 4)


@contextmanager
def working(errand: Errand) -> Iterator[Worker]:
    with closing(Worker(errand)) as worker:
        yield worker


def rows_of(worker: Worker) -> list[dict[str, Any]]:
    return worker((n, os.fsencode(a), os.fsencode(b)) for n, (a, b) in enumerate(zip(NAMES, TARGETS, strict=True)))


def test_its_results_are_those_of_one_machine(errand: Errand, tmp_path: Path) -> None:
    with working(errand) as worker:
        rows = rows_of(worker)
        scratch = Path(worker._scratch.name)
        assert scratch.is_dir() and list(scratch.iterdir()) == [], "what was fetched is gone"
    assert not scratch.exists()
    assert [row["state"] for row in rows] == ["done"] * 3 + ["failed"] * 2
    assert [row["id"] for row in rows] == list(range(5)) and {row["number"] for row in rows} == {4}
    assert rows[3]["reason"] == (
        f"{tmp_path / 'in' / 'bad.png'} is not an image of a known format: "
        "give one of PNG, JPEG, MPO, WEBP, TIFF, BMP, GIF, AVIF, HEIC"
    )
    assert rows[4]["reason"].startswith(f"{tmp_path / 'in' / 'gone.png'} cannot be read (FileNotFoundError")
    assert all("float32" in row["machine"] and row["machine"] != ", float32" for row in rows)
    found = sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.*"))
    assert found == sorted(TARGETS[:3])
    with Restoring(errand.recipe).open(Share.of(1)) as carry:
        for row, name, target in zip(rows, NAMES[:3], TARGETS[:3], strict=False):
            job = Job(tmp_path / "in" / name, tmp_path / "alone" / target)
            carry(job, lambda tick: True)
            data = (tmp_path / "out" / target).read_bytes()
            assert data == job.target.read_bytes()
            assert (row["size"], row["digest"]) == (len(data), hashlib.sha256(data).hexdigest())


def test_what_is_beside_a_result_comes_first(errand: Errand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put: list[str] = []
    before = Store.put

    def noted(self: Store, key: str, path: Path) -> None:
        put.append(key)
        before(self, key, path)

    monkeypatch.setattr(Store, "put", noted)
    recipe = replace(errand.recipe, output=Output(compare=True))
    with working(replace(errand, recipe=recipe)) as worker:
        assert [row["state"] for row in worker([(0, b"deep/b.jpg", b"deep/b.jpg")])] == ["done"]
    assert put == ["deep/b.jpg.compare.png", "deep/b.jpg"]


def test_a_process_that_dies_once_costs_nothing(errand: Errand, monkeypatch: pytest.MonkeyPatch) -> None:
    submit, killed = ProcessPool.submit, list[int]()

    def dies(self: ProcessPool[Any, Any], job: Job, on_tick: Any = None) -> Handle[Any, Any]:
        handle = submit(self, job, on_tick)
        if limit > len(killed):
            killed.append(self._members[0].process.pid or 0)
            while not self._members[0].is_ready:
                self.wait(0.1)
            os.kill(killed[-1], signal.SIGKILL)
        return handle

    monkeypatch.setattr(ProcessPool, "submit", dies)
    limit = 1
    with working(errand) as worker:
        assert [row["state"] for row in worker([(0, b"a.png", b"a.png")])] == ["done"] and len(killed) == 1
        limit = 3  # and a picture that kills its process each time is a failure, after which others go on
        (failed, done) = worker([(0, b"a.png", b"a.png"), (1, b"deep/b.jpg", b"deep/b.jpg")])
    assert (failed["state"], done["state"]) == ("failed", "done") and "ended by signal 9" in failed["reason"]


def test_where_nothing_can_be_written_it_stops(errand: Errand, tmp_path: Path) -> None:
    (tmp_path / "out").write_bytes(b"a file in the place of the folder")
    with working(errand) as worker, pytest.raises(OutputError, match="stopped after 2 results in a row"):
        rows_of(worker)


def test_a_machine_with_another_torch_is_refused(errand: Errand) -> None:
    pinned = replace(errand.pinned, torch="1.0")
    with pytest.raises(SettingsError, match=rf"torch is {torch.__version__.partition('+')[0]} on .* begun with 1\.0"):
        Worker(replace(errand, pinned=pinned))
