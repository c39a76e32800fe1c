"""Masks on the command line: filled, kept, made again, and refused in words before anything is loaded."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from conftest import Run
from PIL import Image


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two pictures with a line that is lost, one with the line transparent, and masks; the place to be in."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pictures").mkdir()
    (tmp_path / "masks").mkdir()
    y, x = np.mgrid[0:40, 0:56]
    lost = np.where(abs(y - 20) < 2, 255, 0).astype(np.uint8)
    for name, shade in (("a", 3 * x + y), ("b", 2 * x + 2 * y)):
        rgb = np.stack([shade, shade + 20, 255 - shade], 2).clip(0, 255).astype(np.uint8)
        rgb[lost > 0] = 0
        Image.fromarray(rgb).save(f"pictures/{name}.png")
        Image.fromarray(lost).save(f"masks/{name}.png")
    Image.fromarray(np.dstack([rgb, 255 - lost])).save("clear.png")
    Image.fromarray(lost[1:]).save("small.png")
    return tmp_path


def pixels(path: str) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


def said(command: Run, words: str) -> tuple[int, str, str]:
    return command(*words.split())


def known(path: str) -> np.ndarray:
    return pixels(path)[pixels("masks/a.png") == 0]


def test_a_hole_is_filled_and_the_record_makes_it_again(folder: Path, command: Run) -> None:
    code, _, err = said(command, "restore pictures/a.png -o a.png --mask masks/a.png --preset fast --trace")
    assert code == 0, err
    assert np.array_equal(known("a.png"), known("pictures/a.png"))
    assert pixels("a.png")[20].mean() > 50 > pixels("pictures/a.png")[20].mean()
    record = json.loads(Path("a.png.json").read_text())
    assert record["damage"]["holes"]["file"] == "masks/a.png" and "7.5% of the pixels filled" in record["words"]
    assert said(command, "restore pictures/a.png -o again.png --damage a.png.json --preset fast")[0] == 0
    assert Path("again.png").read_bytes() == Path("a.png").read_bytes()
    Image.fromarray(np.roll(pixels("masks/a.png"), 5, 0)).save("masks/a.png")
    code, _, err = said(command, "restore pictures/a.png -o other.png --damage a.png.json --preset fast")
    assert code == 1 and "masks/a.png is another mask than that of the damage" in err


def test_alpha_is_filled_and_even_a_jpeg_has_room_for_the_result(folder: Path, command: Run) -> None:
    code, _, err = said(command, "restore clear.png -o a.jpg --mask alpha --preset fast")
    assert code == 0, err
    assert pixels("a.jpg").shape == (40, 56, 3)


def test_what_is_protected_comes_back(folder: Path, command: Run) -> None:
    words = "restore pictures/a.png -o a.png --protect masks/a.png --preset fast --damage damage.json"
    Path("damage.json").write_text('{"tone": {"kind": "exposure", "stops": -1}}')
    assert said(command, words)[0] == 0
    kept = pixels("masks/a.png") > 0
    assert np.array_equal(pixels("a.png")[kept], pixels("pictures/a.png")[kept])
    assert known("a.png").mean() > known("pictures/a.png").mean() + 10


def test_a_folder_of_masks_and_another_mask_is_another_result(folder: Path, command: Run) -> None:
    words = "restore pictures -o out --mask masks --preset fast"
    code, _, err = said(command, words)
    assert code == 0 and "2 done" in err, err
    code, _, err = said(command, words)
    assert code == 0 and "2 skipped, finished before" in err, err
    Image.fromarray(np.roll(pixels("masks/b.png"), 5, 0)).save("masks/b.png")
    code, _, err = said(command, words)
    assert code == 0 and "1 done" in err and "1 skipped, finished before" in err, err
    code, _, err = said(command, "restore pictures -o out --preset fast")
    assert code == 0 and "2 done" in err, err


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("pictures/a.png --mask small.png", "small.png is 56 x 39 pixels, and pictures/a.png is 56 x 40: give a mask"),
        ("pictures/a.png --mask nowhere.png", "nowhere.png does not exist: check --mask"),
        ("pictures/a.png --protect damage.json", "damage.json is not an image of a known format"),
        ("pictures/a.png --mask masks/a.png --scale 2", "holes are filled in a picture's own size"),
        ("pictures/a.png --protect masks/a.png --scale 2", "leave --protect or --scale out"),
        ("pictures/a.png pictures/b.png --mask masks/a.png", "masks/a.png is one mask, for 2 pictures"),
        ("pictures --mask masks/a.png", "masks/a.png is one mask, for a folder of pictures: give --mask a folder"),
        ("pictures/a.png --mask masks/a.png --preset paper-denoising", "cannot fill holes: leave --mask out"),
        ("pictures/a.png --mask masks/a.png --method zero-dce-own", "--mask: of ldrps alone, not of zero-dce-own"),
        ("pictures/a.png --protect masks/a.png --method zero-dce-own", "--protect: of ldrps alone"),
    ],
)
def test_mistakes_are_told_before_anything_is_loaded(
    words: str, reason: str, folder: Path, command: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("damage.json").write_text("{}")
    monkeypatch.setattr("ldrps.run.recipe.Recipe.build", None)
    code, _, err = command("restore", *words.split(), "-o", "out/")
    assert code == 2 and reason in " ".join(err.split()), err
    assert not Path("out").exists()


@pytest.mark.parametrize(
    ("mode", "reason"), [("white", "nothing left where white.png is not white"), ("red", "red.png has colours")]
)
def test_a_mask_of_no_use_fails_its_picture(mode: str, reason: str, folder: Path, command: Run) -> None:
    Image.new("RGB", (56, 40), mode).save(f"{mode}.png")
    code, _, err = command("restore", "pictures/a.png", "-o", "out/", "--mask", f"{mode}.png", "--preset", "fast")
    assert code == 1 and reason in err


def test_help_tells_how_a_mask_lies(command: Run) -> None:
    out = " ".join(command("restore", "--help")[1].replace("│", " ").split())
    assert "--mask" in out and "turned as IN is shown" in out and "'alpha'" in out
