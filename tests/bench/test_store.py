"""The store of results: durable, unique, shared by processes."""

from __future__ import annotations

import math
import multiprocessing
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from ldrps.bench.store import Key, Row, Store
from ldrps.errors import OutputError


def row(image: str, psnr: float = 20.0, **given: object) -> Row:
    return Row(Key("default #1", "lol", image, 0, "ab"), {"psnr_rgb": psnr}, 1.5, 300.0, **given)  # type: ignore[arg-type]


def add_many(path: Path, start: int) -> None:
    store = Store(path)
    for number in range(start, start + 20):
        store.add(row(str(number)))


def test_rows_come_back_as_they_were(tmp_path: Path) -> None:
    store = Store(tmp_path / "deep" / "rows.sqlite")
    rows = [row("a", math.inf), row("b", details={"protocol": {"crop": 0}})]
    failed = Row(Key("default #1", "lol", "c", 0, "ab"), {}, 0.0, None, "InputError: no")
    for each in (*rows, failed):
        store.add(each)
    assert list(Store(store.path).rows()) == [*rows, failed]


def test_a_row_is_there_once(tmp_path: Path) -> None:
    store = Store(tmp_path / "rows.sqlite")
    store.add(row("a", 20))
    store.add(row("a", 21))
    assert [r.scores["psnr_rgb"] for r in store.rows()] == [21]


def test_another_input_is_another_row(tmp_path: Path) -> None:
    store = Store(tmp_path / "rows.sqlite")
    rows = [Row(Key("default #1", "lol", "a", 0, inputs), {"psnr_rgb": 20.0}, 1.0) for inputs in ("one", "other")]
    for each in rows:
        store.add(each)
    assert list(store.rows()) == rows


def test_rows_that_name_no_input_are_not_taken(tmp_path: Path) -> None:
    path = tmp_path / "rows.sqlite"
    columns = "contender, dataset, image, seed, error, scores, seconds, peak_mb, details"
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(f"CREATE TABLE rows ({columns}, PRIMARY KEY (contender, dataset, image, seed))")
        database.execute("INSERT INTO rows VALUES ('default #1', 'lol', 'a', 0, NULL, '{}', 1.0, NULL, '{}')")
    store = Store(path)
    assert list(store.rows()) == []
    store.add(row("a"))
    assert list(store.rows()) == [row("a")]


def test_several_processes_write_at_once(tmp_path: Path) -> None:
    path = tmp_path / "rows.sqlite"
    Store(path)
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=add_many, args=(path, 20 * number)) for number in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0, 0, 0, 0]
    assert len(list(Store(path).rows())) == 80


def test_what_was_added_survives_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "rows.sqlite"
    program = f"""
import os, signal
from pathlib import Path
from ldrps.bench.store import Key, Row, Store
store = Store(Path({str(path)!r}))
for number in range(5):
    store.add(Row(Key("c", "s", str(number), 0, ""), {{}}, 0.0))
os.kill(os.getpid(), signal.SIGKILL)
"""
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == -9
    assert len(list(Store(path).rows())) == 5


def test_a_file_that_is_no_store_is_refused_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("my notes, much longer than a header of a data base file would ever be " * 20)
    with pytest.raises(OutputError, match=r"no store of results.*give another --store"):
        Store(path)
    assert path.read_text().startswith("my notes")


@pytest.mark.parametrize(
    ("column", "value"),
    [
        *[("scores", value) for value in ("", "{", "[]", "7", '{"psnr_rgb": "20"}', '{"psnr_rgb": null}', b"{}")],
        *[("scores", "[" * 100_000)],
        *[("seconds", value) for value in ("long", b"1", math.inf)],
        *[("peak_mb", value) for value in ("much", b"1")],
        *[("error", value) for value in (b"no",)],
        *[("details", value) for value in ("null", '{"judges": 1}', '{"judges": [1]}', '{"protocol": {"lpips": 1}}')],
        *[("seed", value) for value in ("first", 0.5, b"0")],
        *[(name, b"a") for name in ("contender", "dataset", "image", "inputs")],
    ],
    ids=lambda value: ascii(value)[:20],
)
def test_a_row_that_somebody_else_has_written(tmp_path: Path, column: str, value: object) -> None:
    store = Store(tmp_path / "rows.sqlite")
    store.add(row("a"))
    with closing(sqlite3.connect(store.path)) as database, database:
        database.execute(f"UPDATE results SET {column} = ?", (value,))
    with pytest.raises(
        OutputError, match=rf"holds what no ldrps wrote \({column}.*move it away, or give another --store"
    ):
        store.rows()


def test_text_that_is_no_text_is_read(tmp_path: Path) -> None:
    store = Store(tmp_path / "rows.sqlite")
    store.add(row("a"))
    with closing(sqlite3.connect(store.path)) as database, database:
        database.execute("UPDATE results SET error = CAST(x'ff00' AS TEXT)")
    assert [each.error for each in store.rows()] == ["\udcff\0"]
