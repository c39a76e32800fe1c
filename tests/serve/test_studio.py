from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import until
from PIL import Image
from serve.held import Held
from strange import NAME, assert_seen

from ldrps.errors import InputError, SettingsError
from ldrps.estimation.damage import ALL
from ldrps.estimation.pooling import with_prior
from ldrps.estimation.words import POSSIBLE
from ldrps.serve.brush import Drawing
from ldrps.serve.limits import Limits
from ldrps.serve.order import Order
from ldrps.serve.queue import FullError
from ldrps.serve.studio import Studio
from ldrps.serve.task import UploadOutcome
from ldrps.settings import Strengths


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
    assert not task.uploads[0].path.exists(), "nobody kept a result of it"


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


def run(studio: Studio, held: Held, session: str = "ann", order: Order | None = None) -> list[UploadOutcome]:
    """A run of what was chosen; the results that it has added to the visitor's."""
    task = studio.start(session, order or Order())
    held.let(3 * len(task.uploads))
    until(lambda: task.snapshot.over)
    return studio.remember(session, task)


def test_history_is_the_visitors_own_and_bounded(studio: Studio, held: Held, picture: Path) -> None:
    numbers = []
    for seed in range(3):
        studio.choose("ann", [arrive(studio, picture)])
        (outcome,) = run(studio, held, order=Order(seed=seed))
        numbers.append(outcome.number)
    history = studio.visits.of("ann").history
    assert [each.order.seed for each in history] == [2, 1]
    kept = studio.recall("ann", numbers[2])
    assert kept is not None and kept.file is not None and kept.file.exists()
    assert studio.recall("ann", numbers[0]) is None
    assert studio.recall("ben", numbers[2]) is None


def test_what_a_result_was_made_of_stays_as_long_as_the_result(studio: Studio, held: Held, picture: Path) -> None:
    studio.choose("ann", [arrive(studio, picture, "a.jpg")])
    (first,) = run(studio, held)
    assert first.upload is not None
    studio.choose("ann", [arrive(studio, picture, "b.jpg")])
    assert first.upload.path.exists() and first.upload.shown.exists()
    for _ in range(2):  # which is as many as are kept
        run(studio, held)
    assert studio.recall("ann", first.number) is None
    assert not first.upload.path.parent.exists()


def test_a_result_is_made_again_with_what_was_found_before(studio: Studio, held: Held, picture: Path) -> None:
    held.damage, held.parts = {"noise": {"kind": "white noise", "sigma": 0.05}}, {"noise": "noise 13 of 255"}
    studio.choose("ann", [arrive(studio, picture)])
    (before,) = run(studio, held, order=Order(seed=3))
    task = studio.adjust("ann", before.number, Strengths(noise=0.5), filled=True)
    assert (task.damage, task.order.strengths.noise, task.order.seed) == (held.damage, 0.5, 3)
    instead = studio.adjust("ann", before.number, Strengths(noise=0.25), filled=True)
    held.let(4)
    until(lambda: instead.snapshot.over)
    assert task.snapshot.stopped, "of two wishes the later counts"
    held.parts = {}
    after = studio.amend("ann", before.number, instead)
    assert after is not None and (after.number, after.parts) == (before.number, before.parts)
    assert studio.visits.of("ann").history == [after]
    assert before.file is not None and not before.file.exists()
    assert after.file is not None and after.file.exists() and before.upload == after.upload
    with pytest.raises(InputError, match="no longer kept"):
        studio.adjust("ben", before.number, Strengths(), filled=True)


def test_what_may_be_wrong_is_found_out_anew_once_somebody_says_so(studio: Studio, held: Held, picture: Path) -> None:
    held.damage, held.parts = {"noise": {"kind": "white noise", "sigma": 0.05}}, {"noise": "noise 13 of 255"}
    held.doubt = "perhaps 2.0 stops too dark (20%), and left so"
    studio.choose("ann", [arrive(studio, picture)])
    (found,) = run(studio, held)
    assert found.order.settings().method.undamaged == Order().settings().method.undamaged
    less = studio.adjust("ann", found.number, Strengths(noise=0.5), filled=True)
    held.let(3)
    until(lambda: less.snapshot.over)
    before = studio.amend("ann", found.number, less)
    assert before is not None and before.doubt == held.doubt, "a slider leaves it"

    held.damage, held.parts = {"tone": {"kind": "exposure", "stops": -2}}, {"tone": "2.0 stops too dark"}
    held.doubt = ""
    task = studio.adjust("ann", before.number, Strengths(noise=0.5), filled=False, suspects=True)
    assert task.damage is None and task.order.strengths == Strengths(), "all that is found anew is undone"
    held.let(3)
    until(lambda: task.snapshot.over)
    after = studio.amend("ann", before.number, task)
    assert after is not None and (after.number, after.parts, after.damage) == (before.number, held.parts, held.damage)
    assert after.doubt == "" and after.filled == (after.masks.holes is not None)
    again = studio.adjust("ann", before.number, Strengths(tone=0.5), filled=True)
    assert again.damage == held.damage, "what was found then is undone more or less"


