"""Rows of a manifest that somebody else has written: each is refused in words, and nothing is done for it."""

from __future__ import annotations

import math
import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path, PureWindowsPath

import pytest
from conftest import Run, noisy
from PIL import Image
from strange import NAME, assert_seen

from ldrps.errors import OutputError
from ldrps.folders import rows
from ldrps.folders.alive import Process
from ldrps.folders.manifest import Manifest, check_manifest, status_of
from ldrps.folders.names import MANIFEST
from ldrps.folders.status import Place, Source, Status
from ldrps.run.job import Job, Output

HUGE = 2**63 - 1


@pytest.fixture
def job(tmp_path: Path) -> Job:
    (tmp_path / "a.png").write_text("picture")
    return Job(tmp_path / "a.png", tmp_path / "out" / "a.png")


def place(job: Job) -> Place:
    return Place(job.target.parent, "recipe", Output(), time.time())


@pytest.fixture
def change(job: Job) -> Callable[..., None]:
    """A change of the manifest, after the job was done."""
    with closing(Manifest(place(job))) as manifest:
        source = Source(job.source)
        manifest.claim(job, source)
        manifest.writing(job)
        job.target.write_text("result")
        manifest.finished(job, source, "recipe")

    def execute(statement: str, *values: object) -> None:
        with closing(sqlite3.connect(job.target.parent / MANIFEST)) as database, database:
            database.execute(statement, values)

    return execute


def look(job: Job, of: Job | None = None) -> Status:
    """How it stands, by a run and by a plan; in the folder of another job, if one is given."""
    with closing(Manifest(place(of or job))) as manifest:
        found = manifest.look(job)
    assert status_of(job, place(of or job)) == found
    return found


def refused(job: Job) -> str:
    """What a run says, and a plan."""
    with closing(Manifest(place(job))) as manifest:
        with pytest.raises(OutputError) as raised:
            manifest.look(job)
        with pytest.raises(OutputError) as claimed:
            manifest.claim(job, Source(job.source))
    with pytest.raises(OutputError) as planned:
        status_of(job, place(job))
    assert str(raised.value) == str(claimed.value) == str(planned.value)
    assert job.target.read_text() == "result"
    return str(raised.value)


STRANGE = [
    *[("state", value) for value in ("odd", "done\0", b"done", "")],
    *[("since", value) for value in ("text", "a\nb", b"1", math.inf, -math.inf)],
    *[("reason", value) for value in (b"no",)],
    *[(name, value) for name in ("tried_size", "made_size", "size") for value in ("many", b"1", 0.5, 1e300, "1\0")],
    *[(name, value) for name in ("tried_mtime", "made_mtime", "mtime") for value in ("late", b"", -0.5, math.inf)],
    *[("source", value) for value in ("text", 5, 0.5)],
    *[(name, value) for name in ("content", "recipe") for value in (b"", b"\xff" * 10**6)],
]


@pytest.mark.parametrize(("column", "value"), STRANGE, ids=lambda value: ascii(value)[:20])
def test_values_of_strange_types(job: Job, change: Callable[..., None], column: str, value: object) -> None:
    change(f"UPDATE results SET {column} = ?", value)
    said = refused(job)
    assert f"holds what no ldrps wrote ({column} is " in said and len(said) < 400
    assert said.endswith("move it away, or give another --out")


@pytest.mark.parametrize(
    ("column", "value"),
    [
        *[("pid", value) for value in ("x", b"1", 0, -1, 2**32, HUGE, 0.5)],
        *[("seen", value) for value in ("x", b"1", math.inf)],
        *[(name, b"\0") for name in ("host", "machine", "born")],
    ],
)
def test_holders_of_strange_types(job: Job, change: Callable[..., None], column: str, value: object) -> None:
    this = Process.this()
    facts = {"host": this.host, "machine": this.machine, "pid": this.pid, "born": this.born, "seen": time.time()}
    facts[column] = value
    change("INSERT INTO holders (id, host, machine, pid, born, seen) VALUES (77, ?, ?, ?, ?, ?)", *facts.values())
    change("UPDATE results SET state = 'working', holder = 77")
    assert f"({column} is " in refused(job)


def test_times_to_come_hold_nothing_for_ever(job: Job, change: Callable[..., None]) -> None:
    change("INSERT INTO holders (id, host, machine, pid, born, seen) VALUES (77, 'far', '', 1, '', 1e300)")
    change("UPDATE results SET state = 'working', holder = 77")
    assert look(job).state == "open"
    change("UPDATE results SET state = 'failed', holder = NULL, since = 1e300, reason = 'no'")
    assert look(job).state == "open", "of this run it cannot be"


def test_a_reason_is_shown_on_a_line(job: Job, change: Callable[..., None]) -> None:
    began = time.time()
    reason = NAME.encode("utf-8", "surrogateescape") + b"\0\xff"
    change("UPDATE results SET state = 'failed', since = ?, reason = CAST(? AS TEXT)", began + 10, reason)
    found = look(job)
    assert found.state == "failed" and found.reason.endswith("\\x00\\udcff")
    assert_seen(found.reason)


def test_a_reason_that_is_no_text_can_be_kept(job: Job, change: Callable[..., None]) -> None:
    change("DELETE FROM results")
    with closing(Manifest(place(job))) as manifest:
        manifest.claim(job, Source(job.source))
        manifest.failed(job, str(OutputError(f"{NAME} cannot be written")))
        assert manifest.look(job).reason.endswith("cannot be written")


