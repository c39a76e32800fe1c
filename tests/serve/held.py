"""Work that a test holds in its hand."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ldrps.prior import load_prior
from ldrps.prior.base import Prior
from ldrps.serve.task import Task, UploadOutcome


class Held:
    """Work that goes on, a step at a time, when the test says so; each picture takes as many steps as there are."""

    def __init__(self, steps: int = 3) -> None:
        self.steps = steps
        self.done: list[Task] = []
        self.damage: dict[str, Any] | None = None  # that it finds
        self.parts: dict[str, str] = {}
        self.doubt = ""
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
            found = {"damage": self.damage, "parts": self.parts, "doubt": self.doubt, "masks": task.masks}
            copy = replace(upload)  # as from another process
            outcome = UploadOutcome(upload.name, task.order, upload.shown, copy, after=file, file=file, **found)
            task.show(outcomes=(*task.snapshot.outcomes, outcome))
        self.done.append(task)


@dataclass(frozen=True)
class GatedLoader:
    """Loads a prior, in whatever process, that stands still after two calls while there is a certain file.

    Attributes:
        folder: of the prior.
        gate: the file.
    """

    folder: Path
    gate: Path
    preload = ("ldrps.run.batch",)

    def __call__(self) -> Prior:
        prior = load_prior(self.folder)
        denoise, calls = prior.denoise, 0

        def gated(*given: Any) -> Any:
            nonlocal calls
            calls = calls + 1 if self.gate.exists() else 0
            while calls > 2 and self.gate.exists():
                time.sleep(0.01)
            return denoise(*given)

        prior.denoise = gated  # type: ignore[method-assign]
        return prior
