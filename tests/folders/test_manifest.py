"""What is remembered of pictures, and what follows from it."""

from __future__ import annotations

import dataclasses
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from ldrps.errors import InputError, OutputError
from ldrps.folders import alive
from ldrps.folders.alive import SILENCE, Process
from ldrps.folders.manifest import Manifest, standing_of
from ldrps.folders.names import MANIFEST
from ldrps.folders.standing import Place, Source
from ldrps.jobs import Job, Output

Open = Callable[..., Manifest]


@pytest.fixture
def job(tmp_path: Path) -> Job:
    (tmp_path / "a.png").write_text("picture")
    return Job(tmp_path / "a.png", tmp_path / "out" / "a.png")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "out", "recipe", Output(), time.time())


@pytest.fixture
def opened(place: Place) -> Iterator[Open]:
    """A manifest as another process, or a later run, would open it; changes are of its place."""
    with ExitStack() as stack:

        def open_it(**changes: object) -> Manifest:
            later = {"began": time.time()} | changes
            return stack.enter_context(closing(Manifest(dataclasses.replace(place, **later))))  # type: ignore[arg-type]

        yield open_it


def do(manifest: Manifest, job: Job, text: str = "result") -> None:
    source = Source(job.source)
    assert manifest.claim(job, source).state == "open"
    manifest.writing(job)
    job.target.write_text(text)
    manifest.finished(job, source)


def test_what_is_finished_is_not_done_again(opened: Open, job: Job, tmp_path: Path) -> None:
    do(opened(), job)
    again = opened()
    assert again.look(job).state == "finished"
    assert again.claim(job, Source(job.source)).state == "finished"
    os.utime(job.source, (1, 1))
    assert again.look(job).state == "finished", "touched, and the same"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Source, "content", property(lambda self: pytest.fail("read again")))
        assert again.look(job).state == "finished"
    moved = Job(job.source.rename(tmp_path / "b.png"), job.target)
    assert again.look(moved).state == "finished", "moved, and the same"


def test_what_is_missing_or_changed_is(opened: Open, job: Job) -> None:
    do(opened(), job)
    assert opened(recipe="other").look(job) == dataclasses.replace(opened().look(job), state="open", overwrite=True)
    with_sheet = opened(output=Output(compare=True)).look(job)
    assert (with_sheet.state, with_sheet.overwrite) == ("open", True)
    assert opened(output=Output(overwrite=True)).look(job).state == "open"
    job.source.write_text("another picture")
    changed = opened().look(job)
    assert (changed.state, changed.overwrite) == ("open", True), "our own result may be replaced"
    job.source.write_text("picture")
    job.target.unlink()
    assert opened().look(job).state == "open"


def test_what_is_not_ours_is_not_replaced(opened: Open, job: Job, tmp_path: Path) -> None:
    job.target.parent.mkdir()
    job.target.write_text("somebody else's")
    assert not opened().look(job).overwrite
    job.target.unlink()
    do(opened(), job)
    job.target.write_text("our result, painted over")
    edited = opened(recipe="other").look(job)
    assert (edited.state, edited.overwrite) == ("open", False)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "a.png").write_text("of another day")
    other = opened().look(Job(tmp_path / "other" / "a.png", job.target))
    assert other.state == "failed" and "is the result of" in other.reason and "--force" in other.reason


def test_with_force_once_in_a_run(opened: Open, job: Job) -> None:
    do(opened(), job)
    forced, began = Output(overwrite=True), time.time()
    one, other = (opened(output=forced, began=began) for _ in range(2))
    assert one.look(job).state == "open"
    do(one, job)
    assert other.look(job).state == "finished", "by the other process of this run"


def test_a_failure_is_tried_again_by_the_next_run(opened: Open, job: Job) -> None:
    began = time.time()
    one, other = opened(began=began), opened(began=began)
    one.claim(job, Source(job.source))
    one.failed(job, "it is broken")
    assert other.claim(job, Source(job.source)) == other.look(job)
    assert (other.look(job).state, other.look(job).reason) == ("failed", "it is broken")
    assert opened().look(job).state == "open"
    job.source.write_text("mended")
    assert other.look(job).state == "open"


