"""What a manifest holds, and the one place where a row of it is read: anybody may have written it."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path, PurePath

from ldrps.database import Kind, NotOurs, real, strange, text, whole
from ldrps.folders.alive import Process
from ldrps.folders.status import Row, SeenAs
from ldrps.printable import printable

KIND = Kind(
    name="manifest of ldrps",
    mark=0x4C445250,  # "LDRP"
    version=1,
    tables=(
        "CREATE TABLE IF NOT EXISTS holders ("
        "id INTEGER PRIMARY KEY AUTOINCREMENT, host TEXT NOT NULL, machine TEXT NOT NULL, pid INTEGER NOT NULL,"
        " born TEXT NOT NULL, seen REAL NOT NULL)",
        "CREATE TABLE IF NOT EXISTS results ("
        "target BLOB PRIMARY KEY, state TEXT NOT NULL, holder INTEGER, since REAL NOT NULL,"
        " reason TEXT NOT NULL DEFAULT '', tried_size INTEGER, tried_mtime INTEGER,"
        " source BLOB, size INTEGER, mtime INTEGER, content TEXT, recipe TEXT, made_size INTEGER, made_mtime INTEGER)",
    ),
    instead="give another --out",
)
_ROW = (
    "SELECT state, since, reason, tried_size, tried_mtime, source, size, mtime, content, recipe, made_size, made_mtime,"
    " host, machine, pid, born, seen FROM results LEFT JOIN holders ON holder = id WHERE target = ?"
)
_STATES = ("working", "writing", "done", "failed", "torn")
_MOST_PID = 2**32 - 1


def key_of(target: PurePath) -> bytes:
    """The key of the row of a result, from its path within the folder."""
    return os.fsencode(target)


def row_of(database: sqlite3.Connection, key: bytes) -> Row | None:
    """The row of a result; None where nothing is known of it.

    Raises:
        NotOurs: a value in it is not of the type, or out of the range, that ldrps writes.
    """
    found = database.execute(_ROW, (key,)).fetchone()
    if found is None:
        return None
    state, since, reason, size, mtime, source, was, at, content, recipe, made, made_at, *process = found
    if state not in _STATES:
        raise strange(state, "state")
    seen_as: SeenAs = (_bytes(source, "source"), _count(was, "size"), _count(at, "mtime"))
    holder = None if process[-1] is None else _process(*process)
    return Row(
        state=state,
        since=real(since, "since"),
        reason=printable(text(reason, "reason")),
        tried=(_count(size, "tried_size"), _count(mtime, "tried_mtime")),
        seen_as=seen_as,
        content=_words(content, "content"),
        recipe=_words(recipe, "recipe"),
        made=(_count(made, "made_size"), _count(made_at, "made_mtime")),
        holder=holder,
        seen=0.0 if holder is None else real(process[-1], "seen"),
    )


def latest_of(database: sqlite3.Connection, count: int) -> list[tuple[Path, str]]:
    """Of the latest results, as many as `count`, the picture that each is of and the mark of how it was made.

    Raises:
        NotOurs: as `row_of`.
    """
    asked = (
        "SELECT source, recipe FROM results WHERE state = 'done' AND source IS NOT NULL AND recipe IS NOT NULL"
        " ORDER BY since DESC LIMIT ?"
    )
    return [
        (Path(os.fsdecode(_bytes(source, "source") or b"")), text(recipe, "recipe"))
        for source, recipe in database.execute(asked, (count,))
    ]


def targets(database: sqlite3.Connection) -> list[PurePath]:
    """The paths of all results, within the folder.

    Raises:
        NotOurs: one is no path, or leads out of the folder.
    """
    return [_target(key) for (key,) in database.execute("SELECT target FROM results")]


def _target(key: object) -> PurePath:
    if not isinstance(key, bytes) or not key or b"\0" in key:
        raise strange(key, "target")
    path = PurePath(os.fsdecode(key))
    if path.anchor or ".." in path.parts:
        raise NotOurs(f"has a row about {path}, which is outside of its folder, as no ldrps wrote it: move it away")
    return path


def _process(host: object, machine: object, pid: object, born: object, seen: object) -> Process:
    number = whole(pid, "pid")
    if not 0 < number <= _MOST_PID:
        raise strange(pid, "pid")
    return Process(text(host, "host"), text(machine, "machine"), number, text(born, "born"))


def _bytes(value: object, name: str) -> bytes | None:
    if value is not None and not isinstance(value, bytes):
        raise strange(value, name)
    return value


def _count(value: object, name: str) -> int | None:
    return None if value is None else whole(value, name)


def _words(value: object, name: str) -> str | None:
    return None if value is None else text(value, name)
