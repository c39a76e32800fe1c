"""Several pictures: planned before, written one by one, and none takes another down with it."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import os
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import noisy, restore_job
from PIL import Image
from torch import Tensor

from ldrps import Prior, Restorer
from ldrps.errors import Cancelled, InputError, OutputError, SettingsError
from ldrps.estimation.estimators import Estimators
from ldrps.rivals.registry import Facts
from ldrps.rivals.rival import Rival, RivalStep, Run
from ldrps.run.batch import Batch, restorer_batch
from ldrps.run.job import Job, Output, plan_jobs
from ldrps.run.restoring import carrying
from ldrps.run.tick import Tick


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three pictures, the second of them broken."""
    for seed, name in enumerate(("a.png", "b.png", "c.png")):
        Image.fromarray(noisy(seed=seed)).save(tmp_path / name)
    (tmp_path / "b.png").write_bytes((tmp_path / "b.png").read_bytes()[:700])
    return tmp_path


@pytest.fixture
def jobs(folder: Path) -> list[Job]:
    return plan_jobs([folder / name for name in ("a.png", "b.png", "c.png")], folder / "out")


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "out").iterdir()) if (folder / "out").is_dir() else []


def test_where_results_go(tmp_path: Path) -> None:
    (one,) = plan_jobs([Path("x/a.jpg")], tmp_path / "b.png")
    assert one == Job(Path("x/a.jpg"), tmp_path / "b.png")
    into = plan_jobs([Path("a.jpg"), Path("b.bmp"), Path("c.gif")], tmp_path / "out")
    assert [job.target.parent for job in into] == [tmp_path / "out"] * 3
    assert into[0].target.name == "a.jpg"
    assert into[2].target.name == "c.gif.png", "a format that is only read becomes PNG"
    with pytest.raises(InputError, match="2 pictures cannot go into one file"):
        plan_jobs([Path("a.jpg"), Path("b.jpg")], tmp_path / "b.png")
    with pytest.raises(InputError, match="would both become"):
        plan_jobs([Path("x/a.jpg"), Path("y/a.jpg")], tmp_path / "out")


def test_a_bad_picture_does_not_stop_the_rest(folder: Path, jobs: list[Job], tiny_prior: Prior) -> None:
    batch = restorer_batch(Restorer(tiny_prior), Output(compare=True, trace=True))
    with pytest.raises(InputError, match=r"b\.png"):
        restore_job(batch, jobs[1])
    done = [carrying(batch)(job, lambda tick: True) for job in jobs]
    assert [each.state for each in done] == ["done", "failed", "done"]
    assert "b.png" in done[1].reason
    assert left(folder) == sorted(n + end for n in ("a.png", "c.png") for end in ("", ".compare.png", ".json"))
    assert [path.name for path in done[0].written] == ["a.png", "a.png.compare.png", "a.png.json"]


@pytest.mark.parametrize("name", ["a.png", "a.png.compare.png", "a.png.json"])
def test_what_exists_is_kept_and_no_work_is_done(name: str, folder: Path, jobs: list[Job], tiny_prior: Prior) -> None:
    (folder / "out").mkdir()
    (folder / "out" / name).write_text("mine")
    steps: list[Any] = []
    output = Output(compare=True, trace=True)
    with pytest.raises(OutputError, match=re.escape(name)):
        restore_job(restorer_batch(Restorer(tiny_prior), output), jobs[0], lambda *given: steps.append(given))
    assert steps == []
    assert left(folder) == [name]
    assert (folder / "out" / name).read_text() == "mine"
    restore_job(restorer_batch(Restorer(tiny_prior), dataclasses.replace(output, overwrite=True)), jobs[0])
    assert len(left(folder)) == 3


