from __future__ import annotations

import io
import multiprocessing
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from conftest import noisy, until
from PIL import Image
from serve.held import GatedLoader

from ldrps import Prior, Restorer
from ldrps.caption.base import Captioner
from ldrps.caption.chain import make_captioner
from ldrps.cost import estimate
from ldrps.image.picture import load_picture
from ldrps.masks import Masks
from ldrps.presets import preset
from ldrps.run.handle import Handle, WorkerLost
from ldrps.run.pool import ProcessPool, ThisProcess
from ldrps.serve.limits import Limits
from ldrps.serve.order import Order
from ldrps.serve.queue import TaskQueue
from ldrps.serve.task import Abilities, PageJob, PageOutcome, Task, Upload
from ldrps.serve.work import UploadWork
from ldrps.serve.worker import TaskWorker
from ldrps.settings import Strengths


@pytest.fixture
def work(tiny_prior: Prior) -> TaskWorker:
    return worker(tiny_prior)


def worker(
    prior: Prior, limits: Limits | None = None, captioner_for: Callable[[str], Captioner] = make_captioner
) -> TaskWorker:
    return TaskWorker(ThisProcess(UploadWork(lambda: prior, limits or Limits(), captioner_for)))


def upload(path: Path) -> Upload:
    return Upload(path.name, path, path, (64, 48))


def task(paths: list[Path], folder: Path, order: Order | None = None) -> Task:
    folder.mkdir(exist_ok=True)
    return Task([upload(path) for path in paths], order or Order(), folder)


def test_the_result_is_what_the_library_makes_with_everything_kept(
    work: TaskWorker, picture: Path, tmp_path: Path, tiny_prior: Prior
) -> None:
    asked = task([picture], tmp_path / "out", Order("fast", seed=3))
    work(asked)
    (outcome,) = asked.snapshot.outcomes
    assert outcome.error == ""
    assert outcome.file is not None and outcome.after is not None
    assert outcome.file.name == picture.name
    Restorer(tiny_prior, preset("fast").with_changes(seed=3))(picture).save(tmp_path / "same.jpg")
    assert outcome.file.read_bytes() == (tmp_path / "same.jpg").read_bytes()
    assert Image.open(outcome.file).getexif()[0x010E] == "the harbour"
    assert Image.open(outcome.after).size == (64, 48)
    assert outcome.words
    assert outcome.seconds > 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [".0.after.jpg", "our harbour.jpg"]


