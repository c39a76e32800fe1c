"""A hot folder: nothing half written is taken, nothing twice, unless it changed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ldrps.folders.find import Wanted, find
from ldrps.folders.status import Place
from ldrps.folders.watch import PATIENCE, QUIET, watch
from ldrps.run.fingerprint import FileFingerprint
from ldrps.run.job import Job, Output


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Hot:
    """A watched folder; time passes only when it is told to."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.clock = folder, Clock()
        self.clashes: list[str] = []
        wanted = Wanted([folder], folder.parent / "out")
        place = Place(wanted.out, FileFingerprint("recipe"), Output(), 0.0)
        self.feed: Iterator[Job | None] = watch(lambda: find(wanted), place, self.clash, self.clock)

    def clash(self, job: Job, reason: str) -> None:
        self.clashes.append(job.source.name)
        assert "rename one" in reason

    def after(self, seconds: float) -> list[str]:
        """What is given out by then."""
        names, until = [], self.clock.now + seconds
        while self.clock.now < until:
            self.clock.now += 0.5
            job = next(self.feed)
            while job is not None:
                names.append(job.source.name)
                job = next(self.feed)
        return names


@pytest.fixture
def hot(tmp_path: Path) -> Hot:
    (tmp_path / "in").mkdir()
    return Hot(tmp_path / "in")


def test_a_picture_is_taken_once_it_is_quiet(hot: Hot) -> None:
    assert hot.after(3) == []
    path = hot.folder / "a.png"
    for size in range(1, 6):  # somebody is still writing it
        path.write_bytes(b"x" * size)
        assert hot.after(1) == []
    assert hot.after(4) == ["a.png"]
    assert hot.after(10) == []


def test_what_fails_is_tried_again_when_it_changes(hot: Hot) -> None:
    path = hot.folder / "a.png"
    path.write_text("broken")
    assert hot.after(5) == ["a.png"]
    assert hot.after(5) == []
    path.write_text("mended")
    os.utime(path, ns=(1, 1))
    assert hot.after(5) == ["a.png"]


def test_what_goes_and_comes_again_is_new(hot: Hot) -> None:
    path = hot.folder / "a.png"
    path.write_text("one")
    assert hot.after(5) == ["a.png"]
    path.unlink()
    assert hot.after(3) == []
    path.write_text("one")
    assert hot.after(5) == ["a.png"]


def test_several_at_once_and_a_slow_one_apart(hot: Hot) -> None:
    for name in ("b.png", "a.png"):
        (hot.folder / name).write_text(name)
    assert hot.after(2) == []
    (hot.folder / "c.png").write_text("late")
    assert hot.after(2) == ["a.png", "b.png"]
    assert hot.after(3) == ["c.png"]


def test_a_picture_is_quiet_by_the_time_of_each_look(hot: Hot) -> None:
    """A job that is given out takes minutes, during which others are written."""
    (hot.folder / "a.png").write_text("a")
    late = hot.folder / "b.png"
    assert hot.after(1.5) == []
    late.write_text("b, half")
    taken = None
    while taken is None:
        hot.clock.now += 0.5
        taken = next(hot.feed)
    assert taken.source.name == "a.png"
    hot.clock.now += 100
    late.write_text("b, nearly whole")
    assert hot.after(QUIET - 0.5) == []
    assert hot.after(QUIET) == ["b.png"]


def test_a_picture_is_given_again_when_its_text_changes(hot: Hot) -> None:
    (hot.folder / "a.png").write_text("a")
    assert hot.after(5) == ["a.png"]
    for text in ("a boat", "a big boat"):
        (hot.folder / "a.txt").write_text(text)
        assert hot.after(1) == []
        assert hot.after(5) == ["a.png"]
    assert hot.after(5) == []


def test_a_clash_is_told_once_and_again_when_it_comes_again(hot: Hot) -> None:
    (hot.folder / "a.gif.png").write_text("a")
    assert hot.after(5) == ["a.gif.png"]
    for clashes in (["a.gif"], ["a.gif"] * 2):
        (hot.folder / "a.gif").write_text("clashes")
        assert hot.after(5) == [] and hot.clashes == clashes
        (hot.folder / "a.gif").unlink()
        assert hot.after(2) == []


def cut_jpeg() -> tuple[bytes, int]:
    from containers import jpeg, photo

    data = jpeg(photo(96, 80))
    return data, 2 * len(data) // 3


@pytest.mark.parametrize("zeros", [False, True])
def test_a_half_copied_picture_is_waited_for(hot: Hot, zeros: bool) -> None:
    """A copy over a network stops for longer than it takes to look quiet; some give a file its whole length first."""
    data, middle = cut_jpeg()
    path = hot.folder / "a.jpg"
    path.write_bytes(data[:middle] + bytes(len(data) - middle) * zeros)
    os.utime(path, ns=(1, 1))
    assert hot.after(PATIENCE / 2) == []
    path.write_bytes(data)
    assert hot.after(5) == ["a.jpg"]


def test_a_picture_that_stays_cut_is_given_up_on_and_holds_up_no_other(hot: Hot) -> None:
    data, middle = cut_jpeg()
    (hot.folder / "a.jpg").write_bytes(data[:middle])
    (hot.folder / "b.jpg").write_bytes(data)
    (hot.folder / "empty.png").touch()
    assert hot.after(5) == ["b.jpg"]
    assert hot.after(PATIENCE + 5) == ["a.jpg", "empty.png"]
    assert hot.after(PATIENCE + 5) == []
