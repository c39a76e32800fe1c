"""What the service does with requests, apart from HTTP: jobs are taken in, looked up, waited for and forgotten."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from ldrps.cost import estimate
from ldrps.errors import LdrpsError
from ldrps.service.ask import Ask
from ldrps.service.limits import Limits, check_picture
from ldrps.service.live import Live
from ldrps.service.metrics import Metrics
from ldrps.service.problems import Problem
from ldrps.service.queue import JobQueue
from ldrps.service.receiving import Received
from ldrps.service.rows import Row
from ldrps.service.store import Store
from ldrps.service.tokens import Tokens

logger = logging.getLogger(__name__)

_ROUND = 5.0  # seconds between looks at what is no longer kept
_LOOK = 0.05  # seconds between looks at a job that somebody waits for


class Service:
    """The jobs of programs.

    Args:
        store: where they are kept.
        queue: that carries them out.
        limits: what is refused.
        tokens: who is let in.
        metrics: where what happens is counted.
    """

    def __init__(self, store: Store, queue: JobQueue, limits: Limits, tokens: Tokens, metrics: Metrics) -> None:
        self.store, self.queue, self.limits, self.tokens, self.metrics = store, queue, limits, tokens, metrics
        self._arriving: set[str] = set()  # names of jobs whose files are still coming
        self._keys: set[tuple[str, str]] = set()  # the same of owners and keys
        self._closed = threading.Event()
        self._watch()
        self._house = threading.Thread(target=self._keep_house, name="ldrps-service-house", daemon=True)
        self._house.start()

    @property
    def not_ready(self) -> str:
        """Why no job would be taken now; "" if one would."""
        if self._closed.is_set():
            return "draining"
        if not self.queue.is_ready.is_set():
            return "loading"
        if self.queue.failure is not None:
            return "broken"
        return "full" if self.queue.is_full else ""

    def _watch(self) -> None:
        """Have what is so at the moment told to who reads the metrics."""
        queue, watch = self.queue, self.metrics.watch
        watch("ldrps_queue_jobs", "Jobs that wait.", lambda: queue.waiting)
        watch("ldrps_queue_limit", "Jobs that may wait.", lambda: self.limits.waiting)
        watch("ldrps_queue_seconds", "Until all are done, as far as can be told.", queue.seconds_of_all)
        watch("ldrps_running", "Jobs that are being carried out.", lambda: queue.is_running)
        watch("ldrps_ready", "Whether a job would be taken.", lambda: not self.not_ready)

    @contextlib.contextmanager
    def arriving(self, owner: str, key: str | None) -> Iterator[Path]:
        """A folder for the files of a job that is coming in; it is deleted unless the job is kept by then.

        Raises:
            Problem: another request with the same key is coming in, or there is no room for a job that is new.
        """
        if key is None:  # else it may be one that is known
            self.queue.refuse_full()
        name = uuid.uuid4().hex
        if key is not None and (owner, key) in self._keys:
            raise Problem(409, f"another request with the Idempotency-Key {key[:80]} is still coming in", retry_after=1)
        self._arriving.add(name)
        if key is not None:
            self._keys.add((owner, key))
        folder = self.store.place(name)
        try:
            yield folder
        finally:
            self._keys.discard((owner, key or ""))
            if name in self._arriving:
                shutil.rmtree(folder, ignore_errors=True)
            self._arriving.discard(name)

    def known(self, owner: str, key: str, digest: str) -> Row | None:
        """The job that was asked for before with the same key; None if there is none.

        Raises:
            Problem: it is another one.
        """
        row = self.store.known(owner, key)
        if row is not None and row.digest != digest:
            raise Problem(
                422,
                f"the Idempotency-Key {key} was given with another request: take a new one",
                field="Idempotency-Key",
            )
        return row

    def take(self, owner: str, key: str | None, received: Received, ask: Ask) -> Live:
        """Put a request that has arrived in the queue, if its picture may be restored.

        Raises:
            Problem: it may not, or there is no room.
        """
        size = check_picture(received.files, ask.settings, self.limits, first_frame=ask.first_frame)
        for path in received.files.values():
            _sync(path)
        _sync(received.folder)
        row = Row(
            id=received.folder.name,
            number=0,
            owner=owner,
            key=key,
            digest=received.digest,
            state="waiting",
            ask=dict(ask.plain),
            parts=received.parts,
            size=size,
            cost=estimate(size, ask.settings).seconds,
            created=time.time(),
        )
        try:
            live = self.queue.join(row, ask)
            self._arriving.discard(row.id)
            return live
        except KeyError as error:
            raise Problem(
                409, f"another request with the Idempotency-Key {key} has just come", retry_after=1
            ) from error

    def find(self, owner: str, name: str) -> Row:
        """A job of an owner.

        Raises:
            Problem: there is none.
        """
        row = self.store.find(name, owner)
        if row is None:
            raise Problem(404, f"there is no job {name[:40]}, or no more: jobs are kept {self.limits.keep:g} s")
        return row

    def result(self, owner: str, name: str) -> tuple[Row, Path]:
        """A job of an owner, and the file of its result.

        Raises:
            Problem: there is none, as there is no such job, or it is not over, or has failed.
        """
        row = self.find(owner, name)
        if not row.is_over and self._closed.is_set():
            raise Problem(503, "the server is about to end; it does what waits when it is back", retry_after=10)
        if not row.is_over:
            live = self.queue.live(name)
            left = 1.0 if live is None else self.queue.seconds_left(live)
            raise Problem(409, f"the job is {row.state}: wait for its end", retry_after=left)
        if row.state != "done" or row.file is None:
            raise Problem(row.status or 500, row.reason)
        return row, self.store.place(row.id) / row.file

    def forget(self, owner: str, name: str) -> None:
        """Stop a job of an owner, and delete it.

        Raises:
            Problem: there is none.
        """
        self.find(owner, name)
        self.queue.forget(name)

    async def over(self, name: str, seconds: float) -> bool:
        """Wait for a job, for so many seconds at most; whether it is over."""
        until = time.monotonic() + seconds
        while (live := self.queue.live(name)) is not None and not live.is_over.is_set():
            if time.monotonic() >= until:
                return False
            await asyncio.sleep(_LOOK)
        return True

    def close(self) -> None:
        """Take no more jobs, and stop; those that are not over are kept for the next server."""
        self._closed.set()
        self._house.join()
        self.queue.close()

    def tidy(self) -> None:
        """Forget what was kept for as long as was promised, and delete files that belong to nothing."""
        over, now = self.store.over(), time.time()
        for number, row in enumerate(over):
            if now - (row.ended or now) > self.limits.keep or len(over) - number > self.limits.kept:
                self.store.delete(row.id)
        self.store.sweep(set(self._arriving))
        self.store.beat()

    def _keep_house(self) -> None:
        while not self._closed.wait(min(_ROUND, self.limits.keep)):
            try:
                self.tidy()
            except LdrpsError:
                logger.exception("what is over could not be deleted")


def _sync(path: Path) -> None:
    """Have the system write a file, or a folder, to the disk: a job that is promised outlives a power cut."""
    if os.name != "posix" and path.is_dir():
        return
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