def test_every_step_is_shown(work: TaskWorker, grainy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ldrps.serve.work._PREVIEW_EVERY", 0.0)
    asked = task([grainy, grainy], tmp_path / "out", Order("best"))
    seen: list[dict[str, Any]] = []
    real = asked.show
    monkeypatch.setattr(asked, "show", lambda **changes: (seen.append(changes), real(**changes)))
    work(asked)
    steps = [change["step"] for change in seen if change.get("steps")]
    assert steps == [1, 2, 3, 4, 1, 2, 3, 4]
    lefts = [change["seconds_left"] for change in seen if change.get("steps")]
    assert all(left >= 0 for left in lefts) and lefts[-1] == 0
    previews = [change["preview"] for change in seen if change.get("preview")]
    assert len(previews) == 8
    assert Image.open(io.BytesIO(previews[0])).size == (64, 48)
    assert [outcome.name for outcome in asked.snapshot.outcomes] == ["grainy.png", "grainy-2.png"]


def test_a_bad_picture_is_named_and_the_others_go_on(work: TaskWorker, picture: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(picture.read_bytes()[:500])
    asked = task([bad, picture], tmp_path / "out")
    work(asked)
    first, second = asked.snapshot.outcomes
    assert first.error.startswith("bad.jpg ") and str(tmp_path) not in first.error
    assert first.file is None
    assert second.file is not None


def test_a_bug_costs_one_picture_and_tells_the_visitor_nothing_of_it(
    work: TaskWorker, picture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*given: object, **more: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr("ldrps.run.batch.load_picture", broken)
    asked = task([picture], tmp_path / "out")
    work(asked)
    assert "the server's log" in asked.snapshot.outcomes[0].error
    assert "secret" not in asked.snapshot.outcomes[0].error
    assert "secret" in caplog.text


def test_stopping_in_the_middle_closes_the_steps_within_one(
    work: TaskWorker, grainy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = task([grainy], tmp_path / "out", Order("best", recurrences=3))
    real, done = asked.show, []

    def show(**changes: Any) -> None:
        real(**changes)
        if changes.get("step"):
            done.append(changes["step"])
            if changes["step"] == 2:
                asked.stop()

    monkeypatch.setattr(asked, "show", show)
    closed = []
    real_steps = Restorer.steps

    def steps(self: Restorer, *given: Any, **more: Any) -> Any:
        try:
            return (yield from real_steps(self, *given, **more))
        finally:
            closed.append(True)

    monkeypatch.setattr(Restorer, "steps", steps)
    queue = TaskQueue(work, 1)
    queue.join(asked)
    until(lambda: asked.snapshot.over)
    assert done == [1, 2]
    assert closed == [True]
    assert asked.snapshot.stopped and asked.snapshot.outcomes == ()
    again = task([grainy], tmp_path / "again", Order("fast"))
    queue.join(again)  # the worker is free
    until(lambda: again.snapshot.over)
    assert again.snapshot.outcomes[0].file is not None


def test_what_a_format_has_no_room_for_becomes_png(work: TaskWorker, tmp_path: Path) -> None:
    path = tmp_path / "see-through.jpg"  # a PNG by content
    Image.fromarray(np.dstack([noisy(64, 48), np.full((48, 64, 1), 100, np.uint8)])).save(path, "PNG")
    asked = task([path], tmp_path / "out")
    work(asked)
    (outcome,) = asked.snapshot.outcomes
    assert outcome.name == "see-through.jpg.png"
    assert outcome.file is not None
    assert load_picture(outcome.file).alpha is not None


def test_captions_are_asked_for_with_a_prior_that_knows_text(
    by_heart: Prior, picture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ldrps.restorer.check_restored", lambda *_: None)  # what this prior paints is of one colour
    specs: list[str] = []

    def captioner_for(spec: str) -> Captioner:
        specs.append(spec)
        return make_captioner(spec)

    asked = task([picture], tmp_path / "out", Order("fast", caption="bright"))
    worker(by_heart, captioner_for=captioner_for)(asked)
    assert specs == ["text:bright"]
    assert asked.snapshot.outcomes[0].caption == "bright"


def test_what_is_enlarged_lies_beside_an_enlarged_copy(work: TaskWorker, picture: Path, tmp_path: Path) -> None:
    asked = task([picture], tmp_path / "out", Order("fast", scale=2.0))
    work(asked)
    (outcome,) = asked.snapshot.outcomes
    assert outcome.error == "" and outcome.file is not None and outcome.after is not None
    sizes = [Image.open(path).size for path in (outcome.file, outcome.before, outcome.after)]
    assert sizes == [(128, 96)] * 3 and outcome.before != asked.uploads[0].shown
    assert "enlarged 2 times" in outcome.words


def test_what_would_become_too_large_is_refused(tiny_prior: Prior, picture: Path, tmp_path: Path) -> None:
    asked = task([picture], tmp_path / "out", Order("fast", scale=4.0))
    worker(tiny_prior, Limits(pixels=49_000))(asked)
    (outcome,) = asked.snapshot.outcomes
    assert outcome.file is None and "enlarged 4 times 256 x 192 = 49,152 pixels" in outcome.error
    assert str(tmp_path) not in outcome.error and outcome.error.endswith(
        "more than the limit of 49,000: take a smaller scale"
    )


def test_what_does_not_fit_into_memory_is_refused_in_words(
    work: TaskWorker, picture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a folder: before it is read where its size tells, and where memory runs out all the same."""
    with monkeypatch.context() as little:
        little.setattr("ldrps.cost.available_bytes", lambda: 2**28)
        little.setattr("ldrps.run.batch.load_picture", lambda *given, **more: pytest.fail("decoded in vain"))
        asked = task([picture], tmp_path / "out")
        work(asked)
        error = asked.snapshot.outcomes[0].error
        assert "64 x 48 takes" in error and "the limit is 0.25 GiB: make it smaller" in error and "--" not in error

    def none_left(*given: object, **more: object) -> None:
        raise RuntimeError("DefaultCPUAllocator: not enough memory")

    monkeypatch.setattr(Restorer, "__call__", none_left)
    asked = task([picture], tmp_path / "again")
    work(asked)
    assert asked.snapshot.outcomes[0].error.startswith("our harbour.jpg does not fit into memory: make it smaller")


def test_windows_shrink_to_the_memory_that_is_free(
    work: TaskWorker, picture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = tmp_path / "large.png"
    Image.fromarray(noisy(400, 300)).save(large)
    settings = preset("fast")
    least = estimate((400, 300), replace(settings, tile=128, overlap=32)).bytes
    assert estimate((400, 300), settings).bytes > least
    monkeypatch.setattr("ldrps.cost.available_bytes", lambda: least)
    tiles = []
    really_restore = Restorer.__call__

    def restore(self: Restorer, *given: Any, **more: Any) -> Any:
        tiles.append(self.settings.tile)
        return really_restore(self, *given, **more)

    monkeypatch.setattr(Restorer, "__call__", restore)
    asked = task([large], tmp_path / "out", Order("fast"))
    work(asked)
    assert tiles == [128] and asked.snapshot.outcomes[0].error == ""


class Dying(ThisProcess[PageJob, PageOutcome]):
    """Its process is killed at the first picture, as a system does that is out of memory."""

    def wait(self, timeout: float) -> list[Handle[PageJob, PageOutcome]]:
        if self._handle is None or getattr(self._handle.job, "number", 0):
            return super().wait(timeout)
        handle, self._handle = self._handle, None
        handle.end(WorkerLost("the process was lost"))
        return [handle]


def test_a_process_that_is_killed_costs_one_picture(tiny_prior: Prior, picture: Path, tmp_path: Path) -> None:
    asked = task([picture, picture], tmp_path / "out", Order("fast"))
    TaskWorker(Dying(UploadWork(lambda: tiny_prior, Limits(), make_captioner)))(asked)
    first, second = asked.snapshot.outcomes
    assert first.error == "our harbour.jpg: the process was lost Make it smaller" and first.file is None
    assert second.file is not None and second.file.name == "our harbour.jpg"


def test_what_was_found_is_undone_again_without_looking_again(
    work: TaskWorker, grainy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = task([grainy], tmp_path / "first", Order("fast"))
    work(first)
    (found,) = first.snapshot.outcomes
    assert found.damage is not None and "noise" in found.parts and found.file is not None
    monkeypatch.setattr("ldrps.methods.estimate_damage", lambda *given, **more: pytest.fail("asked once more"))
    for strength, name in ((None, "same"), (0.0, "none")):
        (tmp_path / name).mkdir()
        order = replace(found.order, strengths=Strengths(tone=strength, noise=strength, blur=strength))
        again = Task([upload(grainy)], order, tmp_path / name, found.masks, found.damage)
        work(again)
        (outcome,) = again.snapshot.outcomes
        assert outcome.file is not None, outcome.error
        wanted = found.file if strength is None else grainy
        assert (np.asarray(Image.open(outcome.file)) == np.asarray(Image.open(wanted))).all()


def test_marks_that_are_found_are_filled_and_seen_and_can_be_left(
    work: TaskWorker, grainy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def found_marks(image: torch.Tensor, *given: object) -> torch.Tensor:
        marks = torch.zeros_like(image[:, :1])
        marks[..., 20:23] = 1
        return marks

    monkeypatch.setattr("ldrps.filling.find_scratches", found_marks)
    asked = task([grainy], tmp_path / "out", Order("fast", scratches=True))
    work(asked)
    (outcome,) = asked.snapshot.outcomes
    assert "scratches and other marks" in outcome.parts["holes"], outcome.error
    assert outcome.damage is not None and "holes" not in outcome.damage
    assert outcome.masks.holes is not None and outcome.marks is not None
    assert np.asarray(Image.open(outcome.masks.holes))[:, 18:25].max(0).tolist() == [0, 0, 255, 255, 255, 0, 0]
    red, _, blue, alpha = np.moveaxis(np.asarray(Image.open(outcome.marks)), -1, 0)
    assert (alpha[:, 21] == 255).all() and (red > blue).all() and not alpha[:, 30:].any()
    for masks, words in ((outcome.masks, "pixels filled"), (Masks(), "noise")):
        folder = tmp_path / f"again-{words[:5]}"
        folder.mkdir()
        again = Task([upload(grainy)], replace(outcome.order, scratches=False), folder, masks, outcome.damage)
        work(again)
        (made,) = again.snapshot.outcomes
        assert words in made.words and ("holes" in made.parts) == (masks.holes is not None), made.error


def test_in_a_process_of_its_own_a_kill_costs_one_picture_and_a_stop_a_step(
    quick_start: None, tiny_prior_folder: Path, picture: Path, grainy: Path, tmp_path: Path
) -> None:
    load = GatedLoader(tiny_prior_folder, tmp_path / "closed")
    load.gate.touch()
    pool = ProcessPool(UploadWork(load, Limits()), 1, grace=1.0)
    with closing(pool):
        work = TaskWorker(pool)
        assert work.abilities() == Abilities(has_text=False, has_tagger=work.abilities().has_tagger)
        queue = TaskQueue(work, 3)
        killed = task([grainy, picture], tmp_path / "killed", Order("best"))
        queue.join(killed)
        until(lambda: killed.snapshot.step == 2)
        (process,) = pool_processes()
        process.kill()
        load.gate.unlink()
        until(lambda: killed.snapshot.over)
        first, second = killed.snapshot.outcomes
        assert "ended by signal 9; was it out of memory? Make it smaller" in first.error and first.file is None
        assert second.file is not None
        load.gate.touch()
        stopped = task([grainy], tmp_path / "stopped", Order("best"))
        queue.join(stopped)
        until(lambda: stopped.snapshot.step == 2)
        queue.stop(stopped)  # in a step that never ends
        until(lambda: stopped.snapshot.over)
        assert stopped.snapshot.stopped and load.gate.exists()
        queue.join(task([grainy], tmp_path / "closed-down", Order("best")))
        queue.close()
        assert len(queue) == 0


def pool_processes() -> list[BaseProcess]:
    """Those in which pictures are restored."""
    return [each for each in multiprocessing.active_children() if "resource" not in each.name]