OUTSIDE = {
    "above": b"../victim/a.png",
    "above by a way around": b"sub/../../victim/a.png",
    "above alone": b"..",
    "absolute": b"/ROOT/victim/a.png",
    "null": b"x\0y/a.png",
    "nothing": b"",
    "text": "a.png",
    "a number": 7,
    "no value": None,
}


@pytest.mark.parametrize("target", OUTSIDE.values(), ids=OUTSIDE)
def test_rows_about_what_is_outside(job: Job, change: Callable[..., None], target: object) -> None:
    root = job.source.parent
    if isinstance(target, bytes):
        target = target.replace(b"/ROOT", os.fsencode(root))
    (root / "victim").mkdir()
    left = [folder / ".ldrps-partial-4194305-aa" for folder in (root, root / "victim", root / "out")]
    for path in left:
        path.touch()
    change("INSERT INTO results (target, state, since) VALUES (?, 'writing', 1.0)", target)
    with closing(Manifest(place(job))) as manifest, pytest.raises(OutputError, match=r"move it away.*--out") as raised:
        manifest.sweep()
    with pytest.raises(OutputError, match=r"move it away.*--out") as planned:
        check_manifest(place(job))
    assert str(planned.value) == str(raised.value)
    assert all(path.exists() for path in left), "nothing is deleted, not even what is ours"


def test_backslashes_are_names_here_and_ways_on_windows(
    job: Job, change: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    change("INSERT INTO results (target, state, since) VALUES (?, 'done', 1.0)", b"..\\victim\\a.png")
    if os.name != "nt":
        check_manifest(place(job))
    monkeypatch.setattr(rows, "PurePath", PureWindowsPath)
    with pytest.raises(OutputError, match="which is outside of its folder"):
        check_manifest(place(job))
    for target in (b"C:\\victim\\a.png", b"C:a.png", b"\\victim\\a.png", b"\\\\server\\share\\a.png"):
        change("DELETE FROM results")
        change("INSERT INTO results (target, state, since) VALUES (?, 'done', 1.0)", target)
        with pytest.raises(OutputError, match="which is outside of its folder"):
            check_manifest(place(job))


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
@pytest.mark.parametrize("leads", ["away", "to nothing", "within"])
def test_a_link_in_the_place_of_a_folder(job: Job, change: Callable[..., None], tmp_path: Path, leads: str) -> None:
    root, away = job.target.parent, tmp_path / "away"
    (away if leads == "away" else root / "real").mkdir()
    (root / "sub").symlink_to(root / "real" if leads == "within" else away)
    linked = Job(job.source, root / "sub" / "a.png")
    if leads == "away":
        (away / "a.png").write_text("precious")
        (away / ".ldrps-partial-4194305-aa").touch()
    change("INSERT INTO results (target, state, since) VALUES (?, 'writing', 1.0)", b"sub/a.png")  # so it is ours?
    found = look(linked, job)
    with closing(Manifest(place(job))) as manifest:
        assert manifest.claim(linked, Source(job.source)) == found
        manifest.sweep()
    if leads == "within":
        assert (found.state, found.overwrite) == ("open", True)
        return
    assert (found.state, found.overwrite) == ("failed", False)
    assert f"a link leads from {root / 'sub'} to {away}" in found.reason and "--out" in found.reason
    assert leads == "to nothing" or sorted(path.name for path in away.iterdir()) == [
        ".ldrps-partial-4194305-aa",
        "a.png",
    ]


def test_a_picture_of_another_century(job: Job) -> None:
    for when in (13e9, -1e10):
        try:
            os.utime(job.source, (when, when))
        except OSError:
            pytest.skip("this file system knows no such times")
        with closing(Manifest(place(job))) as manifest:
            assert manifest.claim(job, Source(job.source)).state == "open"
            assert manifest.look(job).state == "busy"


def test_the_command_refuses_and_plans_alike(
    command: Run, job: Job, change: Callable[..., None], tmp_path: Path, tiny_prior_folder: Path
) -> None:
    (tmp_path / "in").mkdir()
    Image.fromarray(noisy()).save(tmp_path / "in" / "a.png")
    (tmp_path / "victim").mkdir()
    kept = tmp_path / "victim" / ".ldrps-partial-4194305-aa"
    kept.touch()
    change("INSERT INTO results (target, state, since) VALUES (?, 'done', 1.0)", b"../victim/a.png")
    words = ["restore", tmp_path / "in", "-o", job.target.parent, "--prior", tiny_prior_folder]
    said = {command(*words, *more) for more in ([], ["--dry-run"], ["--force"])}
    assert {(code, out) for code, out, _ in said} == {(2, "")}
    assert {err for *_, err in said} == {
        f"ldrps: {job.target.parent / MANIFEST} has a row about ../victim/a.png, which is outside of its folder, as no"
        " ldrps wrote it: move it away, or give another --out\n"
    }
    assert kept.exists() and job.target.read_text() == "result"
    (job.target.parent / MANIFEST).unlink()
    code, _, err = command(*words)
    assert code == 1 and "a.png exists" in err, "without a manifest, the result is nobody's to replace"
