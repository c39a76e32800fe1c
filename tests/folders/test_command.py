"""`ldrps restore` on folders, as people use it."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path
from typing import Any

import pytest
from conftest import Run, noisy, unmoved_estimators
from PIL import Image

from ldrps.estimation.estimators import save_estimator
from ldrps.folders.names import MANIFEST


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    (folder / "deep").mkdir(parents=True)
    for number, name in enumerate(("a.png", "deep/b.jpg", "c.png")):
        Image.fromarray(noisy(seed=number)).save(folder / name)
    (folder / "read.me").touch()
    return folder


@pytest.fixture
def run(command: Run, tiny_prior_folder: Path) -> Run:
    def call(*words: object) -> tuple[int, str, str]:
        return command("restore", *words, "--preset", "fast", "--prior", tiny_prior_folder)

    return call


def names(folder: Path) -> list[str]:
    files = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    return sorted(name for name in files if name != MANIFEST)


def test_a_folder_and_again(run: Run, pictures: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    code, told, err = run(pictures, "-r", "-o", out)
    assert code == 0 and names(out) == ["a.png", "c.png", "deep/b.jpg"]
    assert told.splitlines() == [str(out / name) for name in ("a.png", "c.png", "deep/b.jpg")]
    assert err.startswith("ldrps: 3 done, 0 failed, 1 passed over, no pictures, ") and "s a picture" in err

    code, told, err = run(pictures, "-r", "-o", out)
    assert (code, told) == (0, "") and "0 done, 3 skipped, finished before (--force" in err

    (out / "a.png").unlink()
    (pictures / "d.png").write_bytes((pictures / "c.png").read_bytes())
    code, told, _ = run(pictures, "-r", "-o", out)
    assert code == 0 and told.splitlines() == [str(out / "a.png"), str(out / "d.png")]
    code, told, _ = run(pictures, "-r", "-o", out, "--seed", 3, "--compare")
    assert code == 0 and len(told.splitlines()) == 8, "other settings: all again, each with a sheet"
    assert len(run(pictures, "-r", "-o", out, "--seed", 3, "--force")[1].splitlines()) == 4


def test_within_itself_and_not_onto_itself(run: Run, pictures: Path) -> None:
    code, _, _ = run(pictures, "-r", "-o", pictures / "out")
    assert code == 0 and names(pictures / "out") == ["a.png", "c.png", "deep/b.jpg"]
    assert " 0 done, 3 skipped" in run(pictures, "-r", "-o", pictures / "out")[2]
    code, _, err = run(pictures, "-o", pictures)
    assert code == 2 and "the folder of the pictures themselves" in err


def test_failures_are_named_at_the_end(run: Run, pictures: Path, tmp_path: Path) -> None:
    (pictures / "b.png").write_text("no picture")
    out = tmp_path / "out"
    out.mkdir()
    (out / "c.png").write_text("mine")
    code, told, err = run(pictures, "-o", out)
    assert code == 1 and told == f"{out / 'a.png'}\n"
    *_, summary, first, second = err.splitlines()
    assert "1 done, 2 failed" in summary
    assert first.startswith("  ") and "b.png" in first and "c.png exists: give --force" in second
    assert (out / "c.png").read_text() == "mine"


def test_the_unchanged_are_counted_and_are_copies(run: Run, pictures: Path, tmp_path: Path) -> None:
    save_estimator(tmp_path / "unmoved", "tone", unmoved_estimators().tone)
    Image.linear_gradient("L").resize((48, 40)).save(pictures / "clean.jpg", quality=97)
    code, _, err = run(pictures, "-o", tmp_path / "out", "--estimators", tmp_path / "unmoved")
    assert code == 0 and "3 done (1 unchanged), 0 failed" in err
    assert (tmp_path / "out" / "clean.jpg").read_bytes() == (pictures / "clean.jpg").read_bytes()


def test_a_plan(run: Run, pictures: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    code, told, err = run(pictures, "-r", "-o", out, "--dry-run")
    assert code == 0 and not out.exists()
    first, *_ = lines = told.splitlines()
    assert len(lines) == 3 and first.startswith(f"{pictures / 'a.png'} -> {out / 'a.png'}  (48x40, ")
    assert "3 to do, 0 finished before, 0 would fail, 1 no pictures; about " in err
    run(pictures, "-o", out)
    (pictures / "e.png").write_bytes((pictures / "a.png").read_bytes()[:20])
    before = names(out)
    code, told, err = run(pictures, "-r", "-o", out, "--dry-run")
    assert code == 1 and "(finished)" in told and "e.png" in err and "1 to do, 2 finished before, 1 would fail" in err
    assert names(out) == before
    code, told, _ = run(pictures / "a.png", "-o", tmp_path / "b.png", "--dry-run")
    assert code == 0 and "b.png" in told and not (tmp_path / "b.png").exists()


def test_a_disk_that_is_full_ends_it_early(
    run: Run, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*given: Any, **named: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    out = tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        code, told, err = run(pictures, "-r", "-o", out)
    assert (code, told, names(out)) == (2, "", [])
    assert "0 done, 2 failed" in err and "want of room" in err and "deep/b.jpg" not in err
    assert run(pictures, "-r", "-o", out)[0] == 0


def test_usage(run: Run, pictures: Path, tmp_path: Path) -> None:
    code, _, err = run(pictures / "a.png", "-o", tmp_path / "out", "--recursive")
    assert code == 2 and "about folders" in " ".join(err.replace("│", " ").split())
    code, _, err = run(pictures, "-o", tmp_path / "a.png")
    assert code == 2 and "give a folder" in err
    assert run(pictures, "-o", tmp_path / "out", "--jobs", 0)[0] == 2
    (tmp_path / "file").touch()
    code, _, err = run(pictures, "-o", tmp_path / "file")
    assert code == 2 and "give a folder" in err


def test_metadata_and_quality(run: Run, pictures: Path, tmp_path: Path) -> None:
    sizes = []
    for quality in (20, 95):
        out = tmp_path / str(quality)
        assert run(pictures / "deep" / "b.jpg", "-o", out, "--quality", quality, "--strip", "--srgb")[0] == 0
        sizes.append((out / "b.jpg").stat().st_size)
    assert sizes[0] < 0.8 * sizes[1]


def test_watching(run: Run, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until Ctrl-C, which comes when nothing has been to do for a while."""
    from ldrps.run import pool

    idle: list[float] = []
    really_sleep = time.sleep

    def sleep(seconds: float) -> None:
        idle.append(seconds)
        if len(idle) == 20:
            Image.fromarray(noisy(seed=9)).save(pictures / "late.png")
        if len(idle) > 20 and (tmp_path / "out" / "late.png").exists():
            raise KeyboardInterrupt
        really_sleep(seconds / 5)

    monkeypatch.setattr(pool.time, "sleep", sleep)
    monkeypatch.setattr("ldrps.folders.watch.QUIET", 0.2)
    monkeypatch.setattr("ldrps.folders.watch.EVERY", 0.1)
    Image.fromarray(noisy(seed=3)).save(pictures / "e.gif.png")
    (pictures / "e.gif").touch()
    code, told, err = run(pictures, "-o", tmp_path / "out", "--watch")
    assert code == 130
    assert [Path(line).name for line in told.splitlines()] == ["a.png", "c.png", "e.gif.png", "late.png"]
    assert "4 done, 1 failed" in err and err.count("would both become") == 2, "when it was seen, and at the end"
    assert err.endswith("ldrps: stopped; what was written is whole\n")


def test_enlarging_a_folder_goes_on_past_what_would_be_too_large(run: Run, pictures: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    Image.fromarray(noisy(90, 80)).save(pictures / "wide.png")
    code, told, err = run(pictures, "-r", "-o", out, "--scale", 3, "--max-pixels", 20_000, "--compare", "--trace")
    assert code == 1 and names(out).count("wide.png") == 0
    assert "wide.png is 90 x 80, and enlarged 3 times 270 x 240 = 64,800 pixels, more than the limit of 20,000" in err
    for name in ("a.png", "c.png", "deep/b.jpg"):
        with Image.open(out / name) as image, Image.open(out / f"{name}.compare.png") as sheet:
            assert image.size == (144, 120) and sheet.width > 2 * 144 and sheet.height > 120
    code, told, err = run(pictures, "-r", "-o", out, "--scale", 3, "--max-pixels", 20_000, "--dry-run")
    assert code == 1 and "3 finished before, 1 would fail" in err
    code, told, _ = run(pictures, "-r", "-o", out, "--scale", 2)
    assert code == 0, "another scale, all again"
    assert Image.open(out / "a.png").size == (96, 80) and Image.open(out / "wide.png").size == (180, 160)
    assert len(told.splitlines()) == 4
