"""A pool whose jobs go on when the test says so, and what a test asks of a service."""

from __future__ import annotations

import contextlib
import io
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conftest import noisy
from fastapi.testclient import TestClient
from PIL import Image

from ldrps.client import Client, Restored
from ldrps.errors import Cancelled, LdrpsError
from ldrps.run.handle import Handle, WorkerLost
from ldrps.run.pool import OneAtATime
from ldrps.run.tick import OnTick, Tick
from ldrps.run.turns import Turns
from ldrps.serve.task import Abilities, Question
from ldrps.service.app import Programs
from ldrps.service.limits import Limits
from ldrps.service.metrics import Metrics
from ldrps.service.queue import JobQueue
from ldrps.service.service import Service
from ldrps.service.store import Store
from ldrps.service.tokens import Tokens
from ldrps.service.work import Made, ProgramJob

STEPS = 4


class FakePool(OneAtATime[Any, Any]):
    """Carries jobs out a step at a time, as it is let; the result of a picture is the picture."""

    def __init__(self) -> None:
        self._go = threading.Semaphore(0)
        self.steps = 0  # of the job at work
        self.lost = 0  # jobs whose process is to be lost
        self.reason = ""  # why the next jobs fail
        self.done: list[str] = []
        self.closed = 0

    def let(self, steps: int = STEPS + 1) -> None:
        self._go.release(steps)

    def start(self) -> None:
        """Nothing to load."""

    def submit(self, job: Any, on_tick: OnTick | None = None) -> Handle[Any, Any]:
        self.steps = 0
        return super().submit(job, on_tick)

    def wait(self, timeout: float) -> list[Handle[Any, Any]]:
        handle = self._handle
        if handle is None:
            time.sleep(timeout)
            return []
        if isinstance(handle.job, Question):
            return self._end(Abilities(False, False))
        if not self._go.acquire(timeout=min(timeout, 0.02)):
            return []
        self.steps += 1
        if self.lost:
            self.lost -= 1
            return self._end(WorkerLost("the process that was at it ended by signal 9; was it out of memory?"))
        if self.steps <= STEPS:
            return [] if handle.report(Tick(self.steps, STEPS)) else self._end(Cancelled("stopped"))
        return self._end(self._made(handle.job))

    def close(self) -> None:
        self.closed += 1
        if self._handle is not None:
            self._end(Cancelled("stopped, as all that was at work"))

    def _made(self, job: ProgramJob) -> Made:
        if self.reason:
            return Made(reason=self.reason)
        self.done.append(job.folder.name)
        file = job.folder / f"result{job.ask.suffix or '.png'}"
        file.write_bytes(job.files["image"].read_bytes())
        record = {"words": "noise 12 of 255", "damage": {}, "result_size": [48, 40], "seed": job.ask.settings.seed}
        return Made(file, record)

    def _end(self, outcome: Any | LdrpsError) -> list[Handle[Any, Any]]:
        handle, self._handle = self._handle, None
        assert handle is not None
        handle.end(outcome)
        return [handle]


@dataclass
class Served:
    """A service, its pool, and who asks it."""

    service: Service
    pool: FakePool
    http: TestClient

    def give(self, settings: str = "{}", image: bytes = b"", **headers: str) -> Any:
        files = {"image": ("image", image or png())}
        return self.http.post("/v1/jobs", files=files, data={"settings": settings}, headers=headers)

    def job(self, name: str, **headers: str) -> Any:
        return self.http.get(f"/v1/jobs/{name}", headers=headers).json()


def png(width: int = 48, height: int = 40, seed: int = 0) -> bytes:
    """A noisy picture as the bytes of a PNG."""
    data = io.BytesIO()
    Image.fromarray(noisy(width, height, seed)).save(data, "PNG")
    return data.getvalue()


@contextlib.contextmanager
def served(folder: Path, limits: Limits | None = None, tokens: tuple[str, ...] = (), **more: Any) -> Iterator[Served]:
    """A service with a fake pool, as long as the context lasts."""
    limits, pool, metrics = limits or Limits(), FakePool(), Metrics()
    store = Store(folder)
    queue = JobQueue(store, pool, Turns(), limits, metrics)
    service = Service(store, queue, limits, Tokens(tokens, **more), metrics)
    queue.start()
    try:
        with TestClient(Programs(service), raise_server_exceptions=False) as http:
            yield Served(service, pool, http)
    finally:
        service.close()
        store.close()


def restored_as_the_library_does(client: Client, prior: Path, folder: Path) -> Restored:
    """What a service that has that prior makes of a picture, byte for byte as `ldrps.restore` does."""
    import ldrps

    (folder / "noisy.png").write_bytes(png())
    restored = client.restore(folder / "noisy.png", preset="fast", seed=3, strength={"tone": 0.0})
    result = ldrps.restore(folder / "noisy.png", preset="fast", seed=3, strength={"tone": 0.0}, prior=prior)
    result.save(folder / "same.png", trace=False)
    assert restored.picture == (folder / "same.png").read_bytes()
    assert restored.words == result.words and restored.media == "image/png"
    return restored
