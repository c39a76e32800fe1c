"""What became of each picture of a folder, in a file beside the results: many processes may share it, any may die."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack, closing
from pathlib import Path

from ldrps.database import alone, blaming, connect, lacks_tables, prepare
from ldrps.errors import OutputError
from ldrps.folders.alive import BEAT, Process
from ldrps.folders.names import MANIFEST
from ldrps.folders.rows import KIND, key_of, latest_of, row_of, targets
from ldrps.folders.status import Place, Row, Source, Status, judge, signature
from ldrps.folders.sweep import sweep
from ldrps.run.fingerprint import Fingerprint
from ldrps.run.job import Job

_PATIENCE = 60.0  # seconds for other processes that write
_LATEST = 100  # results that are looked at for the recipe that made them


class Manifest:
    """The manifest of a folder of results. Not for several threads; each process opens its own.

    A claim, by which a process takes a picture, ends with the process: on the same machine others see that it is gone,
    elsewhere it is void after a silence.

    Raises:
        OutputError: the folder cannot be written, or the file is none of ours, or of a later ldrps. Nothing is written
            to it then; as for all that follows, where what it says is not what ldrps wrote.
    """

    def __init__(self, place: Place) -> None:
        self.place = place
        self.path = place.root / MANIFEST
        with self._blaming(), ExitStack() as stack:
            place.root.mkdir(parents=True, exist_ok=True)
            self._database = stack.enter_context(closing(self._open()))
            prepare(self._database, KIND, _PATIENCE)
            self._holder = self._enter()
            stack.pop_all()  # it stays open
        self._ended = threading.Event()
        self._heart = threading.Thread(target=self._beat, daemon=True)
        self._heart.start()

    def close(self) -> None:
        """Let go of all that this process is at."""
        if self._ended.is_set():
            return
        self._ended.set()
        self._heart.join()
        with closing(self._database) as database, self._blaming():
            database.execute("DELETE FROM holders WHERE id = ?", (self._holder,))

    def look(self, job: Job) -> Status:
        """How it stands with a job, without taking it.

        Raises:
            InputError: the picture cannot be read.
        """
        with self._blaming():
            row = self._row(job)
        source = Source(job.source)
        status = judge(job, row, source, self.place)
        if row is not None and status.state == "finished" and row.seen_as != source.seen_as:
            # Touched, moved or copied, and the same: its content need not be read again the next time.
            self._set(job, "source = ?, size = ?, mtime = ?", source.seen_as)
        return status

    def claim(self, job: Job, source: Source) -> Status:
        """Take a job, if it is open: then no other process will, until this one ends or says what became of it.

        Files that an earlier try left half written remain ours, whatever becomes of this one.
        """
        with self._blaming():
            judge(job, self._row(job), source, self.place)  # reads the picture, if need be, before others must wait
            with alone(self._database):
                status = judge(job, self._row(job), source, self.place)
                if status.state == "open":
                    self._database.execute(
                        "INSERT INTO results (target, state, holder, since, tried_size, tried_mtime) VALUES"
                        " (:target, 'working', :holder, :now, :size, :mtime) ON CONFLICT (target) DO UPDATE SET"
                        " state = CASE WHEN state IN ('writing', 'torn') THEN 'writing' ELSE 'working' END,"
                        " holder = :holder, since = :now, tried_size = :size, tried_mtime = :mtime",
                        {
                            **{"target": self._key(job), "holder": self._holder, "now": time.time()},
                            **{"size": source.size, "mtime": source.mtime},
                        },
                    )
        return status

    def writing(self, job: Job) -> None:
        """Say that the files of a claimed job appear from now on: should this process die, they are ours to replace."""
        self._set(job, "state = 'writing'")

    def finished(self, job: Job, source: Source, mark: str) -> None:
        """Say that the files of a claimed job are there, made of `source`; `mark` is the place's from before that."""
        made = signature(job.target) or (None, None)
        self._set(
            job,
            "state = 'done', holder = NULL, since = ?, reason = '', source = ?, size = ?, mtime = ?, content = ?,"
            " recipe = ?, made_size = ?, made_mtime = ?",
            (time.time(), *source.seen_as, source.content, mark, *made),
        )

    def failed(self, job: Job, reason: str, *, is_torn: bool = False) -> None:
        """Say that a claimed job cannot be done; a later run will try it again. `is_torn`: some of its files are there,
        and are ours to replace.
        """
        state = "torn" if is_torn else "failed"
        self._set(job, "state = ?, holder = NULL, since = ?, reason = ?", (state, time.time(), reason))

    def release(self, job: Job) -> None:
        """Give a claimed job back; what was being written, if anything, remains ours."""
        self._set(job, "holder = NULL")

    def sweep(self) -> None:
        """Remove what processes that died in the middle of writing left, unless others are writing now.

        Those that keep no manifest are told by their numbers, in the names of their files.
        """
        with self._blaming(), alone(self._database):
            folders = {self.place.root / target.parent for target in targets(self._database)}
            others = "SELECT target FROM results WHERE state = 'writing' AND holder IS NOT ?"
            writing = self._database.execute(others, (self._holder,)).fetchall()
            if any(row is not None and row.is_held for row in [row_of(self._database, key) for (key,) in writing]):
                return  # the last to end will sweep
            for folder in folders:
                sweep(folder, self.place.root)

    def _row(self, job: Job) -> Row | None:
        return row_of(self._database, self._key(job))

    def _key(self, job: Job) -> bytes:
        return key_of(job.target.relative_to(self.place.root))

    def _set(self, job: Job, change: str, values: tuple[object, ...] = ()) -> None:
        with self._blaming():
            self._database.execute(f"UPDATE results SET {change} WHERE target = ?", (*values, self._key(job)))

    def _blaming(self) -> AbstractContextManager[None]:
        return blaming(self.path, KIND, _PATIENCE)

    def _open(self) -> sqlite3.Connection:
        database = connect(self.path, _PATIENCE)
        database.execute("PRAGMA synchronous = FULL")  # what is said to be done survives a power cut
        return database

    def _enter(self) -> int:
        this = Process.this()
        cursor = self._database.execute(
            "INSERT INTO holders (host, machine, pid, born, seen) VALUES (?, ?, ?, ?, ?)",
            (this.host, this.machine, this.pid, this.born, time.time()),
        )
        assert cursor.lastrowid is not None
        return cursor.lastrowid

    def _beat(self) -> None:
        while not self._ended.wait(BEAT):
            try:
                with self._blaming(), closing(self._open()) as database:
                    database.execute("UPDATE holders SET seen = ? WHERE id = ?", (time.time(), self._holder))
            except OutputError:  # a full disk, or one that was unplugged; whoever writes next will say so
                continue


