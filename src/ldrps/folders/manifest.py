"""What became of each picture of a folder, in a file beside the results: many processes may share it, any may die."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from ldrps.errors import LdrpsError, OutputError
from ldrps.folders.alive import BEAT, Process, ran
from ldrps.folders.names import MANIFEST, PARTIAL
from ldrps.folders.standing import Place, Row, Source, Standing, judge, signature
from ldrps.image.files import writer
from ldrps.jobs import Job

_TABLES = """
CREATE TABLE IF NOT EXISTS holders (
    id INTEGER PRIMARY KEY AUTOINCREMENT, host TEXT NOT NULL, machine TEXT NOT NULL, pid INTEGER NOT NULL,
    born TEXT NOT NULL, seen REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS results (
    target BLOB PRIMARY KEY, state TEXT NOT NULL, holder INTEGER, since REAL NOT NULL, reason TEXT NOT NULL DEFAULT '',
    tried_size INTEGER, tried_mtime INTEGER,
    source BLOB, size INTEGER, mtime INTEGER, content TEXT, recipe TEXT, made_size INTEGER, made_mtime INTEGER
);
"""
_ROW = (
    "SELECT state, since, reason, tried_size, tried_mtime, source, size, mtime, content, recipe, made_size, made_mtime,"
    " host, machine, pid, born, seen FROM results LEFT JOIN holders ON holder = id WHERE target = ?"
)
_PATIENCE = 60.0  # seconds for other processes that write
_PAUSE = 0.02  # seconds between two tries, where SQLite itself does not wait
_LONGEST = 3600.0  # seconds that a process may take to write a file


class Manifest:
    """The manifest of a folder of results. Not for several threads; each process opens its own.

    A claim, by which a process takes a picture, ends with the process: on the same machine others see that it is gone,
    elsewhere it is void after a silence.

    Raises:
        OutputError: the folder cannot be written, or the file is none of ours.
    """

    def __init__(self, place: Place) -> None:
        self.place = place
        self.path = place.root / MANIFEST
        with _blaming(self.path):
            place.root.mkdir(parents=True, exist_ok=True)
            self._database = self._open()
            _log_ahead(self._database)
            self._database.executescript(_TABLES)
            self._holder = self._enter()
        self._ended = threading.Event()
        self._heart = threading.Thread(target=self._beat, daemon=True)
        self._heart.start()

    def close(self) -> None:
        """Let go of all that this process is at."""
        if self._ended.is_set():
            return
        self._ended.set()
        self._heart.join()
        with closing(self._database) as database, _blaming(self.path):
            database.execute("DELETE FROM holders WHERE id = ?", (self._holder,))

    def look(self, job: Job) -> Standing:
        """How it stands with a job, without taking it.

        Raises:
            InputError: the picture cannot be read.
        """
        with _blaming(self.path):
            row = self._row(job)
        source = Source(job.source)
        standing = judge(job, row, source, self.place)
        if row is not None and standing.state == "finished" and row.seen_as != source.seen_as:
            # Touched, moved or copied, and the same: its content need not be read again the next time.
            self._set(job, "source = ?, size = ?, mtime = ?", source.seen_as)
        return standing

    def claim(self, job: Job, source: Source) -> Standing:
        """Take a job, if it is open: then no other process will, until this one ends or says what became of it.

        Files that an earlier try left half written remain ours, whatever becomes of this one.
        """
        with _blaming(self.path):
            judge(job, self._row(job), source, self.place)  # reads the picture, if need be, before others must wait
            with self._alone():
                standing = judge(job, self._row(job), source, self.place)
                if standing.state == "open":
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
        return standing

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
        with _blaming(self.path), self._alone():
            others = "SELECT target FROM results WHERE state = 'writing' AND holder IS NOT ?"
            writing = self._database.execute(others, (self._holder,)).fetchall()
            if any(row is not None and row.is_held for row in [self._row_of(key) for (key,) in writing]):
                return  # the last to end will sweep
            targets = self._database.execute("SELECT target FROM results")
            for folder in {self.place.root / os.path.dirname(os.fsdecode(target)) for (target,) in targets}:
                for path in folder.glob(PARTIAL):
                    if not _is_being_written(path):
                        path.unlink(missing_ok=True)

    def _row(self, job: Job) -> Row | None:
        return self._row_of(self._key(job))

    def _row_of(self, key: bytes) -> Row | None:
        return _read(self._database, key)

    def _key(self, job: Job) -> bytes:
        return _key(job, self.place)

    def _set(self, job: Job, change: str, values: tuple[object, ...] = ()) -> None:
        with _blaming(self.path):
            self._database.execute(f"UPDATE results SET {change} WHERE target = ?", (*values, self._key(job)))

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """A transaction during which no other process writes."""
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")

    def _open(self) -> sqlite3.Connection:
        database = sqlite3.connect(self.path, timeout=_PATIENCE, isolation_level=None)
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
                with closing(self._open()) as database:
                    database.execute("UPDATE holders SET seen = ? WHERE id = ?", (time.time(), self._holder))
            except sqlite3.Error:  # a full disk, or one that was unplugged; whoever writes next will say so
                continue


def standing_of(job: Job, place: Place) -> Standing:
    """How it stands with a job, for a plan: nothing is written, nor made where there is no manifest yet.

    Raises:
        OutputError: there is a file in its place that is none of ours.
        InputError: the picture cannot be found, or not be read where something is known of it.
    """
    path, source = place.root / MANIFEST, Source(job.source)
    if not path.exists():
        return judge(job, None, source, place)
    # Without the log of a process that is at work, or died, SQLite would make one even to read.
    logged = path.with_name(f"{MANIFEST}-wal").exists()
    address = f"file:{quote(os.fsencode(path.absolute()))}?mode=ro" + ("" if logged else "&immutable=1")
    with _blaming(path), closing(sqlite3.connect(address, uri=True, timeout=_PATIENCE)) as database:
        row = _read(database, _key(job, place))
    return judge(job, row, source, place)


def _key(job: Job, place: Place) -> bytes:
    return os.fsencode(job.target.relative_to(place.root))


def _read(database: sqlite3.Connection, key: bytes) -> Row | None:
    found = database.execute(_ROW, (key,)).fetchone()
    if found is None:
        return None
    state, since, reason, size, mtime, source, was, at, content, recipe, made, made_at, *process, seen = found
    holder = None if seen is None else Process(*process)
    tried, seen_as, result = (size, mtime), (source, was, at), (made, made_at)
    return Row(state, since, reason, tried, seen_as, content, recipe, result, holder, seen or 0.0)


def _log_ahead(database: sqlite3.Connection) -> None:
    """Let readers and a writer work side by side. SQLite does not wait for other processes to switch to that."""
    until = time.monotonic() + _PATIENCE
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
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the rest says in which of many ways
    return code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _is_being_written(path: Path) -> bool:
    """Whether the process that a partial file is named after may be at it still."""
    pid, seen = writer(path.name), signature(path)
    if pid is None or seen is None:
        return False
    age = time.time() - seen[1] / 1e9
    return age < _LONGEST and ran(pid, age)


@contextmanager
def _blaming(path: Path) -> Iterator[None]:
    """Turn what SQLite and the system say into an error of ours."""
    try:
        yield
    except LdrpsError:
        raise
    except sqlite3.OperationalError as error:
        if _is_locked(error):
            raise OutputError(
                f"cannot write {path} ({error}): another process has kept it for {_PATIENCE:.0f} s: wait for its end"
            ) from error
        raise OutputError(f"cannot write {path} ({error}): make room, or give another folder") from error
    except sqlite3.DatabaseError as error:
        raise OutputError(
            f"{path} is damaged or none of ours ({error}): move it away, or give another folder"
        ) from error
    except OSError as error:
        raise OutputError(f"cannot write {path} ({error.strerror}): give another folder") from error
