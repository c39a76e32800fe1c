"""What `ldrps restore` says about names that lead nowhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from conftest import Run, noisy
from PIL import Image

LONG = "n" * 300 + ".png"


@pytest.mark.parametrize("option", [["-r"], ["--include", "*.png"], ["--exclude", "*.png"], ["--watch"]])
@pytest.mark.parametrize("name", ["photoz", LONG])
def test_a_missing_folder_is_named(command: Run, tmp_path: Path, option: list[str], name: str) -> None:
    code, told, err = command("restore", tmp_path / name, *option, "-o", tmp_path / "out")
    assert (code, told) == (2, "")
    assert err == f"ldrps: {tmp_path / name} does not exist: check the name and the folder\n"


def test_names_that_are_too_long_are_told_not_thrown(command: Run, tmp_path: Path, tiny_prior_folder: Path) -> None:
    Image.fromarray(noisy()).save(tmp_path / "a.png")
    for source, out in ((LONG, "b.png"), ("a.png", LONG)):
        words = ["restore", tmp_path / source, "-o", tmp_path / out]
        for more in (["--prior", tiny_prior_folder], ["--dry-run"]):
            code, told, err = command(*words, *more)
            assert (code, told) == (1, "") and LONG in err


def test_pictures_that_were_named_are_skipped_when_they_are_named_again(
    command: Run, tmp_path: Path, tiny_prior_folder: Path
) -> None:
    for number in range(2):
        Image.fromarray(noisy(seed=number)).save(tmp_path / f"{number}.png")
    out = tmp_path / "out"
    words = ["restore", tmp_path / "0.png", tmp_path / "1.png", "-o", out, "--prior", tiny_prior_folder]
    assert command(*words[:2], *words[3:])[:2] == (0, f"{out / '0.png'}\n")
    at = (out / "0.png").stat().st_mtime_ns
    skipped = "1 skipped, finished before (--force does them again)"
    assert "1 finished before" in command(*words, "--dry-run")[2]
    assert command(*words) == (0, f"{out / '1.png'}\n", f"ldrps: {skipped}\n")
    assert command(*words) == (0, "", f"ldrps: {skipped.replace('1', '2')}\n")
    assert (out / "0.png").stat().st_mtime_ns == at, "other pictures, the same way"
    assert command(*words, "--force")[1:] == (f"{out / '0.png'}\n{out / '1.png'}\n", "")
    assert command(*words, "--seed", 3)[1].count("\n") == 2, "other settings make another result"
    (tmp_path / "1.png").write_bytes((tmp_path / "0.png").read_bytes())
    assert command(*words, "--seed", 3)[1] == f"{out / '1.png'}\n", "and so does another picture of that name"


def test_what_somebody_else_put_there_is_kept(command: Run, tmp_path: Path, tiny_prior_folder: Path) -> None:
    Image.fromarray(noisy()).save(tmp_path / "a.png")
    words = ["restore", tmp_path / "a.png", "--prior", tiny_prior_folder, "-o"]
    (tmp_path / "mixed").mkdir()
    (tmp_path / "mixed" / "mine.txt").write_text("mine")
    assert command(*words, tmp_path / "mixed")[0] == 0
    assert sorted(path.name for path in (tmp_path / "mixed").iterdir()) == ["a.png", "mine.txt"], (
        "and nothing is hidden"
    )
    for out in (tmp_path / "mixed", tmp_path / "mixed" / "a.png"):  # nobody knows of which picture that was made
        code, told, err = command(*words, out)
        assert (code, told) == (1, "") and "a.png exists: give --force to replace it" in err
    assert command(*words, tmp_path / "new")[0] == 0
    (tmp_path / "new" / "b.png").write_text("mine")
    (tmp_path / "a.png").rename(tmp_path / "b.png")
    code, _, err = command("restore", tmp_path / "b.png", *words[2:], tmp_path / "new")
    assert code == 1 and "b.png exists" in err and (tmp_path / "new" / "b.png").read_text() == "mine"


def test_where_nothing_can_be_done_nothing_is_left(command: Run, tmp_path: Path) -> None:
    assert command("restore", tmp_path / "none.png", "-o", tmp_path / "out")[0] == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("masks", [False, True], ids=["alike", "one by one"])
def test_a_folder_goes_on_in_the_precision_in_which_it_began(
    masks: bool, command: Run, tmp_path: Path, tiny_prior_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    native = {"value": torch.float32}
    monkeypatch.setattr("ldrps.prior.device.native_precision", lambda device: native["value"])
    (tmp_path / "in").mkdir()
    out = tmp_path / "out"
    words = ["restore", tmp_path / "in", "-o", out, "--prior", tiny_prior_folder, "--trace"]
    if masks:
        mask = Image.new("L", noisy().shape[1::-1])
        mask.paste(255, (4, 4, 9, 9))
        (tmp_path / "masks").mkdir()
        for name in ("a.png", "bb.png"):
            mask.save(tmp_path / "masks" / name)
        words += ["--mask", tmp_path / "masks"]

    def restored(name: str, *more: object) -> tuple[str, str]:
        if name:
            Image.fromarray(noisy(seed=len(name))).save(tmp_path / "in" / name)
        code, told, err = command(*words, *more)
        assert code == 0
        precisions = {json.loads(path.read_text())["precision"] for path in out.glob("*.json")}
        assert len(precisions) == 1, "never of two"
        return told, err

    assert "began in" not in restored("a.png")[1]
    native["value"] = torch.bfloat16  # carried on on another machine
    assert "the results in" in restored("bb.png")[1]
    assert json.loads((out / "bb.png.json").read_text())["precision"] == "float32"
    assert "2 finished before" in command(*words, "--dry-run")[2]
    told, err = restored("", "--dtype", "bfloat16")
    assert told.count(".png\n") == 2 and "began in" not in err, "what is asked for is done"
    assert restored("")[0] == "", "and there it goes on then"
