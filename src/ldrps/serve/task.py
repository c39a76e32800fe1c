"""What a visitor asks for in one go, the pictures that came for it, and how far it is."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ldrps.run.handle import Handle
from ldrps.serve.order import Order


@dataclass(frozen=True)
class Upload:
    """A picture that a visitor gave.

    Attributes:
        name: what it is called, safe for a file.
        path: where it lies.
        shown: a copy of it, upright and small enough to be shown.
        size: width and height in pixels.
    """

    name: str
    path: Path
    shown: Path
    size: tuple[int, int]


@dataclass(frozen=True)
class UploadOutcome:
    """What became of a picture.

    Attributes:
        name: of the file, for people.
        order: what was asked for.
        before: the picture as it was, to look at.
        after: the restored one, to look at; None if there is none.
        file: the restored picture, as it is downloaded; None if there is none.
        words: what was found and done; see `Result.words`.
        caption: the words that were used.
        seconds: it took.
        error: why there is no restored picture; "" if there is one.
    """

    name: str
    order: Order
    before: Path
    after: Path | None = None
    file: Path | None = None
    words: str = ""
    caption: str = ""
    seconds: float = 0.0
    error: str = ""


@dataclass(frozen=True)
class Snapshot:
    """How far a task is; a new one for every change.

    Attributes:
        started: it waits no longer.
        over: nothing more will change.
        stopped: it was stopped before its end.
        picture: which of its pictures is being restored, from 1.
        step, steps: of this picture; 0 of 0 before the first.
        seconds_left: until the end of the task, as far as can be told; None if it cannot.
        preview: a JPEG of the picture as it is by now; None before the first step.
        outcomes: of the pictures that are done.
    """

    started: bool = False
    over: bool = False
    stopped: bool = False
    picture: int = 0
    step: int = 0
    steps: int = 0
    seconds_left: float | None = None
    preview: bytes | None = None
    outcomes: tuple[UploadOutcome, ...] = ()


@dataclass(frozen=True)
class UploadJob:
    """A picture to be restored, as a pool is given it.

    Attributes:
        upload: the picture.
        number: which it is of its task, from 0.
        order: how.
        folder: where the result goes.
        name: what the result is called, as long as its format has room for it.
        taken: names in that folder that results have by now, in lower case.
    """

    upload: Upload
    number: int
    order: Order
    folder: Path
    name: str
    taken: frozenset[str] = frozenset()


class Task:
    """Some pictures to be restored in one go.

    Args:
        uploads: the pictures.
        order: how.
        folder: where the results go.
    """

    def __init__(self, uploads: Sequence[Upload], order: Order, folder: Path) -> None:
        self.uploads = tuple(uploads)
        self.order = order
        self.folder = folder
        self.snapshot = Snapshot()
        self._stop = threading.Event()
        self._at_work: Handle[UploadJob, UploadOutcome] | None = None

    @property
    def stopping(self) -> bool:
        """Whether somebody wants it to stop."""
        return self._stop.is_set()

    def stop(self) -> None:
        """Stop it after the step that is being done; what was finished stays."""
        self._stop.set()
        if self._at_work is not None:
            self._at_work.cancel()

    def begin(self, handle: Handle[UploadJob, UploadOutcome]) -> None:
        """One of its pictures is at work from now on."""
        self._at_work = handle
        if self.stopping:  # meanwhile
            handle.cancel()

    def show(self, **changes: Any) -> None:
        """Make a new snapshot. Called by one thread at a time; others may read meanwhile."""
        self.snapshot = replace(self.snapshot, **changes)
