"""Who is on the page, and what is theirs: each visit has a folder of its own, which goes when the visitor goes."""

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

from ldrps.serve.task import Task, Upload, UploadOutcome

_STRAY = 60.0  # seconds after which an upload that no visit has taken up is nobody's
_IDLE = 6 * 3600.0  # seconds after which a visit without a sign of life is over, should its end have gone unnoticed


@dataclass
class Visit:
    """One open page.

    Attributes:
        folder: whose name nobody can guess.
        chosen: the pictures that the next run restores.
        task: the run that was asked for last.
        history: results that are still there, the latest first.
        borrowed: files of the server's upload folder that chosen pictures came from.
    """

    folder: Path
    chosen: list[Upload] = field(default_factory=list)
    task: Task | None = None
    history: list[UploadOutcome] = field(default_factory=list)
    borrowed: set[Path] = field(default_factory=set)
    seen: float = field(default_factory=time.monotonic)

    def new_folder(self) -> Path:
        """A further folder in the visit's own."""
        return Path(tempfile.mkdtemp(dir=self.folder))


class Visits:
    """All visits, by the key that the server knows them by.

    Args:
        root: a folder for uploads and results, of this process alone.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._visits: dict[str, Visit] = {}
        self._kept: set[Path] = set()
        self._lock = threading.Lock()

    def of(self, key: str) -> Visit:
        """The visit of that key; a new one if there is none."""
        with self._lock:
            visit = self._visits.get(key)
            if visit is None:
                folder = self.root / secrets.token_hex(16)
                folder.mkdir(mode=0o700)
                visit = self._visits[key] = Visit(folder)
            visit.seen = time.monotonic()
            return visit

    def end(self, key: str) -> Visit | None:
        """Forget a visit and delete all that was its own; returns it, if there was one."""
        with self._lock:
            visit = self._visits.pop(key, None)
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
            return [
                key
                for key, visit in self._visits.items()
                if now - visit.seen > seconds and (visit.task is None or visit.task.snapshot.over)
            ]


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
