"""SQLite files that anybody may have put in the place of ours: each user of them refuses them in words."""

from __future__ import annotations

import logging
import os
import socket
import sqlite3
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from ldrps.bench.store import Key, Row, Store
from ldrps.caption import cache
from ldrps.caption.base import Caption
from ldrps.caption.cache import CaptionCache
from ldrps.errors import OutputError
from ldrps.folders import manifest as manifests
from ldrps.folders.manifest import Manifest, check_manifest, status_of
from ldrps.folders.names import MANIFEST
from ldrps.folders.status import Place
from ldrps.run.job import Job, Output

Use = Callable[[Path], str]  # of a file of that path in a folder that is there; why it was refused, "" for not at all
Fault = Callable[[Path], object]


def place(root: Path) -> Place:
    return Place(root, "recipe", Output(), time.time())


def run(path: Path) -> str:
    try:
        with closing(Manifest(place(path.parent))):
            return ""
    except OutputError as error:
        return str(error)


def plan(path: Path) -> str:
    (path.parent.parent / "a.png").write_text("picture")
    job = Job(path.parent.parent / "a.png", path.parent / "a.png")
    said = []
    for look in (lambda: check_manifest(place(path.parent)), lambda: status_of(job, place(path.parent))):
        try:
            look()
        except OutputError as error:
            said.append(str(error))
    assert not said or said[0] == said[1]
    return said[0] if said else ""


def bench(path: Path) -> str:
    try:
        store = Store(path)
        store.add(Row(Key("a", "b", "c", 0, "d"), {}, 1.0))
        return "" if store.rows() else "lost"
    except OutputError as error:
        return str(error)


class _Notes(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())


def ask(path: Path) -> str:
    notes = _Notes()
    cache.logger.addHandler(notes)
    try:
        captions = CaptionCache(path)
        captions.put("key", Caption("a boat"))
        kept = captions.get("key")
    finally:
        cache.logger.removeHandler(notes)
    assert (kept is None) == bool(notes.said)
    return "".join(notes.said)


USES = {"run": run, "plan": plan, "bench": bench, "captions": ask}
REMEDIES = {
    "run": "give another --out",
    "plan": "give another --out",
    "bench": "give another --store",
    "captions": "set LDRPS_CACHE to another folder",
}


@pytest.fixture(params=USES)
def use(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(manifests, "_PATIENCE", 0.1)
    monkeypatch.setattr("ldrps.bench.store._PATIENCE", 0.1)
    monkeypatch.setattr(cache, "_WAIT", 0.1)
    return request.param


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "folder").mkdir()
    return tmp_path / "folder" / MANIFEST


def sql(*statements: str) -> Fault:
    def change(path: Path) -> None:
        with closing(sqlite3.connect(path)) as database, database:
            for statement in statements:
                database.execute(statement)

    return change


def other_database(path: Path) -> None:
    elsewhere = path.parent.parent / "elsewhere"
    sql("CREATE TABLE t (x)")(elsewhere)
    path.symlink_to(elsewhere)


