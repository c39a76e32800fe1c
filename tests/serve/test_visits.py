from __future__ import annotations

import os
import stat
import time
from pathlib import Path

import pytest

from ldrps.serve.visits import Visits, take


def uploaded(root: Path, content: str = "a") -> Path:
    """As a server keeps it: in a folder that is named after what the file holds."""
    path = root / content / "photo.png"
    path.parent.mkdir(exist_ok=True)
    path.write_text(content)
    return path


def test_visits_have_folders_of_their_own_that_nobody_can_guess(tmp_path: Path) -> None:
    visits = Visits(tmp_path)
    ann, ben = visits.of("ann"), visits.of("ben")
    assert ann is visits.of("ann")
    assert ann.folder != ben.folder
    assert len(ann.folder.name) == 32
    assert stat.S_IMODE(ann.folder.stat().st_mode) == 0o700


def test_at_the_end_everything_is_deleted_but_what_others_use(tmp_path: Path) -> None:
    visits = Visits(tmp_path)
    shared, own = uploaded(tmp_path, "a"), uploaded(tmp_path, "b")
    for key, paths in {"ann": (shared, own), "ben": (shared,)}.items():
        visit = visits.of(key)
        for number, path in enumerate(paths):
            take(path, visit.folder, f"{number}.png")
            visit.borrowed.add(path)
    ann = visits.end("ann")
    assert ann is not None and not ann.folder.exists()
    assert shared.exists() and not own.exists()
    assert (visits.of("ben").folder / "0.png").read_text() == "a"
    visits.end("ben")
    assert not shared.exists()
    assert visits.end("ben") is None


def test_uploads_that_nobody_took_up_are_swept_away(tmp_path: Path) -> None:
    icon = uploaded(tmp_path, "icon")
    visits = Visits(tmp_path)
    visits.keep_present()
    folder = visits.of("ann").folder
    lost, fresh = uploaded(tmp_path, "lost"), uploaded(tmp_path, "fresh")
    (tmp_path / "stray.txt").write_text("x")
    past = time.time() - 1000
    for path in (icon.parent, lost.parent, folder, tmp_path / "stray.txt"):
        os.utime(path, (past, past))
    visits.sweep()
    assert icon.exists() and fresh.exists() and folder.exists()
    assert not lost.exists() and not (tmp_path / "stray.txt").exists()


def test_a_picture_of_the_page_itself_is_not_deleted_with_a_visit(tmp_path: Path) -> None:
    icon = uploaded(tmp_path)
    visits = Visits(tmp_path)
    visits.keep_present()
    visits.of("ann").borrowed.add(icon)
    visits.end("ann")
    assert icon.exists()


def test_idle_visits(tmp_path: Path) -> None:
    visits = Visits(tmp_path)
    visits.of("ann").seen -= 100
    visits.of("ben")
    assert visits.idle(50) == ["ann"]


def test_taking_where_there_are_no_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(*paths: object) -> None:
        raise OSError("no links here")

    monkeypatch.setattr(os, "link", no_links)
    assert take(uploaded(tmp_path), tmp_path, "copy.png").read_text() == "a"


def test_a_page_that_is_loaded_again_is_the_same_visit_in_the_same_browser_alone(tmp_path: Path) -> None:
    visits = Visits(tmp_path)
    early = visits.of("first")  # before the page has told its key
    ann = visits.arrive("first", "firefox", "key")
    assert ann is early and visits.of("first") is ann
    visits.depart("first")
    assert [visit for _, visit in visits.left()] == [ann]
    assert visits.arrive("second", "firefox", "key") is ann
    assert visits.left() == []
    assert visits.arrive("third", "chromium", "key") is not ann
    assert visits.arrive("fourth", "firefox", "another") is not ann


def test_a_visit_is_left_when_the_last_of_its_pages_is(tmp_path: Path) -> None:
    visits = Visits(tmp_path)
    for session in ("first", "second"):
        visits.arrive(session, "firefox", "key")
    visits.depart("first")
    assert visits.left() == []
    visits.depart("second")
    ((key, ann),) = visits.left()
    assert ann.away() >= 0 and visits.end(key) is ann and not ann.folder.exists()
    visits.depart("nobody")
