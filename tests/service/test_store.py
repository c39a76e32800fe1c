from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import until

from ldrps.errors import OutputError
from ldrps.service.limits import Limits
from ldrps.service.rows import Row
from ldrps.service.store import DATABASE, Store
from tests.service.faked import Served, served

ROW = Row("a" * 32, 0, "ann", "key", "digest", "waiting", {"seed": 1}, ("image",), (48, 40), 1.5, 1000.0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "jobs"


def test_what_is_put_in_comes_out_for_its_owner(folder: Path) -> None:
    with closing(Store(folder)) as store:
        row = store.add(ROW)
        assert row == replace(ROW, number=1)
        assert store.find(row.id, "ann") == row
        assert store.find(row.id, "bob") is None
        assert store.known("ann", "key") == row and store.known("bob", "key") is None
        store.finish(row.id, "done", file="result.png", record={"loss": float("nan"), "size": (1, 2)})
        done = store.find(row.id, "ann")
        assert done is not None and done.record == {"loss": None, "size": [1, 2]}
        assert store.waiting() == [] and store.over() == [done]
        with pytest.raises(KeyError):
            store.add(replace(ROW, id="b" * 32))
        store.delete(row.id)
        assert store.find(row.id, "ann") is None


def test_a_folder_is_one_servers_until_it_ends(folder: Path) -> None:
    first = Store(folder)
    with pytest.raises(OutputError, match="in use by another server"):
        Store(folder)
    first.close()
    Store(folder).close()


def test_what_a_server_was_at_when_it_died_waits_again_but_not_for_ever(folder: Path) -> None:
    store = Store(folder)
    store.add(ROW)
    store.add(replace(ROW, id="b" * 32, key=None))
    for name, tries in ((ROW.id, 1), ("b" * 32, 3)):
        store.update(name, state="running", began=1.0, tries=tries)
        store.place(name).mkdir()
    store.add(replace(ROW, id="c" * 32, key=None))
    store.disown("c" * 32)
    (folder / ("d" * 32)).mkdir()  # of a request that had not arrived
    (folder / "mine.txt").write_text("not theirs")
    with store._writing() as database:  # as after a kill: the process is gone
        database.execute("UPDATE server SET pid = 2147483646, born = 'never'")
    store._database.close()
    with closing(Store(folder)) as again:
        assert [row.id for row in again.waiting()] == [ROW.id]
        (failed,) = again.over()
        assert (failed.id, failed.status) == ("b" * 32, 500) and "3 times" in failed.reason
        assert sorted(path.name[:1] for path in folder.iterdir() if path.is_dir()) == ["a", "b"]
        assert (folder / "mine.txt").exists()


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE jobs SET id = '../../etc'",
        "UPDATE jobs SET file = '../jobs.sqlite'",
        "UPDATE jobs SET parts = 'image passwd'",
        "UPDATE jobs SET ask = '[]'",
        "UPDATE jobs SET state = 'lost'",
        "UPDATE jobs SET cost = 'much'",
    ],
)
def test_what_no_ldrps_wrote_is_an_error_that_names_the_file(folder: Path, change: str) -> None:
    with closing(Store(folder)) as store:
        store.add(ROW)
        with closing(sqlite3.connect(folder / DATABASE)) as database, database:
            database.execute(change)
        with pytest.raises(OutputError, match=r"jobs\.sqlite holds what no ldrps wrote"):
            assert store.waiting() + store.over() + [store.known("ann", "key")]


def test_a_database_of_others_is_left_alone(folder: Path) -> None:
    folder.mkdir()
    with closing(sqlite3.connect(folder / DATABASE)) as database, database:
        database.execute("CREATE TABLE holidays (day TEXT)")
    before = (folder / DATABASE).read_bytes()
    with pytest.raises(OutputError, match="move it away"):
        Store(folder)
    assert (folder / DATABASE).read_bytes() == before


def test_results_are_kept_for_as_long_as_is_promised(tmp_path: Path) -> None:
    with served(tmp_path / "jobs", Limits(keep=1.0)) as serving:
        name = _done(serving)
        until(lambda: serving.http.get(f"/v1/jobs/{name}").status_code == 404)
        until(lambda: not serving.service.store.place(name).exists())  # a moment later


def test_the_oldest_go_where_too_many_are_kept(tmp_path: Path) -> None:
    with served(tmp_path / "jobs", Limits(keep=1e6, kept=1)) as serving:
        serving.service._closed.set()  # the house keeps itself at the test's word
        serving.service._house.join()
        first, second = _done(serving), _done(serving)
        serving.service.tidy()
        assert serving.http.get(f"/v1/jobs/{first}").status_code == 404
        assert serving.job(second)["state"] == "done"


def test_jobs_that_were_not_over_are_done_by_the_next_server(tmp_path: Path) -> None:
    with served(tmp_path / "jobs", tokens=("token-of-ann",)) as serving:
        ann = {"Authorization": "Bearer token-of-ann"}
        names = [serving.give('{"seed": 3}', **ann).json()["id"] for _ in range(3)]
        until(lambda: serving.job(names[0], **ann)["state"] == "running")
        serving.pool.let(2)
    with served(tmp_path / "jobs", tokens=("token-of-ann",)) as serving:
        serving.pool.let(100)
        for name in names:
            until(lambda name=name: serving.job(name, **ann)["state"] == "done")
            assert serving.job(name, **ann)["record"]["seed"] == 3
        assert serving.pool.done == names


def _done(serving: Served) -> str:
    name = str(serving.give().json()["id"])
    serving.pool.let()
    until(lambda: serving.service.store.over() and serving.service.queue.live(name) is None)
    return name
