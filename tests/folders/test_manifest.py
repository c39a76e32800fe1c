"""What is remembered of pictures, and what follows from it."""

from __future__ import annotations

import dataclasses
import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest

from ldrps.errors import InputError, OutputError
from ldrps.folders import alive
from ldrps.folders import manifest as manifests
from ldrps.folders.alive import SILENCE, Process
from ldrps.folders.manifest import Manifest, status_of
from ldrps.folders.names import MANIFEST
from ldrps.folders.status import Place, Source
from ldrps.image.files import partial_name
from ldrps.run.fingerprint import FileFingerprint
from ldrps.run.job import Job, Output

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
    source, mark = Source(job.source), manifest.place.mark(job)
    assert manifest.claim(job, source).state == "open"
    manifest.writing(job)
    for path in (job.target, *manifest.place.output.beside(job)):
        path.write_text(text)
    manifest.finished(job, source, mark)


def age(path: Path, seconds: float) -> None:
    """Let a file have changed so long ago."""
    os.utime(path, (time.time() - seconds,) * 2)


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


@pytest.mark.parametrize("is_torn", [False, True])
@pytest.mark.parametrize("fails", [False, True])
def test_what_was_half_written_stays_ours_when_the_next_run_is_broken_off(
    opened: Open, job: Job, is_torn: bool, fails: bool
) -> None:
    first = opened()
    first.claim(job, Source(job.source))
    first.writing(job)
    job.target.write_text("the picture, and nothing of the sheet")
    if is_torn:
        first.failed(job, "an error in the middle", is_torn=True)
    first.close()
    for _ in range(2):
        run = opened()
        status = run.claim(job, Source(job.source))
        assert (status.state, status.overwrite, status.is_torn) == ("open", True, True)
        if fails:
            run.failed(job, "out of memory", is_torn=status.is_torn)
        else:
            run.release(job)
        run.close()
    do(opened(), job)
    assert opened().look(job).state == "finished"


def test_who_does_it_over_holds_it(opened: Open, job: Job) -> None:
    one, other = opened(), opened()
    one.claim(job, Source(job.source))
    one.failed(job, "an error in the middle", is_torn=True)
    later = opened()
    later.claim(job, Source(job.source))
    assert other.look(job).state == "busy"
    later.close()
    assert other.look(job).state == "open"


def test_what_lies_beside_a_result_must_be_as_new(opened: Open, job: Job) -> None:
    outputs = Output(compare=True, trace=True, samples=2)
    do(opened(output=outputs), job)
    assert opened(output=outputs).look(job).state == "finished"
    beside = outputs.beside(job)
    assert len(beside) == 5
    for path in beside:
        age(path, 60)
        status = opened(output=outputs).look(job)
        assert (status.state, status.overwrite) == ("open", True), path.name
        path.touch()
    assert opened(output=outputs).look(job).state == "finished"


def test_a_sheet_of_other_settings_is_made_again(opened: Open, job: Job) -> None:
    with_sheet = Output(compare=True)
    do(opened(output=with_sheet), job)
    age(job.target, 60)
    age(job.sheet, 60)
    do(opened(recipe="best"), job)
    assert opened(recipe="best").look(job).state == "finished"
    status = opened(recipe="best", output=with_sheet).look(job)
    assert (status.state, status.overwrite) == ("open", True)


