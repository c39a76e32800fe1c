"""SQLite files of ours: opened only where they are plain files of a kind that we know; what is wrong is told in words.

Such a file may have been put in its place by anybody. It is looked at before anything is written to it, no link is
followed, and a value that no ldrps wrote is an error.
"""

from __future__ import annotations

import functools
import math
import os
import reprlib
import sqlite3
import stat
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ldrps.errors import LdrpsError, OutputError

_BESIDE = ("", "-wal", "-shm", "-journal")  # SQLite's own files beside a database, which it opens without being asked
_OF_SQLITE = frozenset({"sqlite_sequence", "sqlite_stat1", "sqlite_stat4"})
_PAUSE = 0.02  # seconds between two tries, where SQLite itself does not wait
_REMEDIES = {
    sqlite3.SQLITE_FULL: "make room",
    sqlite3.SQLITE_IOERR: "check the disk, and the room on it",
    sqlite3.SQLITE_CANTOPEN: "check the permissions of the file and its folder",
    sqlite3.SQLITE_READONLY: "check the permissions of the file and its folder",
    sqlite3.SQLITE_PERM: "check the permissions of the file and its folder",
}


@dataclass(frozen=True)
class Kind:
    """What a file is for.

    Attributes:
        name: of the kind, such as "manifest".
        mark: SQLite's application_id of such files.
        version: their user_version, at least 1. Files of the first ldrps have neither, and the tables of version 1.
        tables: the statements that make the tables, each if it is not there.
        former: names of tables that the first ldrps left in such files, and nobody reads.
        instead: what else can be done about a file that cannot be used, such as "give another --out".
    """

    name: str
    mark: int
    version: int
    tables: tuple[str, ...]
    former: frozenset[str] = frozenset()
    instead: str = "give another folder"


class NotOurs(Exception):
    """What is in a file was not written by ldrps; within `blaming`, it becomes an error that names the file."""


def connect(path: Path, patience: float, *, read_only: bool = False, of_threads: bool = False) -> sqlite3.Connection:
    """Open a file, which is made if need be and if it is not for reading only; without transactions of Python's.

    Args:
        patience: seconds to wait for other processes.
        read_only: for the file as it is, beside which nothing is made either, unless a process left a log there.
        of_threads: for several threads, which see to it that one at a time uses it.

    Raises:
        NotOurs: it, or a file that SQLite would open with it, is a link or no file.
        sqlite3.Error: it cannot be opened.
    """
    _refuse_all_but_files(path)
    address = str(path)
    if read_only:
        # Without the log of a process that is at work, or died, SQLite would make one even to read.
        how = "mode=ro" if os.path.lexists(f"{path}-wal") else "mode=ro&immutable=1"
        address = f"file:{quote(os.fsencode(path.absolute()))}?{how}"
    database = sqlite3.connect(
        address, timeout=patience, isolation_level=None, uri=read_only, check_same_thread=not of_threads
    )
    database.text_factory = _decode
    return database


def lacks_tables(database: sqlite3.Connection, kind: Kind) -> bool:
    """Whether tables are still to be made in a file, as in one that is new. Else it is of that kind.

    Raises:
        NotOurs: it is neither, or of a later version.
        sqlite3.Error: it cannot be read, or is no database.
    """
    with _transaction(database, "BEGIN"):  # so that all is of one time, while another process may be making it
        mark, version = _pragma(database, "application_id"), _pragma(database, "user_version")
        found = _tables(database)
    wanted = _wanted(kind)
    if version > kind.version and (mark == kind.mark or (mark == 0 and wanted.keys() <= found.keys())):
        raise NotOurs(f"was made by a later ldrps, version {version} of its format: update")
    is_marked = mark == kind.mark and version > 0
    are_others = found.keys() and not found.keys() & (wanted.keys() | kind.former)
    if not is_marked and ((mark, version) != (0, 0) or are_others):
        raise NotOurs(f"is a database, but no {kind.name}: move it away")
    for name, columns in wanted.items():  # what else is there is none of our business
        if found.get(name, columns) != columns:
            raise NotOurs(f"was made or changed by another program, {name!r} is not as in a {kind.name}: move it away")
    return not wanted.keys() <= found.keys()