def listening(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as end:
        before = Path.cwd()
        os.chdir(path.parent)  # such names are short
        try:
            end.bind(path.name)
        finally:
            os.chdir(before)


IN_ITS_PLACE: dict[str, tuple[Fault, str]] = {
    "a link to nowhere": (lambda path: path.symlink_to(path.parent.parent / "elsewhere"), "is a link"),
    "a link to a database": (other_database, "is a link"),
    "a link to itself": (lambda path: path.symlink_to(path), "is a link"),
    "a pipe": (lambda path: os.mkfifo(path), "is no file but"),
    "a folder": (Path.mkdir, "is no file but"),
    "a socket": (listening, "is no file but"),
    "another program's": (sql("CREATE TABLE photos (x)"), "is a database, but no"),
    "another program's mark": (sql("PRAGMA application_id = 77"), "is a database, but no"),
    "another program's version": (sql("PRAGMA user_version = 7"), "is a database, but no"),
    "words": (lambda path: path.write_text("this is no database, but long enough" * 99), "is damaged, or no"),
    "few words": (lambda path: path.write_text("none"), "is damaged, or no"),
}
DONE_TO_OURS: dict[str, tuple[Fault, str]] = {
    "a later version": (sql("PRAGMA user_version = 99"), "was made by a later ldrps, version 99 of its format: update"),
    "a version below any": (sql("PRAGMA user_version = -1"), "is a database, but no"),
    "another mark": (sql("PRAGMA application_id = 77"), "is a database, but no"),
    "cut short": (lambda path: os.truncate(path, 5000), "is damaged, or no"),
    "overwritten": (
        lambda path: path.write_bytes(path.read_bytes()[:4096] + b"\xaa" * (path.stat().st_size - 4096)),
        "is damaged, or no",
    ),
}
for _end in ("-wal", "-shm", "-journal"):
    DONE_TO_OURS[f"a link as {_end}"] = (
        lambda path, end=_end: Path(f"{path}{end}").symlink_to(path.parent.parent / "elsewhere"),
        f"{_end} is a link",
    )
    DONE_TO_OURS[f"a pipe as {_end}"] = (lambda path, end=_end: os.mkfifo(f"{path}{end}"), f"{_end} is no file but")


def contents(folder: Path) -> dict[str, bytes]:
    """All that is there, but for the picture and for what SQLite keeps beside a file while it looks at it."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() and not path.is_symlink() else b""
        for path in folder.rglob("*")
        if path.name != "a.png" and (path.is_symlink() or path.is_fifo() or not path.name.endswith(("-shm", "-wal")))
    }


@pytest.mark.skipif(os.name == "nt", reason="no such links and pipes")
@pytest.mark.parametrize(("fault", "said"), IN_ITS_PLACE.values(), ids=IN_ITS_PLACE)
def test_what_is_in_the_place_of_ours(use: str, path: Path, fault: Fault, said: str) -> None:
    fault(path)
    before = contents(path.parent.parent)
    refused = USES[use](path)
    assert str(path) in refused and said in refused, refused
    assert "move it away" in refused and refused.endswith(REMEDIES[use])
    assert contents(path.parent.parent) == before, "nothing is written or made"


@pytest.mark.skipif(os.name == "nt", reason="no such links and pipes")
@pytest.mark.parametrize(("fault", "said"), DONE_TO_OURS.values(), ids=DONE_TO_OURS)
def test_what_was_done_to_ours(use: str, path: Path, fault: Fault, said: str) -> None:
    USES["run" if use == "plan" else use](path)
    fault(path)
    before = contents(path.parent.parent)
    refused = USES[use](path)
    assert str(path) in refused and said in refused and refused.endswith(REMEDIES[use]), refused
    assert contents(path.parent.parent) == before, "nothing is written or made"


@pytest.mark.parametrize("change", ["ADD COLUMN more TEXT", "RENAME COLUMN {column} TO other"])
def test_other_columns(use: str, path: Path, change: str) -> None:
    USES["run" if use == "plan" else use](path)
    table, column = {"bench": ("results", "seconds"), "captions": ("captions", "source")}.get(use, ("results", "since"))
    sql(f"ALTER TABLE {table} {change.format(column=column)}")(path)
    refused = USES[use](path)
    assert f"{table!r} is not as in a" in refused and "move it away" in refused and refused.endswith(REMEDIES[use])


def test_a_table_of_ours_that_is_a_view(use: str, path: Path) -> None:
    table = "captions" if use == "captions" else "results"
    sql("CREATE TABLE holders (x)", f"CREATE VIEW {table} AS SELECT * FROM holders")(path)
    before = contents(path.parent)
    assert "is not as in a" in USES[use](path)
    assert contents(path.parent) == before


@pytest.mark.parametrize("one", USES)
def test_files_of_ours_are_not_mixed_up(use: str, path: Path, one: str) -> None:
    if one in (use, "plan") or {one, use} == {"run", "plan"}:
        pytest.skip("the same")
    USES[one](path)
    assert "move it away" in USES[use](path)


def test_ours_of_before_there_were_versions(use: str, path: Path) -> None:
    USES["run" if use == "plan" else use](path)
    sql("PRAGMA user_version = 0", "PRAGMA application_id = 0")(path)
    assert USES[use](path) == ""
    with closing(sqlite3.connect(path)) as database:
        version = database.execute("PRAGMA user_version").fetchone()[0]
        marked = database.execute("PRAGMA application_id").fetchone()[0] != 0
    assert (version, marked) == ((0, False) if use in ("plan", "captions") else (1, True))


def test_an_empty_file_is_a_new_one(use: str, path: Path) -> None:
    path.touch()
    assert USES[use](path) == USES[use](path) == ""


def test_a_file_that_another_process_keeps(use: str, path: Path) -> None:
    with ExitStack() as stack:
        other = stack.enter_context(closing(sqlite3.connect(path, isolation_level=None)))
        other.execute("BEGIN EXCLUSIVE")
        refused = USES[use](path)
        assert use == "plan" or ("is locked" in refused and "wait for its end" in refused)
    assert USES[use](path) == ""


@pytest.mark.skipif(os.name == "nt", reason="no such permissions")
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may do anything")
def test_a_file_that_may_not_be_written(use: str, path: Path) -> None:
    USES["run" if use == "plan" else use](path)
    path.chmod(0)
    assert "check the permissions" in USES[use](path)
