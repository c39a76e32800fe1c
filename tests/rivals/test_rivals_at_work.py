"""Rivals on the command line: restoring, listed, refused what they do not know."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import Run, noisy
from PIL import Image

from ldrps.presets import preset
from ldrps.run.recipe import OwnMethod, Recipe, RivalMethod


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "in" / "a.png"
    path.parent.mkdir()
    Image.fromarray(noisy(32, 32)).save(path)
    return path


def test_a_picture(command: Run, picture: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.png"
    words = ("--method", "yoly", "--steps", 2, "--seed", 3, "--set", "cap_gradient=false", "--trace", "--compare")
    code, told, err = command("restore", picture, "-o", out, *words)
    assert code == 0, err
    assert told.splitlines()[0] == str(out) and Image.open(out).size == (32, 32)
    record = json.loads((tmp_path / "out.png.json").read_text())
    assert record["prior"] == "yoly" and len(record["losses"]) == 2
    settings = {name: record["settings"][name] for name in ("seed", "steps", "cap_gradient")}
    assert record["method"] == "Yoly" and settings == {"seed": 3, "steps": 2, "cap_gradient": False}


def test_a_folder_and_again(command: Run, picture: Path, tmp_path: Path) -> None:
    (picture.parent / "b.png").write_bytes(picture.read_bytes()[:99])
    words = ("restore", picture.parent, "-o", tmp_path / "out", "--method", "yoly", "--steps")
    code, _, err = command(*words, 1)
    assert code == 1 and "1 done, 1 failed" in err
    assert "0 done, 1 skipped, finished before (--force" in command(*words, 1)[2]
    assert "1 done, 1 failed" in command(*words, 2)[2], "other settings make another result"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--method", "yolo"], "--method is 'yolo'; there are yoly"),
        (["--method", "yoly", "--caption-timeout", 3], "--caption-timeout: of ldrps alone, not of yoly; leave it out"),
        (["--method", "yoly", "--no-caption-cache"], "--no-caption-cache: of ldrps alone"),
        (
            ["--method", "yoly", "--caption-timeout", 30, "--caption", ""],
            "--caption, --caption-timeout: of ldrps alone",
        ),
        (["--method", "yoly", "--preset", "default", "--prior", "embedded"], "--preset, --prior: of ldrps alone"),
        (["--method", "yoly", "--samples", 0, "--colorize"], "--colorize, --samples: of ldrps alone"),
        (["--method", "yoly", "--noise", 3], "--noise: of ldrps alone, not of yoly"),
        (["--method", "yoly", "--relight", 0, "--dry-run"], "--relight, --dry-run: of ldrps alone"),
        (["--method", "yoly", "--set", "timeout"], "must be NAME=VALUE"),
        (["--method", "yoly", "--set", "timeout=3"], "yoly has no setting 'timeout'; there are seed, steps"),
        (["--method", "aod-net"], "get dehazer.pth from"),
        (["--method", "yoly", "--samples", 2], "--samples: of ldrps alone"),
        (["--method", "yoly", "--dtype", "bfloat16"], "--dtype: of ldrps alone"),
        (
            ["--method", "yoly", "--caption-url", "http://x", "--caption-required"],
            "--caption-url, --caption-required: of",
        ),
        (["--set", "steps=3"], "give --method as well"),
        (["--method", "ldrps", "--weights", "w.pth"], "give --method as well"),
        (["--method", "yoly", "--strength", "0.5", "--tile", 256], "--strength, --tile: of ldrps alone"),
        (["--method", "yoly", "--weights", "w.pth"], "--weights: yoly has no use for it"),
        (["--method", "zero-dce-own", "--seed", 3], "--seed: zero-dce-own has no use for it"),
    ],
)
def test_what_is_refused(
    command: Run, picture: Path, words: list[object], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LDRPS_WEIGHTS", raising=False)
    code, _, err = command("restore", picture, "-o", picture.parent / "out.png", *words)
    assert code == 2 and told in " ".join(err.split())
    assert not (picture.parent / "out.png").exists()


def test_the_list(command: Run) -> None:
    code, told, _ = command("methods")
    assert code == 0
    for part in ("ldrps", "yoly", "zero-ig", "for dark; needs weights Epoch99.pth", "command:", "nlm-auto"):
        assert part in told
    rows = {row["name"]: row for row in json.loads(command("methods", "--json")[1])}
    assert rows["aod-net"]["for"] == "haze" and rows["identity"]["kind"].startswith("Plain tools")


def test_a_recipe_is_told_from_another_by_its_method(tmp_path: Path) -> None:
    one, two = tmp_path / "one.pth", tmp_path / "two.pth"
    one.write_bytes(b"1")
    two.write_bytes(b"2")
    methods = [
        OwnMethod(preset("default")),
        RivalMethod("yoly"),
        RivalMethod("yoly", seed=1),
        RivalMethod("yoly", changes=(("cap_gradient", False),)),
        RivalMethod("aod-net", weights=one),
        RivalMethod("aod-net", weights=two),
    ]
    prints = [Recipe(method).fingerprint() for method in methods]
    assert len(set(prints)) == len(methods)
    elsewhere = RivalMethod("yoly", device="cuda")
    assert Recipe(elsewhere).fingerprint() == prints[1], "where it computes plays no part"