def prepare(database: sqlite3.Connection, kind: Kind, patience: float) -> None:
    """Make a file ready to be written by several processes, with the tables of its kind.

    Raises:
        NotOurs: as `lacks_tables`, before anything is written.
        sqlite3.Error: it cannot be written.
    """
    lacks_tables(database, kind)
    _log_ahead(database, patience)
    with alone(database):
        if _pragma(database, "user_version"):
            return
        for statement in kind.tables:
            database.execute(statement)
        database.execute(f"PRAGMA application_id = {kind.mark}")
        database.execute(f"PRAGMA user_version = {kind.version}")


def alone(database: sqlite3.Connection) -> AbstractContextManager[None]:
    """A transaction during which no other process writes."""
    return _transaction(database, "BEGIN IMMEDIATE")


@contextmanager
def blaming(path: Path, kind: Kind, patience: float) -> Iterator[None]:
    """Turn what SQLite and the system say of a file, and what is not ours in it, into an error of ours.

    Raises:
        OutputError: with the file, what is wrong, and what to do about it.
    """
    try:
        yield
    except LdrpsError:
        raise
    except NotOurs as error:
        raise OutputError(f"{path} {error}, or {kind.instead}") from error
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the rest says in which of many ways
        if _is_locked(error):
            raise OutputError(
                f"cannot write {path} ({error}): another process has kept it for {patience:.0f} s: wait for its end"
            ) from error
        if code in _REMEDIES:
            raise OutputError(f"cannot write {path} ({error}): {_REMEDIES[code]}, or {kind.instead}") from error
        raise OutputError(f"{path} is damaged, or no {kind.name} ({error}): move it away, or {kind.instead}") from error
    except OSError as error:
        raise OutputError(f"cannot write {path} ({error.strerror or error}): {kind.instead}") from error


def real(value: object, name: str) -> float:
    """A value that must be a finite number.

    Raises:
        NotOurs: it is none; as for the others.
    """
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise strange(value, name)
    return float(value)


def whole(value: object, name: str) -> int:
    """A value that must be a whole number."""
    if not isinstance(value, int):
        raise strange(value, name)
    return value


def text(value: object, name: str) -> str:
    """A value that must be text."""
    if not isinstance(value, str):
        raise strange(value, name)
    return value


def strange(value: object, name: str) -> NotOurs:
    """The error for a value of a column that no ldrps wrote."""
    return NotOurs(f"holds what no ldrps wrote ({name} is {reprlib.repr(value)}): move it away")


@contextmanager
def _transaction(database: sqlite3.Connection, begin: str) -> Iterator[None]:
    database.execute(begin)
    try:
        yield
    except BaseException:
        if database.in_transaction:  # of some errors SQLite thinks that they end it
            database.execute("ROLLBACK")
        raise
    database.execute("COMMIT")


def _pragma(database: sqlite3.Connection, name: str) -> int:
    value: int = database.execute(f"PRAGMA {name}").fetchone()[0]
    return value


def _decode(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _refuse_all_but_files(path: Path) -> None:
    """SQLite would follow a link to wherever it leads, and wait for ever for what comes out of a pipe."""
    for end in _BESIDE:
        beside = path.with_name(path.name + end)
        try:
            mode = beside.lstat().st_mode
        except FileNotFoundError:
            continue
        what = f"cannot be used: {beside} is" if end else "is"
        if stat.S_ISLNK(mode):
            raise NotOurs(f"{what} a link, and none is followed there: move it away")
        if not stat.S_ISREG(mode):
            raise NotOurs(f"{what} no file but a folder, a pipe or a device: move it away")


def _tables(database: sqlite3.Connection) -> dict[str, Any]:
    """The columns of each table, by its name; None for a view, and for what only looks like a table."""
    listed = "SELECT name, type = 'table' AND rootpage FROM sqlite_master WHERE type IN ('table', 'view')"
    columns = "SELECT * FROM pragma_table_xinfo(?)"
    return {
        name: database.execute(columns, (name,)).fetchall() if is_table else None
        for name, is_table in database.execute(listed).fetchall()
        if name not in _OF_SQLITE
    }


@functools.cache
def _wanted(kind: Kind) -> dict[str, Any]:
    with closing(sqlite3.connect(":memory:")) as database:
        for statement in kind.tables:
            database.execute(statement)
        return _tables(database)


def _log_ahead(database: sqlite3.Connection, patience: float) -> None:
    """Let readers and a writer work side by side. SQLite does not wait for other processes to switch to that."""
    until = time.monotonic() + patience
    while True:
        try:
            database.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if not _is_locked(error) or time.monotonic() > until:
                raise
        time.sleep(_PAUSE)


def _is_locked(error: sqlite3.Error) -> bool:
    """Whether another process was in the way."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
