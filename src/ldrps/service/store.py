"""The jobs of the service in a folder: a database of them, and a folder of files for each. They outlive the server."""

from __future__ import annotations

import contextlib
import json
import math
import shutil
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from ldrps.database import alone, blaming, connect, prepare, real, text, whole
from ldrps.errors import OutputError
from ldrps.folders.alive import Process
from ldrps.service.rows import COLUMNS, KIND, NAME, Row, State, row_of

DATABASE = "jobs.sqlite"
_PATIENCE = 60.0  # seconds for other processes that write
_MOST_TRIES = 3  # of a job; one that ends the server each time must not do so for ever
_NOBODY = "nobody"  # the owner of jobs that are to be deleted
_COUNT = len(COLUMNS.split(","))


class Store:
    """The jobs in a folder, which is one server's as long as it runs. For several threads.

    What was being carried out when the last server ended waits again; files of no job are deleted.

    Args:
        folder: is made if need be.

    Raises:
        OutputError: the folder cannot be written, another server has it, or the database is none of ours; as for all
            that follows, where what it says is not what ldrps wrote.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.path = folder, folder / DATABASE
        self._lock = threading.RLock()
        with self._blaming(), ExitStack() as stack:
            folder.mkdir(parents=True, exist_ok=True)
            self._database = stack.enter_context(closing(connect(self.path, _PATIENCE, of_threads=True)))
            prepare(self._database, KIND, _PATIENCE)
            self._database.execute("PRAGMA synchronous = FULL")  # a job that was promised outlives a power cut
            self._take()
            self._begin_again()
            stack.pop_all()  # it stays open

    def close(self) -> None:
        """Let another server have the folder."""
        with self._writing() as database:
            database.execute("DELETE FROM server")
        self._database.close()

    def beat(self) -> None:
        """Say that this server is still there, for those on other machines."""
        with self._writing() as database:
            database.execute("UPDATE server SET seen = ?", (time.time(),))

    def place(self, name: str) -> Path:
        """The folder of the files of a job."""
        return self.folder / name

    def files(self, row: Row) -> dict[str, Path]:
        """The files that came with a job, by the parts of its request."""
        return {part: self.place(row.id) / part for part in row.parts}

    def add(self, row: Row) -> Row:
        """Keep a new job, whose files are there; as it is kept, with a number.

        Raises:
            KeyError: its owner has another with the same key.
        """
        with self._writing() as database:
            (last,) = database.execute("SELECT coalesce(max(number), 0) FROM jobs").fetchone()
            row = replace(row, number=last + 1)
            marks = ", ".join("?" * _COUNT)
            try:
                database.execute(f"INSERT INTO jobs ({COLUMNS}) VALUES ({marks})", row.values())
            except sqlite3.IntegrityError as error:
                raise KeyError(row.key) from error
        return row

    def find(self, name: str, owner: str) -> Row | None:
        """A job of an owner; None if there is none of that name, or it is another's."""
        return self._one("id = ? AND owner = ?", name, owner)

    def known(self, owner: str, key: str) -> Row | None:
        """The job of an owner that has a key."""
        return self._one("owner = ? AND key = ?", owner, key)

    def waiting(self) -> list[Row]:
        """The jobs that are not over, in the order in which they came."""
        return self._rows("state IN ('waiting', 'running') ORDER BY number")

    def over(self) -> list[Row]:
        """The jobs that are over, the oldest first."""
        return self._rows("state IN ('done', 'failed') ORDER BY ended")

    def update(self, name: str, **values: Any) -> None:
        """Change some columns of a job, if it is still there."""
        names = ", ".join(f"{column} = ?" for column in values)
        with self._writing() as database:
            database.execute(f"UPDATE jobs SET {names} WHERE id = ?", (*values.values(), name))

    def finish(
        self,
        name: str,
        state: State,
        *,
        file: str | None = None,
        record: dict[str, Any] | None = None,
        status: int | None = None,
        reason: str = "",
    ) -> None:
        """Say what became of a job; see `Row`."""
        told = None if record is None else json.dumps(_finite(record), default=str)
        self.update(name, state=state, file=file, record=told, status=status, reason=reason, ended=time.time())

    def delete(self, name: str) -> None:
        """Forget a job, and delete its files."""
        with self._writing() as database:
            database.execute("DELETE FROM jobs WHERE id = ?", (name,))
        shutil.rmtree(self.place(name), ignore_errors=True)

    def disown(self, name: str) -> None:
        """Take a job from its owner, who finds it no more; should this server be killed, the next one deletes it."""
        self.update(name, owner=_NOBODY, key=None)

    def sweep(self, kept: set[str]) -> None:
        """Delete the folders of files that belong to no job, and are not among those that are `kept`."""
        with self._lock, self._blaming():
            known = {name for (name,) in self._database.execute("SELECT id FROM jobs")}
        with contextlib.suppress(OSError):
            for entry in list(self.folder.iterdir()):
                if NAME.fullmatch(entry.name) and entry.name not in known | kept and not entry.is_symlink():
                    shutil.rmtree(entry, ignore_errors=True)

    def _take(self) -> None:
        """Have the folder, unless another server has."""
        with alone(self._database):
            found = self._database.execute("SELECT host, machine, pid, born, seen FROM server").fetchone()
            if found is not None:
                host, machine, pid, born, seen = found
                names = (text(host, "host"), text(machine, "machine"), whole(pid, "pid"), text(born, "born"))
                if not Process(*names).is_gone(time.time() - real(seen, "seen")):
                    raise OutputError(
                        f"{self.folder} is in use by another server (process {pid} of {host}): end that, or give "
                        "another --jobs-folder"
                    )
            us = Process.this()
            self._database.execute(
                "INSERT OR REPLACE INTO server VALUES (1, ?, ?, ?, ?, ?)",
                (us.host, us.machine, us.pid, us.born, time.time()),
            )

    def _begin_again(self) -> None:
        """What the last server was at waits again."""
        reason = f"the server ended {_MOST_TRIES} times while it was at this picture: make it smaller"
        with alone(self._database):
            self._database.execute("DELETE FROM jobs WHERE owner = ?", (_NOBODY,))
            self._database.execute(
                "UPDATE jobs SET state = 'failed', status = 500, ended = ?, reason = ? WHERE state = 'running' AND"
                " tries >= ?",
                (time.time(), reason, _MOST_TRIES),
            )
            self._database.execute("UPDATE jobs SET state = 'waiting', began = NULL WHERE state = 'running'")
        self.sweep(set())

    def _one(self, where: str, *values: object) -> Row | None:
        return next(iter(self._rows(where, *values)), None)

    def _rows(self, where: str, *values: object) -> list[Row]:
        with self._lock, self._blaming():
            found = self._database.execute(f"SELECT {COLUMNS} FROM jobs WHERE {where}", values).fetchall()
            return [row_of(each) for each in found]

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._blaming(), alone(self._database):
            yield self._database

    def _blaming(self) -> AbstractContextManager[None]:
        return blaming(self.path, KIND, _PATIENCE)


def _finite(value: Any) -> Any:
    """Plain data without infinity and NaN, which JSON does not know: None in their place."""
    if isinstance(value, dict):
        return {name: _finite(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
