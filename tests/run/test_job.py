"""What a place for results means, and what is known of jobs before anything is loaded."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import noisy
from PIL import Image

from ldrps.errors import InputError, OutputError
from ldrps.run.job import Job, Output, is_file_name, part_hopeless, plan_jobs


@pytest.mark.parametrize("name", ["a.png", "A.JPG", "x.gif", "x.xyz", "x.jp2", "x.3fr", "out/v1.0/b.tif"])
def test_names_of_files(name: str) -> None:
    assert is_file_name(Path(name))
    assert not is_file_name(Path(name), as_folder=True)


@pytest.mark.parametrize("name", ["out", "out.d/in", ".hidden", "photos.2024", "v1.5", "old.restored", "a.", "."])
def test_names_of_folders(name: str) -> None:
    assert not is_file_name(Path(name))


def test_a_folder_that_is_there_is_one(tmp_path: Path) -> None:
    (tmp_path / "x.gif").mkdir()
    assert plan_jobs([Path("a.jpg")], tmp_path / "x.gif") == [Job(Path("a.jpg"), tmp_path / "x.gif" / "a.jpg")]


@pytest.mark.parametrize("suffix", [".gif", ".xyz", ".psd"])
def test_a_file_that_cannot_be_written_is_no_folder_either(suffix: str, tmp_path: Path) -> None:
    out = tmp_path / f"x{suffix}"
    with pytest.raises(OutputError, match=r"not one of \.png \.jpg .*: use \.png, or end it with / if a folder"):
        plan_jobs([Path("a.jpg")], out)
    with pytest.raises(InputError, match=r"2 pictures cannot go into one file, .*: give a folder; .* end it with /"):
        plan_jobs([Path("a.jpg"), Path("b.jpg")], out)
    jobs = plan_jobs([Path("a.jpg"), Path("b.jpg")], out, as_folder=True)
    assert [job.target for job in jobs] == [out / "a.jpg", out / "b.jpg"]


def test_hopeless_jobs_are_parted_from_the_others(tmp_path: Path) -> None:
    for name in ("good.png", "taken.png", "large.png", "much.png"):
        side = {"large.png": 70, "much.png": 60}.get(name, 48)
        Image.fromarray(noisy(side, 40)).save(tmp_path / name)
    Image.fromarray(noisy(31, 40)).save(tmp_path / "small.png")
    (tmp_path / "text.png").write_text("no picture")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "taken.png").write_text("mine")
    names = ["none.png", "small.png", "good.png", "text.png", "taken.png", "large.png", "much.png"]

    def check(size: tuple[int, int]) -> None:
        if size == (60, 40):
            raise InputError("too much", on_command_line="too much to ask")

    jobs = plan_jobs([tmp_path / name for name in names], tmp_path / "out")
    good, hopeless = part_hopeless(jobs, Output(max_pixels=2500), check)
    assert [job.source.name for job in good] == ["good.png"]
    assert [job.source.name for job, _ in hopeless] == [name for name in names if name != "good.png"]
    reasons = [
        "does not exist",
        "31 x 40 pixels, smaller",
        "not an image",
        "give --force",
        "--max-pixels 2800",
        "to ask",
    ]
    for (_, reason), words in zip(hopeless, reasons, strict=True):
        assert words in reason
    assert (tmp_path / "out" / "taken.png").read_text() == "mine"
    again, _ = part_hopeless(jobs, Output(overwrite=True))
    assert [job.source.name for job in again] == ["good.png", "taken.png", "large.png", "much.png"]


def test_what_goes_beside_a_result_has_a_name_that_can_be(tmp_path: Path) -> None:
    """Known before the work: the sheet of a picture whose own name just fits would not."""
    long = "a" * 248 + ".png"
    Image.fromarray(noisy(48, 40)).save(tmp_path / long)
    jobs = plan_jobs([tmp_path / long], tmp_path / "out")
    assert part_hopeless(jobs, Output())[1] == []
    for output in (Output(compare=True), Output(trace=True), Output(samples=2)):
        ((_, reason),) = part_hopeless(jobs, output)[1]
        assert "255 are the limit there: choose another name, or give the picture a shorter one" in reason


def test_named_twins_by_case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(plan_jobs([Path("x/a.JPG"), Path("y/a.jpg")], tmp_path / "out")) == 2
    monkeypatch.setattr("ldrps.image.files.folds_case", lambda folder: True)
    with pytest.raises(InputError, match=r"a\.JPG and .*a\.jpg would both become .*: restore them apart"):
        plan_jobs([Path("x/a.JPG"), Path("y/a.jpg")], tmp_path / "out")


def test_several_pictures_in_a_file_are_hopeless_unless_the_first_is_asked_for(tmp_path: Path) -> None:
    first = Image.fromarray(noisy(48, 40))
    for kind in ("gif", "webp", "tif"):
        first.save(tmp_path / f"film.{kind}", save_all=True, append_images=[first.rotate(180)])
    jobs = plan_jobs(sorted(tmp_path.glob("film.*")), tmp_path / "out")
    good, hopeless = part_hopeless(jobs, Output())
    assert good == [] and all(reason.endswith("--first-frame") for _, reason in hopeless)
    assert part_hopeless(jobs, Output(first_frame=True))[0] == jobs
