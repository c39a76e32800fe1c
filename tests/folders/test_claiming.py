"""One process's way with a job: what is kept of it when it ends well, badly, or in the middle."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import pytest

from ldrps.errors import Cancelled, OutputError
from ldrps.findings import Findings
from ldrps.folders.claiming import claimed
from ldrps.folders.manifest import Manifest
from ldrps.folders.status import Place
from ldrps.image.files import taken
from ldrps.run.batch import Batch
from ldrps.run.fingerprint import FileFingerprint, Fingerprint
from ldrps.run.job import Job, Output
from ldrps.run.outcome import Outcome
from ldrps.run.restoring import tried


class Result:
    words, unchanged, findings = "", False, Findings()


class Restored:
    def __init__(self, job: Job) -> None:
        self.job, self.result = job, Result()


class Fake:
    """Writes words in place of a picture and a sheet; `make` and `sheet` are called before each is there."""

    def __init__(self, make: Callable[[], None] = lambda: None, sheet: Callable[[], None] = lambda: None) -> None:
        self.output, self.before_make, self.before_sheet = Output(compare=True), make, sheet

    def check(self, job: Job, *, overwrite: bool) -> None:
        for path in (job.target, job.sheet):
            if path.exists() and not overwrite:
                raise taken(path)

    def load(self, job: Job) -> None:
        self.before_make()

    def restore(self, job: Job, picture: None, on_step: object) -> Restored:
        return Restored(job)

    def write(self, made: Restored, *, overwrite: bool) -> list[Path]:
        self.check(made.job, overwrite=overwrite)
        made.job.target.parent.mkdir(exist_ok=True)
        made.job.target.write_text("restored")
        self.before_sheet()
        made.job.sheet.write_text("before and after")
        return [made.job.target, made.job.sheet]


@pytest.fixture
def job(tmp_path: Path) -> Job:
    (tmp_path / "a.png").write_text("picture")
    return Job(tmp_path / "a.png", tmp_path / "out" / "a.png")


def run(job: Job, batch: Fake, recipe: Fingerprint = "recipe") -> Outcome:
    """A run of its own over one job."""
    place = Place(job.target.parent, recipe, batch.output, time.time())
    with closing(Manifest(place)) as manifest:
        return tried(job, lambda: claimed(job, cast(Batch, batch), manifest, lambda tick: True))


def fail(kind: type[BaseException] = OutputError, *words: Any) -> Callable[[], None]:
    def call() -> None:
        raise kind(*words)

    return call


def test_what_was_stopped_is_given_back(job: Job) -> None:
    with pytest.raises(Cancelled):
        run(job, Fake(make=fail(Cancelled, "stopped after step 1 of 2")))
    assert not job.target.exists() and run(job, Fake()).state == "done"


@pytest.mark.parametrize("first", [fail(KeyboardInterrupt), fail(OutputError, "an error in the middle")])
@pytest.mark.parametrize("second", [fail(KeyboardInterrupt), fail(MemoryError)])
def test_files_that_are_half_written_stay_ours(job: Job, first: Callable[[], None], second: Callable[[], None]) -> None:
    for batch in (Fake(sheet=first), Fake(make=second), Fake(make=second)):
        try:
            outcome = run(job, batch)
        except KeyboardInterrupt:
            continue
        assert outcome.state == "failed" and "exists" not in outcome.reason
    assert job.target.exists() and not job.sheet.exists()
    assert run(job, Fake()).state == "done"
    assert run(job, Fake()).state == "finished"


def test_files_of_others_do_not_become_ours(job: Job) -> None:
    def others() -> None:
        job.target.parent.mkdir(exist_ok=True)
        job.target.write_text("of somebody else")

    for batch in (Fake(make=others), Fake(), Fake()):
        outcome = run(job, batch)
        assert outcome.state == "failed" and "exists" in outcome.reason
    assert job.target.read_text() == "of somebody else"


@pytest.mark.parametrize("name", ["a.txt", "a.png"])
def test_a_text_or_a_picture_that_changes_during_the_work_is_done_again(job: Job, name: str) -> None:
    recipe = FileFingerprint("recipe")
    (job.source.with_name("a.txt")).write_text("a boat")
    changing = Fake(lambda: job.source.with_name(name).write_text("changed"))
    states = [run(job, batch, recipe).state for batch in (changing, Fake(), Fake())]
    assert states == ["done", "done", "finished"]


@pytest.mark.skipif(sys.platform == "win32", reason="no such pipes")
def test_a_pipe_fails_and_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    outcome = run(Job(tmp_path / "pipe.jpg", tmp_path / "out" / "pipe.jpg"), Fake())
    assert outcome.state == "failed" and "is no file" in outcome.reason
