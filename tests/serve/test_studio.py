from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import until
from serve.held import Held
from strange import NAME, assert_seen

from ldrps.errors import InputError, SettingsError
from ldrps.serve.limits import Limits
from ldrps.serve.order import Order
from ldrps.serve.queue import FullError
from ldrps.serve.studio import Studio, mark, pack


@pytest.fixture
def studio(held: Held, tmp_path: Path) -> Iterator[Studio]:
    root = tmp_path / "root"
    root.mkdir()
    studio = Studio(held, root, Limits(pictures=2, history=2, waiting=1))
    yield studio
    held.let(1000)
    studio.close()


def arrive(studio: Studio, picture: Path, name: str = "photo.jpg") -> tuple[Path, str]:
    """A file as the server has it when it was uploaded."""
    place = studio.visits.root / "uploads"
    place.mkdir(exist_ok=True)
    (place / "x.jpg").write_bytes(picture.read_bytes())
    return place / "x.jpg", name


def test_pictures_are_taken_in(studio: Studio, picture: Path) -> None:
    assert studio.choose("ann", [arrive(studio, picture, "../a\n.jpg")]) == []
    visit = studio.visits.of("ann")
    (upload,) = visit.chosen
    assert (upload.name, upload.size) == ("a.jpg", (64, 48))
    assert upload.path.is_relative_to(visit.folder) and upload.shown.is_relative_to(visit.folder)
    assert studio.visits.of("ben").chosen == []


def test_refusals_name_the_file_and_not_where_it_lies(studio: Studio, picture: Path, tmp_path: Path) -> None:
    notes = tmp_path / "notes.png"
    notes.write_text("no picture")
    (reason,) = studio.choose("ann", [(notes, "notes.png")])
    assert reason.startswith("notes.png is not an image")
    assert str(tmp_path) not in reason
    too_many = studio.choose("ann", [arrive(studio, picture, f"{n}.jpg") for n in range(3)])
    assert too_many == ["2.jpg is one too many: 2 pictures can be restored in one go"]
    assert len(studio.visits.of("ann").chosen) == 2


def test_a_refusal_of_a_strange_name_is_a_line(studio: Studio, tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_bytes(b"no picture")
    (reason,) = studio.choose("a", [(tmp_path / "bad.png", f"{NAME} \N{CAMERA}.png")])
    assert_seen(reason)
    assert reason.startswith("a[2Jb") and "all is well \N{CAMERA}.png" in reason
    assert str(studio.visits.root) not in reason


def test_examples_are_copied_and_never_deleted(studio: Studio, picture: Path) -> None:
    studio.choose("ann", [(picture, picture.name)])
    studio.leave("ann")
    assert picture.exists()
    assert list(studio.visits.root.iterdir()) == []


def test_a_run(studio: Studio, held: Held, picture: Path) -> None:
    with pytest.raises(InputError, match="choose a picture first"):
        studio.start("ann", Order())
    studio.choose("ann", [arrive(studio, picture)])
    with pytest.raises(SettingsError):
        studio.start("ann", Order("fog"))
    task = studio.start("ann", Order())
    with pytest.raises(InputError, match="not done yet"):
        studio.start("ann", Order())
    held.let(3)
    until(lambda: task.snapshot.over)
    assert studio.start("ann", Order("fast")).uploads == task.uploads, "the same again with other settings"


def test_a_choice_after_a_run_begins_from_nothing(studio: Studio, held: Held, picture: Path) -> None:
    studio.choose("ann", [arrive(studio, picture, "a.jpg")])
    task = studio.start("ann", Order())
    held.let(3)
    until(lambda: task.snapshot.over)
    studio.choose("ann", [arrive(studio, picture, "b.jpg")])
    assert [upload.name for upload in studio.visits.of("ann").chosen] == ["b.jpg"]
    assert not task.uploads[0].path.exists()
    assert task.uploads[0].shown.exists(), "its result may be looked at still"


def test_the_line_is_full(studio: Studio, picture: Path) -> None:
    for key in ("ann", "ben", "cid"):
        studio.choose(key, [arrive(studio, picture)])
    studio.start("ann", Order())
    waits = studio.start("ben", Order())
    with pytest.raises(FullError):
        studio.start("cid", Order())
    studio.stop("ben")
    assert waits.snapshot.stopped
    studio.start("cid", Order())


def test_who_leaves_stops_the_run_and_leaves_nothing(studio: Studio, held: Held, picture: Path) -> None:
    studio.choose("ann", [arrive(studio, picture)])
    task = studio.start("ann", Order())
    until(lambda: task.snapshot.started)
    folder = studio.visits.of("ann").folder
    studio.leave("ann")
    assert not folder.exists() and not (studio.visits.root / "uploads" / "x.jpg").exists()
    held.let(1)
    until(lambda: task.snapshot.over)
    assert held.done == []
    studio.leave("nobody")


def test_history_is_the_visitors_own_and_bounded(studio: Studio, held: Held, picture: Path) -> None:
    marks = []
    for seed in range(3):
        studio.choose("ann", [arrive(studio, picture)])
        task = studio.start("ann", Order(seed=seed))
        held.let(3)
        until(lambda task=task: task.snapshot.over)
        history = studio.remember("ann", task.snapshot.outcomes)
        marks.append(mark(history[0]))
    assert [each.order.seed for each in history] == [2, 1]
    kept = studio.recall("ann", marks[2])
    assert kept is not None and kept.file is not None and kept.file.exists()
    assert studio.recall("ann", marks[0]) is None
    assert studio.recall("ben", marks[2]) is None


def test_several_results_are_packed(studio: Studio, held: Held, picture: Path, tmp_path: Path) -> None:
    studio.choose("ann", [arrive(studio, picture, "a.jpg"), arrive(studio, picture, "b.jpg")])
    task = studio.start("ann", Order())
    held.let(6)
    until(lambda: task.snapshot.over)
    outcomes = task.snapshot.outcomes
    archive = pack(outcomes, tmp_path / "all.zip")
    assert archive is not None
    assert zipfile.ZipFile(archive).namelist() == ["a.jpg", "b.jpg"]
    assert pack(outcomes[:1], tmp_path / "one.zip") == outcomes[0].file
    assert pack([], tmp_path / "none.zip") is None