def test_all_that_is_told_as_possible_is_undone_once_somebody_says_so() -> None:
    usual, suspected = (order.settings().method.undamaged for order in (Order(), Order(suspects=True)))
    told = with_prior(torch.tensor([[1 - POSSIBLE, POSSIBLE, 0.0]]), suspected, usual)
    assert float(told[0, 1:].sum()) >= ALL


def test_nothing_is_made_again_in_the_midst_of_a_run(studio: Studio, held: Held, picture: Path) -> None:
    held.damage = {}
    studio.choose("ann", [arrive(studio, picture)])
    (before,) = run(studio, held)
    studio.start("ann", Order())
    with pytest.raises(InputError, match="not done yet"):
        studio.adjust("ann", before.number, Strengths(), filled=True)


def test_tones_are_seen_at_once(studio: Studio, held: Held, picture: Path) -> None:
    held.damage = {"tone": {"kind": "exposure", "stops": -1}}
    studio.choose("ann", [arrive(studio, picture)])
    (outcome,) = run(studio, held)
    means = []
    for strength in (0.0, 0.5, 1.0):
        seen = studio.foresee(outcome, Strengths(tone=strength))
        assert seen is not None
        means.append(np.asarray(Image.open(io.BytesIO(seen))).mean())
    assert means == sorted(means) and means[2] > 1.2 * means[0]
    assert studio.foresee(replace(outcome, damage=None), Strengths()) is None


def test_a_drawing_becomes_masks_of_one_picture(studio: Studio, held: Held, picture: Path) -> None:
    lost = np.zeros((24, 32), bool)
    lost[:, :16] = True
    drawing = Drawing(lost, ~lost)
    studio.choose("ann", [arrive(studio, picture)])
    task = studio.start("ann", Order(), drawing)
    assert task.masks.holes is not None and task.masks.protected is not None
    assert np.asarray(Image.open(task.masks.holes)).shape == (48, 64)
    assert np.asarray(Image.open(task.masks.holes)).mean() == pytest.approx(127.5)
    held.let(3)
    until(lambda: task.snapshot.over)
    studio.remember("ann", task)
    with pytest.raises(SettingsError, match="scale"):
        studio.start("ann", Order(scale=2.0), drawing)
    studio.visits.of("ann").looked_at = studio.visits.of("ann").history[0]
    taken = studio.take_up("ann")
    assert taken is not None and studio.visits.of("ann").chosen == [taken.upload]
    studio.choose("ann", [arrive(studio, picture, "a.jpg"), arrive(studio, picture, "b.jpg")])
    with pytest.raises(InputError, match="one picture, and there are several"):
        studio.start("ann", Order(), drawing)


def test_what_was_said_of_a_picture_counts_where_it_is_drawn_over(studio: Studio, held: Held, picture: Path) -> None:
    held.damage = {}
    studio.choose("ann", [arrive(studio, picture)])
    (found,) = run(studio, held)
    task = studio.adjust("ann", found.number, Strengths(), filled=True, suspects=True)
    held.let(3)
    until(lambda: task.snapshot.over)
    studio.visits.of("ann").looked_at = studio.amend("ann", found.number, task)
    studio.take_up("ann")
    again = studio.start("ann", Order(preset="fast"))
    assert again.order.suspects and again.order.settings().method.undamaged < 0.1
    held.let(3)
    until(lambda: again.snapshot.over)
    studio.choose("ann", [arrive(studio, picture, "other.jpg")])
    assert not studio.start("ann", Order()).order.suspects, "another picture is another matter"


def test_presets_that_judge_no_tones_suspect_none() -> None:
    assert Order("paper-lowlight", suspects=True).settings() == Order("paper-lowlight").settings()


def test_all_results_are_packed(studio: Studio, held: Held, picture: Path) -> None:
    assert studio.pack("ann") is None
    studio.choose("ann", [arrive(studio, picture, "a.jpg"), arrive(studio, picture, "b.jpg")])
    run(studio, held)
    studio.choose("ann", [arrive(studio, picture, "b.jpg")])
    run(studio, held)
    archive = studio.pack("ann")
    assert archive is not None
    assert zipfile.ZipFile(archive).namelist() == ["b.jpg", "b-2.jpg"], "as many as are kept, none over another"


def test_who_stays_away_is_forgotten(
    held: Held, picture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ldrps.serve.studio._ROUND", 0.01)
    root = tmp_path / "root"
    root.mkdir()
    studio = Studio(held, root, Limits(away=1))
    studio.choose("ann", [(picture, "a.jpg")])
    task, folder = studio.start("ann", Order()), studio.visits.of("ann").folder
    studio.visits.depart("ann")
    until(lambda: task.stopping and not folder.exists())
    held.let(10)
    studio.close()