@pytest.mark.parametrize("call", ["fsync", "replace", "link"])
def test_a_full_disk_leaves_nothing_half_written(
    call: str, folder: Path, jobs: list[Job], tiny_prior: Prior, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = getattr(os, call), []

    def full(*args: Any, **given: Any) -> Any:
        calls.append(args)
        if len(calls) == 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(*args, **given)

    monkeypatch.setattr(os, call, full)
    batch = restorer_batch(Restorer(tiny_prior), Output(overwrite=call == "replace"))
    # Some file systems know no links: another way is taken, and must be whole too.
    with contextlib.nullcontext() if call == "link" else pytest.raises(OutputError, match="No space left"):
        restore_job(batch, jobs[0])
    restore_job(batch, jobs[2])
    assert left(folder) == (["a.png", "c.png"] if call == "link" else ["c.png"])


class Unwanted:
    """One that is not to be called."""

    def within(self, *given: Any) -> Any:
        return self

    def __call__(self, *given: Any, **more: Any) -> Any:
        pytest.fail("the picture was restored in vain")


@pytest.mark.parametrize("suffix", [".jpg", ".jpeg", ".bmp"])
@pytest.mark.parametrize("with_rival", [False, True], ids=["ldrps", "rival"])
def test_alpha_that_no_result_can_hold_is_refused_before_the_work(
    suffix: str, with_rival: bool, tmp_path: Path, tiny_prior: Prior, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Restorer, "__call__", Unwanted.__call__)
    Image.new("RGBA", (40, 48), (90, 80, 70, 60)).save(tmp_path / "a.png")
    (job,) = plan_jobs([tmp_path / "a.png"], tmp_path / f"b{suffix}")
    rival: Any = Unwanted()
    batch = Batch(rival, Output()) if with_rival else restorer_batch(Restorer(tiny_prior), Output())
    with pytest.raises(OutputError, match=r"no room for the picture's alpha: use \.png") as refused:
        restore_job(batch, job)
    assert f"b{suffix}: " in str(refused.value)


@pytest.mark.parametrize("with_rival", [False, True], ids=["ldrps", "rival"])
def test_what_does_not_fit_into_memory_is_not_decoded(
    with_rival: bool, folder: Path, jobs: list[Job], tiny_prior: Prior, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ldrps.run.batch.load_picture", lambda *given, **more: pytest.fail("decoded in vain"))
    output = Output(max_memory=2**28)
    rival = Idle(Facts("idle", "does nothing", "all", "nobody"))
    batch = Batch(rival, output) if with_rival else restorer_batch(Restorer(tiny_prior), output)
    with pytest.raises(InputError, match=r"48 x 40 takes .* at least, the limit is 0\.25 GiB"):
        batch.load(jobs[0])


class Idle(Rival):
    """Changes nothing."""

    def run(self, y: Tensor, generator: torch.Generator) -> Run:
        yield RivalStep(1, 1, {}, y)
        return y


@pytest.mark.parametrize("with_rival", [False, True], ids=["ldrps", "rival"])
def test_what_needs_nothing_is_copied(with_rival: bool, tmp_path: Path, tiny_prior: Prior, unmoved: Estimators) -> None:
    clean = Image.linear_gradient("L").resize((48, 40)).convert("RGB")
    clean.save(tmp_path / "a.jpg", quality=97, comment="mine")
    rival = Idle(Facts("idle", "does nothing", "all", "nobody"))
    output = Output(compare=True, trace=True)
    restorer = Restorer(tiny_prior, estimators=unmoved)
    batch = Batch(rival, output) if with_rival else restorer_batch(restorer, output)
    (job,) = plan_jobs([tmp_path / "a.jpg"], tmp_path / "out")
    outcome = carrying(batch)(job, lambda tick: True)
    assert outcome.state == "done" and outcome.unchanged
    assert job.target.read_bytes() == job.source.read_bytes()
    assert left(tmp_path) == ["a.jpg", "a.jpg.compare.png", "a.jpg.json"]


def test_what_would_fail_for_all_is_raised(jobs: list[Job], tiny_prior: Prior) -> None:
    def features(images: Any) -> Any:
        return images

    carry = carrying(restorer_batch(Restorer(tiny_prior, features=features), Output()))
    with pytest.raises(SettingsError, match="no perceptual term"):
        carry(jobs[0], lambda tick: True)


def test_stopping_between_and_within_pictures(folder: Path, jobs: list[Job], tiny_prior: Prior) -> None:
    def interrupt(tick: Tick) -> bool:
        raise KeyboardInterrupt

    carry = carrying(restorer_batch(Restorer(tiny_prior), Output()))
    for job in jobs[:2]:
        carry(job, lambda tick: True)
    for report, end in ((interrupt, KeyboardInterrupt), (lambda tick: False, Cancelled)):
        with pytest.raises(end):
            carry(jobs[2], report)
    assert left(folder) == ["a.png"]
