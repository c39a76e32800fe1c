"""The line that requests wait in: one is carried out at a time, few wait, each can be stopped."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ldrps.errors import LdrpsError
from ldrps.serve.order import Order

if TYPE_CHECKING:
    from ldrps.serve.visits import Upload

logger = logging.getLogger(__name__)


class FullError(LdrpsError):
    """So many requests wait that another one is refused."""


@dataclass(frozen=True)
class Outcome:
    """What became of a picture.

    Attributes:
        name: of the file, for people.
        order: what was asked for.
        before: the picture as it was, to look at.
        after: the restored one, to look at; None if there is none.
        file: the restored picture, as it is downloaded; None if there is none.
        damage: what was found, in words.
        caption: the words that were used.
        seconds: it took.
        error: why there is no restored picture; "" if there is one.
    """

    name: str
    order: Order
    before: Path
    after: Path | None = None
    file: Path | None = None
    damage: str = ""
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
    outcomes: tuple[Outcome, ...] = ()


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

    @property
    def stopping(self) -> bool:
        """Whether somebody wants it to stop; whoever works on it looks here at every step."""
        return self._stop.is_set()

    def stop(self) -> None:
        self._stop.set()

    def show(self, **changes: Any) -> None:
        """Make a new snapshot. Called by one thread at a time; others may read meanwhile."""
        self.snapshot = replace(self.snapshot, **changes)


class Line:
    """Carries out tasks in the order in which they came, in a thread of its own.

    Args:
        work: carries out a task, and returns early if the task is to stop.
        waiting: how many tasks may wait beside the one that is being carried out.
    """

    def __init__(self, work: Callable[[Task], None], waiting: int) -> None:
        self._work = work
        self._limit = waiting
        self._tasks: deque[Task] = deque()  # the first is being carried out
        self._change = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="ldrps-serve", daemon=True)
        self._thread.start()

    def __len__(self) -> int:
        """How many tasks there are, the one that is being carried out among them."""
        return len(self._tasks)

    def join(self, task: Task) -> None:
        """Put a task at the end of the line.

        Raises:
            FullError: there is no room.
        """
        with self._change:
            if self._closed or len(self._tasks) > self._limit:
                raise FullError(
                    f"{self._limit} requests are waiting already, which is the most: try again in a few minutes"
                )
            self._tasks.append(task)
            self._change.notify_all()

    def ahead(self, task: Task) -> int:
        """How many tasks come before this one; 0 for one that has begun."""
        with self._change:
            return self._tasks.index(task) if task in self._tasks else 0

    def stop(self, task: Task) -> None:
        """Stop a task: at once if it waits, else after the step that is being done."""
        with self._change:
            task.stop()
            if task in self._tasks and task is not self._tasks[0]:
                self._tasks.remove(task)
                task.show(over=True, stopped=True)

    def close(self, patience: float = 10.0) -> None:
        """Stop all tasks, take no more, and wait for the thread to end, but not for ever."""
        with self._change:
            self._closed = True
            for task in list(self._tasks):
                self.stop(task)
            self._change.notify_all()
        self._thread.join(patience)

    def _run(self) -> None:
        while True:
            with self._change:
                self._change.wait_for(lambda: self._tasks or self._closed)
                if not self._tasks:
                    return
                task = self._tasks[0]
            try:
                if not task.stopping:
                    task.show(started=True)
                    self._work(task)
            except Exception:  # the thread serves everybody after this one too
                logger.exception("a request failed")
            finally:
                with self._change:
                    self._tasks.popleft()
                complete = len(task.snapshot.outcomes) == len(task.uploads)
                task.show(over=True, stopped=task.stopping and not complete, preview=None)