def test_what_a_failure_left_is_ours(opened: Open, job: Job) -> None:
    manifest = opened()
    manifest.claim(job, Source(job.source))
    manifest.writing(job)
    job.target.write_text("the picture, and no room for the sheet")
    manifest.failed(job, "the disk is full", is_torn=True)
    assert manifest.look(job).state == "failed"
    assert (opened().look(job).state, opened().look(job).overwrite) == ("open", True)


def test_a_claim_ends_with_its_process(opened: Open, place: Place, job: Job) -> None:
    """A process that is killed while it writes: others see at once that it is gone, and that the file is its own."""
    program = """
import sys, time
from pathlib import Path
from ldrps.folders.manifest import Manifest
from ldrps.folders.standing import Place, Source
from ldrps.jobs import Job, Output
source, target = map(Path, sys.argv[1:])
manifest, job = Manifest(Place(target.parent, "recipe", Output(), time.time())), Job(source, target)
assert manifest.claim(job, Source(source)).state == "open"
manifest.writing(job)
target.write_text("half")
(target.parent / ".ldrps-partial-1").touch()
print("writing", flush=True)
time.sleep(60)
"""
    manifest = opened()
    words = [sys.executable, "-c", program, str(job.source), str(job.target)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "writing\n"
        assert manifest.look(job).state == "busy" and manifest.claim(job, Source(job.source)).state == "busy"
        manifest.sweep()
        assert (place.root / ".ldrps-partial-1").exists(), "it may be writing that"
        process.kill()
        process.wait()
        standing = manifest.claim(job, Source(job.source))
    assert (standing.state, standing.overwrite) == ("open", True)
    manifest.sweep()
    assert not (place.root / ".ldrps-partial-1").exists()


def test_closing_and_releasing_give_back(opened: Open, job: Job) -> None:
    one, other = opened(), opened()
    one.claim(job, Source(job.source))
    assert other.look(job).state == "busy"
    assert other.claim(job, Source(job.source)).state == "busy"
    one.release(job)
    assert other.claim(job, Source(job.source)).state == "open"
    other.close()
    assert one.claim(job, Source(job.source)).state == "open"


def test_other_machines_are_believed_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    this = Process.this()
    assert not this.is_gone(10 * SILENCE), "on this machine nobody needs to speak"
    there = dataclasses.replace(this, host="elsewhere", pid=1)
    assert not there.is_gone(SILENCE / 2) and there.is_gone(SILENCE + 1)
    with monkeypatch.context() as patch:
        patch.setattr(alive, "_born", lambda pid: "another tick")
        assert this.is_gone(0), "its number belongs to another process now"


def test_names_that_are_no_text(opened: Open, tmp_path: Path) -> None:
    source = tmp_path / os.fsdecode(b"\xff\n.png")
    source.write_text("picture")
    job = Job(source, tmp_path / "out" / source.name)
    do(opened(), job)
    assert opened().look(job).state == "finished"


def test_a_plan_touches_nothing(opened: Open, place: Place, job: Job) -> None:
    assert standing_of(job, place).state == "open"
    assert not place.root.exists()
    manifest = opened()
    do(manifest, job)
    assert standing_of(job, place).state == "finished"
    manifest.close()
    before = sorted(place.root.iterdir())
    assert standing_of(job, place).state == "finished"
    assert sorted(place.root.iterdir()) == before and MANIFEST in [path.name for path in before]


def test_what_cannot_be_used_is_named(place: Place, opened: Open, job: Job, tmp_path: Path) -> None:
    do(opened(), job)
    job.source.unlink()
    with pytest.raises(InputError, match=r"a\.png cannot be found"):
        opened().look(job)
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot write"):
        Manifest(dataclasses.replace(place, root=tmp_path / "file" / "out"))
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / MANIFEST).write_text("this is no database, and long enough to be looked at" * 50)
    with pytest.raises(OutputError, match="none of ours"):
        Manifest(dataclasses.replace(place, root=tmp_path / "bad"))


def test_a_full_disk_is_an_error_of_ours(opened: Open, job: Job) -> None:
    manifest = opened()
    manifest._database.execute("PRAGMA max_page_count = 1")
    many = [dataclasses.replace(job, target=job.target.with_name(f"{number}.png")) for number in range(2000)]
    with pytest.raises(OutputError, match="full"):
        all(manifest.claim(each, Source(job.source)) for each in many)
    with closing(sqlite3.connect(manifest.path)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
