"""The damage on the command line: written, edited, given back; parts of it, and how much."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from conftest import Run
from PIL import Image


@pytest.fixture
def dark(tmp_path: Path) -> Path:
    y, x = np.mgrid[:48, :64] / 64
    clean = 0.5 + 0.4 * np.stack([np.sin(9 * x), np.cos(7 * y), np.sin(5 * (x + y))], -1)
    noise = 0.02 * np.random.default_rng(0).standard_normal(clean.shape)
    Image.fromarray((255 * (0.15 * clean + noise).clip(0, 1)).astype(np.uint8)).save(tmp_path / "dark.png")
    return tmp_path / "dark.png"


def level(path: Path) -> float:
    return float(np.asarray(Image.open(path)).mean())


def test_what_was_found_is_given_back_and_edited(dark: Path, command: Run, tmp_path: Path) -> None:
    assert command("restore", dark, "-o", tmp_path / "a.png", "--trace")[0] == 0
    record = tmp_path / "a.png.json"
    assert command("restore", dark, "-o", tmp_path / "b.png", "--damage", record)[0] == 0
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    damage = json.loads(record.read_text())["damage"]
    damage["tone"]["strength"] = 0.0
    (tmp_path / "edited.json").write_text(json.dumps(damage))
    assert command("restore", dark, "-o", tmp_path / "c.png", "--damage", tmp_path / "edited.json")[0] == 0
    assert level(tmp_path / "c.png") == pytest.approx(level(dark), abs=2) and level(tmp_path / "a.png") > 60


def test_parts_and_strengths(dark: Path, command: Run, tmp_path: Path) -> None:
    asked = {
        "all": [],
        "half": ["--strength", "0.5"],
        "noise": ["--only", "noise"],
        "tone": ["--skip", "noise", "--strength", "2", "--strength", "tone=1"],
        "none": ["--skip", "noise, tone"],
        "both": ["--only", "noise", "--only", "tone"],
        "neither": ["--skip", "noise", "--skip", "tone"],
    }
    for name, words in asked.items():
        assert command("restore", dark, "-o", tmp_path / f"{name}.png", *words)[0] == 0
    levels = {name: level(tmp_path / f"{name}.png") for name in asked}
    assert levels["noise"] == pytest.approx(level(dark), abs=1)
    assert levels["noise"] < levels["half"] < levels["all"] - 10
    assert levels["tone"] == pytest.approx(levels["all"], abs=3)
    assert (tmp_path / "both.png").read_bytes() == (tmp_path / "all.png").read_bytes()
    for name in ("none", "neither"):
        assert (tmp_path / f"{name}.png").read_bytes() == dark.read_bytes()


def test_a_blur_that_is_told_is_undone_as_far_as_it_is_asked(dark: Path, command: Run, tmp_path: Path) -> None:
    told = tmp_path / "blur.json"
    told.write_text('{"blur": {"kind": "gaussian blur", "sigma": 1.5}}')
    asked = {"all": [], "half": ["--strength", "blur=0.5"], "none": ["--skip", "blur"], "tone": ["--only", "tone"]}
    for name, words in asked.items():
        assert command("restore", dark, "-o", tmp_path / f"{name}.png", "--damage", told, *words)[0] == 0
    sharpness = {
        name: np.abs(np.diff(np.asarray(Image.open(tmp_path / f"{name}.png"), float), axis=1)).mean() for name in asked
    }
    assert sharpness["none"] < sharpness["half"] < sharpness["all"]
    for name in ("none", "tone"):
        assert (tmp_path / f"{name}.png").read_bytes() == dark.read_bytes()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--strength", "much"], "--strength is 'much'; it must be a number, or PART=NUMBER"),
        (["--strength", "noise="], "--strength is 'noise='"),
        (["--strength", "fog=1"], "part is 'fog'; it must be one of tone, noise"),
        (["--strength", "9"], "strength of tone is 9.0; it must be 0, which leaves it out, to 4"),
        (["--only", "noise,fog"], "part is 'fog'"),
        (["--skip", ""], "part is ''"),
        (["--damage", "nowhere.json"], "nowhere.json cannot be read"),
        (["--damage", "."], "is no file"),
        (["--only", "tone", "--preset", "paper-dehazing"], "learns the damage as a whole"),
        (["--damage", "DARK", "--preset", "paper-dehazing"], "learns the damage as a whole"),
        (["--damage", "DARK"], "is no JSON"),
        (["--damage", "x" * 300], "cannot be read (File name too long)"),
        (["--damage", '{"tone": {"kind": "exposure"}, "noise": null}' + 300 * " "], "cannot be read"),
        (["--damage", "DARK", "--noise", "20"], "leave --noise, of the estimate, out"),
        (
            ["--damage", "DARK", "--undamaged", "0.5", "--noise", "3"],
            "leave --undamaged and --noise, of the estimate, out",
        ),
        (["--method", "yoly", "--only", "tone"], "--only: of ldrps alone, not of yoly; leave it out"),
    ],
)
def test_mistakes_are_told_at_once(words: list[str], message: str, dark: Path, command: Run, tmp_path: Path) -> None:
    words = [str(dark) if word == "DARK" else word for word in words]
    code, _, err = command("restore", dark, "-o", tmp_path / "x.png", *words)
    assert code == 2 and message in " ".join(err.split())
    assert not (tmp_path / "x.png").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"tone": {"kind": "fog"}}', "kind is 'fog'"),
        ('{"tone": {"kind": "tone", "gain": 0}}', "gain of 'tone' is 0"),
        ('{"damage": "0.14x exposure"}', "has the damage in words, as ldrps 0.1 did: restore with --trace again"),
        ('{"haze": {}}', "has no part 'haze'"),
    ],
)
@pytest.mark.parametrize("more", [[], ["--jobs", "2"], ["--dry-run"]], ids=["one", "two", "dry"])
def test_of_a_folder_nothing_is_written_for_a_wrong_file(
    more: list[str], text: str, message: str, dark: Path, command: Run, tmp_path: Path
) -> None:
    (tmp_path / "damage.json").write_text(text)
    words = ("restore", tmp_path, "-o", tmp_path / "out", "--damage", tmp_path / "damage.json", *more)
    code, _, err = command(*words)
    assert code == 2 and message in " ".join(err.split())
    assert not (tmp_path / "out").exists()


def test_of_a_folder_pictures_are_made_anew_for_another_damage_alone(dark: Path, command: Run, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    dark.rename(tmp_path / "in" / "dark.png")
    file, result = tmp_path / "damage.json", tmp_path / "out" / "dark.png"

    def made(*words: str) -> bytes:
        assert command("restore", tmp_path / "in", "-o", tmp_path / "out", "--damage", file, *words)[0] == 0
        return result.read_bytes()

    file.write_text('{"tone": {"kind": "tone", "gain": 0.25}}')
    first, at = made(), result.stat().st_mtime_ns
    file.write_text('{"damage": {"tone": {"gain": 0.25, "kind": "tone"}}}')
    assert made() == first and result.stat().st_mtime_ns == at, "the same in other words"
    assert made("--strength", "0.5") != first
    file.write_text('{"tone": {"kind": "tone", "gain": 0.5}}')
    assert made() != first
