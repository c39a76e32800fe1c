"""The queue that requests wait in: one is carried out at a time, few wait, each can be stopped."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable

from ldrps.errors import LdrpsError
from ldrps.serve.task import Task

logger = logging.getLogger(__name__)


class FullError(LdrpsError):
    """So many requests wait that another one is refused."""


class TaskQueue:
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
        """Put a task at the end of the queue.

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

    def stop(self, task: Task, **patience: float) -> None:
        """Stop a task: at once if it waits, else as `Task.stop`."""
        with self._change:
            task.stop(**patience)
            if task in self._tasks and task is not self._tasks[0]:
                self._tasks.remove(task)
                task.show(over=True, stopped=True)

    def close(self, patience: float = 10.0) -> None:
        """Stop all tasks, take no more, and wait for the thread to end, but not for ever."""
        with self._change:
            self._closed = True
            for task in list(self._tasks):
                self.stop(task, patience=0.0)
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