def test_a_copy_with_coarse_times_is_finished(opened: Open, job: Job) -> None:
    with_sheet = Output(compare=True)
    do(opened(output=with_sheet), job)
    for path in (job.target, job.sheet):
        os.utime(path, ns=(0, path.stat().st_mtime_ns // 10**9 * 10**9))
    assert opened(output=with_sheet).look(job).state == "finished"


@pytest.mark.parametrize("apart", [False, True])
def test_a_changed_text_is_another_result(opened: Open, job: Job, tmp_path: Path, apart: bool) -> None:
    folder = tmp_path / "texts" if apart else None
    text = (folder or tmp_path) / "a.txt"
    text.parent.mkdir(exist_ok=True)
    recipe = FileFingerprint("recipe", folder)
    do(opened(), job)
    assert opened(recipe=recipe).look(job).state == "finished", "without a text it is as without captions"
    text.write_text("a boat")
    do(opened(recipe=recipe), job)
    assert opened(recipe=recipe).look(job).state == "finished"
    text.write_text("a goat")
    changed = opened(recipe=recipe).look(job)
    assert (changed.state, changed.overwrite) == ("open", True)
    do(opened(recipe=recipe), job)
    text.unlink()
    assert opened(recipe=recipe).look(job).state == "open"
    assert opened().look(job).state == "open"


def test_a_claim_ends_with_its_process(opened: Open, place: Place, job: Job) -> None:
    """A process that is killed while it writes: others see at once that it is gone, and that the file is its own."""
    program = """
import sys, time
from pathlib import Path
from ldrps.folders.manifest import Manifest
from ldrps.folders.status import Place, Source
from ldrps.image.files import partial_name
from ldrps.run.job import Job, Output
source, target = map(Path, sys.argv[1:])
manifest, job = Manifest(Place(target.parent, "recipe", Output(), time.time())), Job(source, target)
assert manifest.claim(job, Source(source)).state == "open"
manifest.writing(job)
target.write_text("half")
(target.parent / partial_name()).touch()
print("writing", flush=True)
sys.stdin.read()
"""
    manifest = opened()
    words = [sys.executable, "-c", program, str(job.source), str(job.target)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "writing\n"
        assert manifest.look(job).state == "busy" and manifest.claim(job, Source(job.source)).state == "busy"
        manifest.sweep()
        assert list(place.root.glob(".ldrps-partial-*")), "it may be writing that"
        process.kill()
        process.wait()
        status = manifest.claim(job, Source(job.source))
    assert (status.state, status.overwrite) == ("open", True)
    manifest.sweep()
    assert not list(place.root.glob(".ldrps-partial-*"))


def test_a_file_that_a_process_without_a_manifest_writes_is_left_alone(opened: Open, job: Job, place: Place) -> None:
    manifest = opened()
    do(manifest, job)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, text=True) as process:
        number = process.pid
        names = [f".ldrps-partial-{number}-{part}" for part in ("00", "01", "02")]
        fresh, before_it_began, stuck = (place.root / name for name in names)
        for path in (fresh, before_it_began, stuck):
            path.touch()
        age(before_it_began, 1200)
        age(stuck, 7200)
        manifest.sweep()
        assert fresh.exists() and not stuck.exists()
        if sys.platform == "linux":
            assert not before_it_began.exists(), "of another process that had its number"
        process.communicate("\n")
    manifest.sweep()
    assert not fresh.exists()


def test_a_file_that_nobody_has_touched_for_an_hour_is_removed(
    opened: Open, job: Job, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ldrps.folders.sweep.ran", lambda pid, ago: True)
    manifest = opened()
    do(manifest, job)
    paths = [place.root / partial_name() for _ in range(2)]
    for path, minutes in zip(paths, (55, 65), strict=True):
        path.touch()
        age(path, 60 * minutes)
    manifest.sweep()
    assert [path.exists() for path in paths] == [True, False]


def test_a_file_that_this_process_writes_is_left_alone(opened: Open, job: Job, place: Place) -> None:
    manifest = opened()
    do(manifest, job)
    path = place.root / partial_name()
    path.touch()
    manifest.sweep()
    assert path.exists()


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
    assert status_of(job, place).state == "open"
    assert not place.root.exists()
    manifest = opened()
    do(manifest, job)
    assert status_of(job, place).state == "finished"
    manifest.close()
    before = sorted(place.root.iterdir())
    assert status_of(job, place).state == "finished"
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
    with pytest.raises(OutputError, match="no manifest of ldrps"):
        Manifest(dataclasses.replace(place, root=tmp_path / "bad"))


@pytest.mark.skipif(sys.platform == "win32", reason="no such pipes")
def test_a_pipe_is_refused_and_not_waited_for(opened: Open, place: Place, tmp_path: Path) -> None:
    job = Job(tmp_path / "pipe.jpg", tmp_path / "out" / "pipe.jpg")
    os.mkfifo(job.source)
    for look in (opened().look, lambda each: status_of(each, place)):
        with pytest.raises(InputError, match=r"pipe\.jpg is no file but"):
            look(job)


@contextmanager
def locked(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that writes to a new manifest until it is told to end, before it is switched to a log."""
    program = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.readline()
"""
    path.parent.mkdir()
    words = [sys.executable, "-c", program, str(path)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None and process.stdout is not None
        assert process.stdout.readline() == "locked\n"
        yield process
        process.stdin.close()


def test_a_lock_that_stays_has_a_remedy_of_its_own(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manifests, "_PATIENCE", 0.1)
    with locked(place.root / MANIFEST), pytest.raises(OutputError, match=r"is locked.*wait for its end") as raised:
        Manifest(place)
    assert "make room" not in str(raised.value)


def test_a_lock_on_a_new_manifest_is_waited_for(opened: Open, place: Place, job: Job) -> None:
    with locked(place.root / MANIFEST) as other:
        timer = threading.Timer(0.3, lambda: other.communicate("\n"))
        timer.start()
        do(opened(), job)
        timer.join()
    assert opened().look(job).state == "finished"


def test_two_commands_begun_together_on_a_new_folder(tmp_path: Path) -> None:
    program = """
import sys, time
from pathlib import Path
from ldrps.folders.manifest import Manifest
from ldrps.folders.status import Place
from ldrps.run.job import Output
print("ready", flush=True)
for line in sys.stdin:
    root, start = line.split()
    while time.time() < float(start):
        pass
    try:
        Manifest(Place(Path(root), "recipe", Output(), 0.0))
        print("opened", flush=True)
    except Exception as error:
        print(error, flush=True)
"""
    with ExitStack() as stack:
        words = [sys.executable, "-c", program]
        pipe = subprocess.PIPE
        two = [stack.enter_context(subprocess.Popen(words, stdin=pipe, stdout=pipe, text=True)) for _ in range(2)]
        assert [process.stdout.readline() for process in two] == ["ready\n"] * 2  # type: ignore[union-attr]
        for trial in range(15):
            for process in two:
                process.stdin.write(f"{tmp_path / str(trial)} {time.time() + 0.01}\n")  # type: ignore[union-attr]
                process.stdin.flush()  # type: ignore[union-attr]
            assert [process.stdout.readline() for process in two] == ["opened\n"] * 2  # type: ignore[union-attr]


def test_a_full_disk_is_an_error_of_ours(opened: Open, job: Job) -> None:
    manifest = opened()
    manifest._database.execute("PRAGMA max_page_count = 1")
    many = [dataclasses.replace(job, target=job.target.with_name(f"{number}.png")) for number in range(2000)]
    with pytest.raises(OutputError, match="full"):
        all(manifest.claim(each, Source(job.source)) for each in many)
    with closing(sqlite3.connect(manifest.path)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
