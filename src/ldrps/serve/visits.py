"""Who is on the page, and what is theirs: each visit has a folder of its own, which goes soon after the visitor."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ldrps.serve.brush import Drawing
from ldrps.serve.task import Task, Upload, UploadOutcome

_STRAY = 60.0  # seconds after which an upload that no visit has taken up is nobody's
_IDLE = 6 * 3600.0  # seconds after which a visit without a sign of life is over, should its end have gone unnoticed


@dataclass
class Visit:
    """What one tab of a browser has on the page, reloads included.

    Attributes:
        folder: whose name nobody can guess.
        browser: that it is in; "" of one that keeps no cookies.
        uploads: the pictures that are there.
        chosen: those that the next run restores.
        drawing: what was drawn over the one chosen picture for the latest run of it.
        suspects: whether somebody said of the one chosen picture that its tones may be damaged.
        task: the run that was asked for last.
        history: results that are still there, the latest first.
        counted: how many results there were.
        looked_at: the one that is shown large; None while what is chosen is, or nothing.
        borrowed: files of the server's upload folder that pictures came from.
        seen: when there was a sign of life.
        left: since when nobody looks at it; None while somebody does.
    """

    folder: Path
    browser: str = ""
    uploads: list[Upload] = field(default_factory=list)
    chosen: list[Upload] = field(default_factory=list)
    drawing: Drawing | None = None
    suspects: bool = False
    task: Task | None = None
    history: list[UploadOutcome] = field(default_factory=list)
    counted: int = 0
    looked_at: UploadOutcome | None = None
    borrowed: set[Path] = field(default_factory=set)
    seen: float = field(default_factory=time.monotonic)
    left: float | None = None

    @property
    def is_running(self) -> bool:
        """Whether a run is not over."""
        return self.task is not None and not self.task.snapshot.over

    def away(self) -> float:
        """For how many seconds nobody has looked at it."""
        return 0.0 if self.left is None else time.monotonic() - self.left

    def tidy(self) -> None:
        """Delete uploads that are neither chosen nor being restored, and of which no result is left."""
        at_work = self.task.uploads if self.task is not None and self.is_running else ()
        uploads = [*self.chosen, *at_work, *(each.upload for each in self.history if each.upload is not None)]
        needed = {upload.path for upload in uploads}  # results come from another process, with copies of their uploads
        for upload in self.uploads:
            if upload.path not in needed:
                shutil.rmtree(upload.path.parent, ignore_errors=True)
        self.uploads = [upload for upload in self.uploads if upload.path in needed]

    def new_folder(self) -> Path:
        """A further folder in the visit's own."""
        return Path(tempfile.mkdtemp(dir=self.folder))


class Visits:
    """All visits. An open page is a session of the server; a tab that is loaded again is another session of the same
    visit, which it names by a key that nobody can guess, from the browser that it began in.

    Args:
        root: a folder for uploads and results, of this process alone.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._visits: dict[str, Visit] = {}
        self._keys: dict[str, str] = {}  # of the visit, by session
        self._kept: set[Path] = set()
        self._lock = threading.Lock()

    def of(self, session: str) -> Visit:
        """The visit of a session; a new one if there is none."""
        with self._lock:
            key = self._keys.setdefault(session, session)
            visit = self._visits.get(key)
            if visit is None:
                folder = self.root / secrets.token_hex(16)
                folder.mkdir(mode=0o700)
                visit = self._visits[key] = Visit(folder)
            visit.seen, visit.left = time.monotonic(), None
            return visit

    def arrive(self, session: str, browser: str, key: str) -> Visit:
        """The visit of a session that has a key: the one that had it before in that browser, or else its own."""
        known = f"{browser} {key}"
        with self._lock:
            if known not in self._visits and (visit := self._visits.pop(self._keys.get(session, session), None)):
                self._visits[known] = visit
            self._keys[session] = known
        visit = self.of(session)
        visit.browser = browser
        return visit

    def depart(self, session: str) -> None:
        """A session is over; its visit is left if nobody else looks at it."""
        with self._lock:
            key = self._keys.pop(session, session)
            if key in self._visits and key not in self._keys.values():
                self._visits[key].left = time.monotonic()

    def left(self) -> list[tuple[str, Visit]]:
        """The visits that nobody looks at, each with its key."""
        with self._lock:
            return [(key, visit) for key, visit in self._visits.items() if visit.left is not None]

    def key(self, session: str) -> str:
        """The key of the visit of a session."""
        return self._keys.get(session, session)

    def end(self, key: str) -> Visit | None:
        """Forget a visit and delete all that was its own; returns it, if there was one."""
        with self._lock:
            visit = self._visits.pop(key, None)
            self._keys = {session: each for session, each in self._keys.items() if each != key}
            if visit is None:
                return None
            # The server keeps equal uploads at one place: what another visit came from is left to that one.
            elsewhere = {path for other in self._visits.values() for path in other.borrowed}
            for path in visit.borrowed - elsewhere:
                if path.parent in self._kept:
                    continue
                with contextlib.suppress(OSError):
                    path.unlink()
        shutil.rmtree(visit.folder, ignore_errors=True)
        self.sweep()
        return visit

    def keep_present(self) -> None:
        """Never sweep away what lies in the root now: the server put it there for everybody."""
        self._kept = set(_entries(self.root))

    def sweep(self, stray: float = _STRAY) -> None:
        """Delete what has lain in the root for `stray` seconds and belongs to nobody."""
        with self._lock:
            kept = self._kept | {visit.folder for visit in self._visits.values()}
            kept |= {path.parent for visit in self._visits.values() for path in visit.borrowed}
            for entry in _entries(self.root):
                with contextlib.suppress(OSError):
                    if entry not in kept and time.time() - entry.stat().st_mtime >= stray:
                        _delete(entry)

    def idle(self, seconds: float = _IDLE) -> list[str]:
        """The keys of visits without a sign of life for so long, and without a run under way."""
        now = time.monotonic()
        with self._lock:
            return [key for key, visit in self._visits.items() if now - visit.seen > seconds and not visit.is_running]


def take(upload: Path, folder: Path, name: str) -> Path:
    """A file of the server's upload folder under another name in a visit's folder, without a second copy."""
    place = folder / name
    try:
        os.link(upload, place)
    except OSError:  # a file system without links
        shutil.copyfile(upload, place)
    return place


def _entries(folder: Path) -> Iterator[Path]:
    with contextlib.suppress(OSError):
        yield from folder.iterdir()


def _delete(entry: Path) -> None:
    if entry.is_dir():
        shutil.rmtree(entry, ignore_errors=True)
    else:
        entry.unlink()
