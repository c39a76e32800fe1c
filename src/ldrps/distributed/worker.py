"""A worker of a cluster: pictures are fetched, restored in a process of their own, and put where their results go.

It knows nothing of Ray, which starts it as an actor, and hands it a few rows of the manifest at a time.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ldrps.distributed.state import Pinned
from ldrps.distributed.store import Store
from ldrps.errors import InputError, LdrpsError, OutputError, SettingsError
from ldrps.printable import printable
from ldrps.run.handle import WorkerLost
from ldrps.run.job import Job
from ldrps.run.outcome import Outcome
from ldrps.run.pool import ProcessPool, until_over
from ldrps.run.recipe import Recipe
from ldrps.run.restoring import Restoring
from ldrps.run.share import wait_briefly

_TRIES = 2  # at a picture whose process dies: the first may have been of another's making
_HOPELESS = 2  # failures to write, in a row, after which the next would fail likewise


@dataclass(frozen=True)
class Errand:
    """What a worker does with each picture; sent to it once.

    Attributes:
        recipe: how they are restored.
        pinned: what was found out once for all machines.
        source, out: where they are, and where the results go.
        number: of the pass.
    """

    recipe: Recipe
    pinned: Pinned
    source: Store
    out: Store
    number: int


@dataclass(frozen=True)
class Row:
    """What became of a picture, as it is written down.

    Attributes:
        id: of the picture, see `Listed.id`.
        key, target: of the picture and of its result, as the system names files.
        number: of the pass.
        state: "done" or "failed".
        reason: of the failure.
        words: what was found and done.
        unchanged: whether the result is the picture as it was.
        seconds: that restoring took, without fetching and putting.
        size, digest: of the result's file, in bytes, and its SHA-256.
        machine: with which instructions it was computed; the bytes of results depend on them.
    """

    id: int
    key: bytes
    target: bytes
    number: int
    state: str
    reason: str = ""
    words: str = ""
    unchanged: bool = False
    seconds: float = 0.0
    size: int = 0
    digest: str = ""
    machine: str = ""


class Worker:
    """Restores pictures, one at a time. The next is fetched, and the last one put, meanwhile.

    Raises:
        SettingsError: ldrps or torch are of another version here than where the run was begun.
    """

    def __init__(self, errand: Errand) -> None:
        pinned = errand.pinned
        os.environ["OMP_NUM_THREADS"] = str(pinned.threads)
        wait_briefly()
        self._errand = errand
        check_versions(pinned)
        self._machine = f"{instructions()}, {pinned.dtype}"
        output = replace(errand.recipe.output, max_memory=pinned.max_memory, overwrite=True)
        self._pool = ProcessPool(Restoring(replace(errand.recipe, output=output)), 1)
        self._pool.start()
        self._carriers = ThreadPoolExecutor(2)
        self._scratch = tempfile.TemporaryDirectory(prefix="ldrps-")
        self._count = self._unwritten = 0

    def close(self) -> None:
        """Let go of the process and of what lies about."""
        self._carriers.shutdown()
        self._pool.close()
        self._scratch.cleanup()

    def __call__(self, pictures: Iterable[tuple[int, bytes, bytes]]) -> list[dict[str, Any]]:
        """Restore pictures, each given as its id, its key and the key of its result; a row of each, as in `Row`.

        Raises:
            LdrpsError: what no picture could be restored with, or no result be written.
        """
        rows = [
            Row(id_, key, target, self._errand.number, "failed", machine=self._machine) for id_, key, target in pictures
        ]
        return [asdict(each.result()) for each in [*self._done(rows)]]

    def _done(self, rows: list[Row]) -> Iterator[Future[Row]]:
        fetched = [self._carriers.submit(self._fetch, row) for row in rows[:1]]
        for number, row in enumerate(rows):
            job = fetched[number].result()
            fetched += [self._carriers.submit(self._fetch, each) for each in rows[number + 1 : number + 2]]
            outcome = job if isinstance(job, Outcome) else self._restored(job)
            yield self._carriers.submit(self._put, row, outcome)

    def _fetch(self, row: Row) -> Job | Outcome:
        """The picture of a row on this machine, under its own name; or why it cannot be had."""
        key = os.fsdecode(row.key)
        self._count += 1
        folder = Path(self._scratch.name, str(self._count))
        (folder / "in").mkdir(parents=True)
        job = Job(folder / "in" / Path(key).name, folder / "out" / Path(os.fsdecode(row.target)).name)
        try:
            self._errand.source.get(key, job.source)
        except LdrpsError as error:
            return Outcome(job, "failed", reason=error.on_command_line)
        except OSError as error:  # a name that this disk cannot have
            return Outcome(job, "failed", reason=f"{self._errand.source.url_of(key)}: {error.strerror or error}")
        return job

    def _restored(self, job: Job) -> Outcome:
        """What became of a job. One whose process dies is tried once more, and then a failure of its picture."""
        for tried in range(1, _TRIES + 1):
            handle = self._pool.submit(job)
            until_over(self._pool, handle)
            try:
                return handle.result()
            except WorkerLost as lost:
                if tried == _TRIES:
                    return Outcome(job, "failed", reason=f"{job.source}: {lost} Give --max-memory")
        raise AssertionError("it is tried at least once")

    def _put(self, row: Row, outcome: Outcome) -> Row:
        """Put the result where it belongs; what is to be written down."""
        job, target = outcome.job, os.fsdecode(row.target)
        try:
            if outcome.state != "done":
                return replace(row, reason=self._named(outcome.reason, row, job), seconds=outcome.seconds)
            folder = target.rpartition("/")[0]
            # What is beside it first: where the result is, all is.
            for path in reversed(outcome.written):
                self._errand.out.put(f"{folder}/{path.name}".lstrip("/"), path)
            self._unwritten = 0
            data = job.target.read_bytes()
            return replace(
                row,
                state="done",
                words=outcome.words,
                unchanged=outcome.unchanged,
                seconds=outcome.seconds,
                size=len(data),
                digest=hashlib.sha256(data).hexdigest(),
            )
        except OutputError as error:
            self._unwritten += 1
            if self._unwritten >= _HOPELESS:
                raise OutputError(
                    f"stopped after {self._unwritten} results in a row that could not be written: {error}; then run "
                    "the same command again"
                ) from error
            return replace(row, reason=str(error), seconds=outcome.seconds)
        finally:
            _clear(job)

    def _named(self, reason: str, row: Row, job: Job) -> str:
        """A reason in which files go by where they are, not by where they lay on this machine."""
        source = self._errand.source.url_of(os.fsdecode(row.key))
        target = self._errand.out.url_of(os.fsdecode(row.target))
        for path, name in ((job.source, source), (job.target, target)):
            for said in (repr(str(path)), printable(path), str(path)):
                reason = reason.replace(said, name)
        return printable(reason)


def _clear(job: Job) -> None:
    """Remove the files of a job from this machine."""
    shutil.rmtree(job.source.parents[1], ignore_errors=True)


def check_versions(pinned: Pinned) -> None:
    """Refuse a machine whose results would differ from those of the others.

    Raises:
        SettingsError: its ldrps or torch is of another version than where the run was begun.
    """
    here = versions()
    for name, version in (("ldrps", pinned.ldrps), ("torch", pinned.torch)):
        if here[name] != version:
            raise SettingsError(
                f"{name} is {here[name]} on {platform.node()}, and the run was begun with {version}: install that, "
                "or give another --out"
            )


def versions() -> dict[str, str]:
    """Of ldrps and torch on this machine."""
    from importlib.metadata import PackageNotFoundError, version

    import ldrps

    try:
        # Not its build, +cpu or +cu130, which the machines of one cluster may differ in.
        return {"ldrps": ldrps.__version__, "torch": version("torch").partition("+")[0]}
    except PackageNotFoundError as error:
        raise InputError("torch is not installed on this machine: install ldrps there as here") from error


def instructions() -> str:
    """Which instructions torch computes with on this machine: AVX512 and the like."""
    import torch

    return torch.backends.cpu.get_cpu_capability()
