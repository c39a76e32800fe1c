"""A hot folder: nothing half written is taken, nothing twice, unless it changed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ldrps.folders.find import Wanted, find
from ldrps.folders.watch import watch
from ldrps.jobs import Job


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Hot:
    """A watched folder; time passes only when it is told to."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.clock = folder, Clock()
        wanted = Wanted([folder], folder.parent / "out")
        self.feed: Iterator[Job | None] = watch(lambda: find(wanted), clock=self.clock)

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
