"""Several pictures: planned before, written one by one, and none takes another down with it."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ldrps import Prior, Restorer
from ldrps.baselines.batch import RivalBatch
from ldrps.batch import Batch, Job, Output, plan_jobs, run_jobs
from ldrps.errors import InputError, OutputError, SettingsError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three pictures, the second of them broken."""
    random = np.random.default_rng(0)
    for name in ("a.png", "b.png", "c.png"):
        pixels = np.clip(120 + 20 * random.standard_normal((40, 48, 3)), 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / name)
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
    done = list(run_jobs(jobs, Restorer(tiny_prior), compare=True, trace=True))
    assert [each.result is not None for each in done] == [True, False, True]
    assert isinstance(done[1].error, InputError)
    assert "b.png" in str(done[1].error)
    assert left(folder) == sorted(n + end for n in ("a.png", "c.png") for end in ("", ".compare.png", ".json"))
    assert [path.name for path in done[0].written] == ["a.png", "a.png.compare.png", "a.png.json"]


@pytest.mark.parametrize("name", ["a.png", "a.png.compare.png", "a.png.json"])
def test_what_exists_is_kept_and_no_work_is_done(name: str, folder: Path, jobs: list[Job], tiny_prior: Prior) -> None:
    (folder / "out").mkdir()
    (folder / "out" / name).write_text("mine")
    steps: list[Any] = []
    first, *_ = run_jobs(jobs[:1], Restorer(tiny_prior), compare=True, trace=True, on_step=lambda *s: steps.append(s))
    assert name in str(first.error)
    assert steps == []
    assert left(folder) == [name]
    assert (folder / "out" / name).read_text() == "mine"
    (again,) = run_jobs(jobs[:1], Restorer(tiny_prior), compare=True, trace=True, overwrite=True)
    assert again.error is None
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
    done = list(run_jobs([jobs[0], jobs[2]], Restorer(tiny_prior), overwrite=call == "replace"))
    if call == "link":  # some file systems know no links: another way is taken, and must be whole too
        assert all(each.error is None for each in done) or "No space left" in str(done[0].error)
    else:
        assert "No space left" in str(done[0].error)
        assert left(folder) == ["c.png"]
    assert done[1].error is None
    assert all(not name.startswith(".") for name in left(folder))


class Unwanted:
    """A rival that is not to be called."""

    def __call__(self, picture: Any, *, on_step: Any = None) -> Any:
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
    batch = RivalBatch(rival, Output()) if with_rival else Batch(Restorer(tiny_prior), Output())
    done = batch.run(job)
    assert isinstance(done.error, OutputError)
    assert f"b{suffix}: " in str(done.error) and "no room for the picture's alpha: use .png" in str(done.error)


def test_what_would_fail_for_all_is_raised(jobs: list[Job], tiny_prior: Prior) -> None:
    def features(images: Any) -> Any:
        return images

    with pytest.raises(SettingsError, match="no perceptual term"):
        list(run_jobs(jobs, Restorer(tiny_prior, features=features)))


def test_stopping_between_and_within_pictures(folder: Path, jobs: list[Job], tiny_prior: Prior) -> None:
    def interrupt(job: Job, step: Any) -> None:
        if job.source.name == "c.png":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(run_jobs(jobs, Restorer(tiny_prior), on_step=interrupt))
    assert left(folder) == ["a.png"]