def check_manifest(place: Place) -> None:
    """Refuse a manifest that a run would refuse. Nothing is written, nor made where there is none.

    Raises:
        OutputError: as `Manifest`, and where a row is about something outside of the folder.
    """
    path = place.root / MANIFEST
    if not os.path.lexists(path):
        return
    with blaming(path, KIND, _PATIENCE), closing(connect(path, _PATIENCE, read_only=True)) as database:
        if not lacks_tables(database, KIND):
            targets(database)


def made_by(root: Path, recipes: Sequence[Fingerprint]) -> int | None:
    """Which of several recipes made the latest results in a folder that any of them made; None where there are none.

    Raises:
        OutputError: as `check_manifest`.
    """
    path = root / MANIFEST
    if not os.path.lexists(path):
        return None
    with blaming(path, KIND, _PATIENCE), closing(connect(path, _PATIENCE, read_only=True)) as database:
        latest = [] if lacks_tables(database, KIND) else latest_of(database, _LATEST)
    for source, mark in latest:
        for number, recipe in enumerate(recipes):
            if mark == (recipe if isinstance(recipe, str) else recipe.of(source)):
                return number
    return None


def status_of(job: Job, place: Place) -> Status:
    """How it stands with a job, for a plan: nothing is written, nor made where there is no manifest yet.

    Raises:
        OutputError: there is a file in its place that is none of ours.
        InputError: the picture cannot be found, or not be read where something is known of it.
    """
    path, source, row = place.root / MANIFEST, Source(job.source), None
    if os.path.lexists(path):
        key = key_of(job.target.relative_to(place.root))
        with blaming(path, KIND, _PATIENCE), closing(connect(path, _PATIENCE, read_only=True)) as database:
            row = None if lacks_tables(database, KIND) else row_of(database, key)
    return judge(job, row, source, place)
