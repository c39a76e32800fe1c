"""Mistakes in a command are told before torch is loaded, let alone a model: here, torch cannot be loaded at all."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from conftest import noisy
from PIL import Image

PROGRAM = "import sys; sys.modules['torch'] = None; from ldrps.cli import main; main()"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    Image.fromarray(noisy()).save(tmp_path / "a.png")
    Image.fromarray(noisy(31, 31)).save(tmp_path / "small.png")
    (tmp_path / "there.png").write_text("mine")
    return tmp_path


RESTORE = ["restore", "a.png", "-o", "b.png"]
DEGRADE = ["--kind", "noise=5"]
MISTAKES = [
    (1, ["restore", "none.png", "-o", "b.png"], "none.png does not exist"),
    (1, ["restore", "small.png", "-o", "b.png"], "small.png is 31 x 31 pixels, smaller than"),
    (1, ["restore", "a.png", "-o", "there.png"], "there.png exists: give --force to replace it"),
    (1, ["restore", "a.png", "-o", "there.png/b.png"], "there.png/b.png"),
    (1, [*RESTORE, "--max-pixels", "99"], "allow it with --max-pixels 1920"),
    (1, [*RESTORE, "--max-memory", "0.1"], "the limit is 0.10 GiB"),
    (2, [*RESTORE, "--scale", "0"], "scale is 0.0; it must be 1"),
    (2, [*RESTORE, "--scale", "0.5"], "scale is 0.5; it must be 1"),
    (2, [*RESTORE, "--scale", "nan"], "scale is nan; it must be 1"),
    (2, [*RESTORE, "--scale", "100"], "to 8"),
    (2, [*RESTORE, "--scale", "2", "--preset", "paper-denoising"], "cannot enlarge"),
    (2, [*RESTORE, "--scale", "2", "--working-size", "64"], "leave one of the two out"),
    (2, [*RESTORE, "--scale", "2", "--method", "yoly"], "--scale: of ldrps alone"),
    (1, [*RESTORE, "--scale", "3", "--max-pixels", "9000"], "or allow it with --max-pixels 17280"),
    (1, [*RESTORE, "--scale", "8", "--max-memory", "0.58"], "or take a smaller scale than 8"),
    (2, [*RESTORE, "--preset", "fog"], "there are default"),
    (2, [*RESTORE, "--prior", "no/such/folder"], "no such folder"),
    (2, [*RESTORE, "--prior", "a.png"], "found a file"),
    (2, [*RESTORE, "--device", "abacus"], "it must be cpu, cuda"),
    (2, [*RESTORE, "--device", "abacus", "--method", "yoly"], "it must be cpu, cuda"),
    (2, [*RESTORE, "--perceptual", "vgg.safetensors"], "vgg.safetensors is no file"),
    (2, ["restore", "a.png", "-o", "x.gif"], "not one of .png .jpg"),
    (2, ["restore", "a.png", "small.png", "-o", "x.gif"], "2 pictures cannot go into one file"),
    (2, ["restore", ".", "-o", "x.gif"], "a folder of pictures cannot go into one file"),
    (1, ["degrade", "none.png", "-o", "b.png", *DEGRADE], "none.png does not exist"),
    (1, ["degrade", "a.png", "-o", "there.png", *DEGRADE], "give --force to replace it"),
    (2, ["degrade", "a.png", "-o", "x.xyz", *DEGRADE], "not one of .png .jpg"),
    (2, ["serve", "--device", "abacus"], "it must be cpu, cuda"),
    (2, ["serve", "--prior", "no/such/folder"], "no such folder"),
    (2, ["serve", "--host", "192.0.2.7"], "cannot serve at 192.0.2.7"),
    (2, ["info", "no/such/folder"], "no such folder"),
    (2, ["info", "--device", "abacus"], "it must be cpu, cuda"),
    (2, ["prior", "evaluate", "--photos", "none"], "none is not a folder"),
    (2, ["prior", "evaluate", "--device", "abacus"], "it must be cpu, cuda"),
    (2, ["prior", "evaluate", "--json", "a.png/b.json"], "not a folder that may be written"),
    (2, ["prior", "export", "a.png/p"], "not a folder that may be written"),
    (2, ["prior", "export", "."], "holds other things than a prior"),
    (2, ["prior", "export", "p", "--prior", "no/such/folder"], "no such folder"),
    (2, ["bench", "folder:none"], "none is not a folder"),
    (2, ["bench", "folder:.", "--device", "abacus"], "it must be cpu, cuda"),
    (2, ["bench", "folder:.", "--prior", "no/such/folder"], "no such folder"),
    (2, ["bench", "folder:.", "--html", "a.png/page"], "not a folder that may be written"),
    (2, ["train", "fog", "--data", ".", "--out", "p"], "part is 'fog'"),
    (2, ["train", "tone", "--data", "none", "--out", "p"], "none is not a folder"),
    (2, ["train", "tone", "--data", ".", "--out", "a.png/p"], "not a folder that may be written"),
    (2, ["train", "tone", "--data", ".", "--out", "p", "--device", "abacus"], "it must be cpu, cuda"),
    (2, ["train", "tone", "--data", ".", "--out", "p", "--config", "none.toml"], "none.toml is no file"),
    (2, ["train", "tone", "--data", ".", "--out", "p", "--init", "none"], "none: found no such folder"),
    (2, ["train", "text", "--data", ".", "--out", "p", "--init", "embedded"], "leave out --init"),
]


@pytest.mark.parametrize(("code", "words", "message"), MISTAKES, ids=lambda value: str(value)[:60])
def test_it_is_told_at_once_and_nothing_is_touched(code: int, words: list[str], message: str, folder: Path) -> None:
    before = sorted(folder.iterdir())
    finished = subprocess.run(
        [sys.executable, "-c", PROGRAM, *words], cwd=folder, capture_output=True, text=True, timeout=300
    )
    assert message in " ".join(finished.stderr.replace("│", " ").split())
    assert "Traceback" not in finished.stderr
    assert (finished.returncode, finished.stdout) == (code, "")
    assert sorted(folder.iterdir()) == before and (folder / "there.png").read_text() == "mine"


def test_the_others_are_restored_and_the_mistakes_told_first(folder: Path, tiny_prior_folder: Path) -> None:
    words = ["restore", "a.png", "none.png", "small.png", "-o", "x.gif/", "--prior", str(tiny_prior_folder)]
    finished = subprocess.run([sys.executable, "-m", "ldrps", *words], cwd=folder, capture_output=True, text=True)
    assert (finished.returncode, finished.stdout) == (1, "x.gif/a.png\n")
    first, second, last = finished.stderr.splitlines()
    assert "none.png does not exist" in first and "31 x 31" in second
    assert last == "ldrps: 2 of 3 pictures failed: none.png, small.png"
