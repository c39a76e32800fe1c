"""Work that a test holds in its hand."""

from __future__ import annotations

import threading

from ldrps.serve.task import Task, UploadOutcome


class Held:
    """Work that goes on, a step at a time, when the test says so; each picture takes as many steps as there are."""

    def __init__(self, steps: int = 3) -> None:
        self.steps = steps
        self.done: list[Task] = []
        self._go = threading.Semaphore(0)

    def let(self, steps: int) -> None:
        self._go.release(steps)

    def __call__(self, task: Task) -> None:
        for number, upload in enumerate(task.uploads):
            for step in range(self.steps):
                task.show(picture=number + 1, step=step, steps=self.steps)
                self._go.acquire()
                if task.stopping:
                    return
            file = task.folder / upload.name
            file.write_bytes(b"restored")
            outcome = UploadOutcome(upload.name, task.order, upload.shown, after=file, file=file)
            task.show(outcomes=(*task.snapshot.outcomes, outcome))
        self.done.append(task)
