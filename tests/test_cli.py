"""The command line as people use it: files, messages, exit codes."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from conftest import PATIENCE, Run, noisy
from PIL import Image

import ldrps
from ldrps.folders.names import MANIFEST


@pytest.fixture
def run(command: Run, tiny_prior_folder: Path) -> Run:
    """The command line; `restore` gets the small prior unless it names one."""

    def call(*words: object) -> tuple[int, str, str]:
        small = ["--prior", tiny_prior_folder] if words[:1] == ("restore",) and "--prior" not in words else []
        return command(*words, *small)

    return call


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "noisy.png"
    Image.fromarray(noisy()).save(path)
    return path


def test_one_picture(run: Run, picture: Path, tmp_path: Path) -> None:
    code, out, err = run("restore", picture, "--out", tmp_path / "new.png")
    assert (code, out, err) == (0, f"{tmp_path / 'new.png'}\n", "")
    assert Image.open(tmp_path / "new.png").size == (48, 40)


def test_a_folder_with_sheet_and_trace(run: Run, picture: Path, tmp_path: Path) -> None:
    code, out, _ = run("restore", picture, "-o", tmp_path / "out", "--compare", "--trace", "--seed", 5, "--steps", 3)
    assert code == 0
    names = [Path(line).name for line in out.splitlines()]
    assert names == ["noisy.png", "noisy.png.compare.png", "noisy.png.json"]
    record = json.loads((tmp_path / "out" / "noisy.png.json").read_text())
    assert (record["seed"], record["settings"]["steps"]) == (5, 3)
    assert Image.open(tmp_path / "out" / "noisy.png.compare.png").width > 2 * 48


def test_nothing_is_overwritten_without_force(run: Run, picture: Path, tmp_path: Path) -> None:
    target = tmp_path / "new.png"
    target.write_text("mine")
    code, out, err = run("restore", picture, "-o", target)
    assert (code, out) == (1, "")
    assert "--force" in err
    assert target.read_text() == "mine"
    assert run("restore", picture, "-o", target, "--force")[0] == 0
    assert Image.open(target).size == (48, 40)


def test_a_paper_preset(run: Run, picture: Path, tmp_path: Path) -> None:
    code, _, _ = run(
        "restore", picture, "-o", tmp_path / "a.png", "--preset", "paper-denoising", "--steps", 3, "--recurrences", 1
    )
    assert code == 0


def header_of(side: int) -> bytes:
    """A PNG that claims to be `side` pixels square and holds none."""
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(b"")), (b"IEND", b""))
    parts = [struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def encoded(image: Image.Image, kind: str) -> bytes:
    data = io.BytesIO()
    image.save(data, kind)
    return data.getvalue()


def truncated_jpeg() -> bytes:
    whole = encoded(Image.effect_noise((64, 64), 60).convert("RGB"), "JPEG")
    return whole[: len(whole) // 2]


BAD = {
    "text.png": (lambda: b"not a picture", "not an image"),
    "empty.png": (lambda: b"", "empty"),
    "cut.jpg": (truncated_jpeg, "truncated|broken|end"),
    "dot.png": (lambda: encoded(Image.new("RGB", (1, 1)), "PNG"), "32"),
    "bomb.png": (lambda: header_of(20_000), "20000"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_named_and_the_others_written(name: str, run: Run, picture: Path, tmp_path: Path) -> None:
    make, reason = BAD[name]
    bad = tmp_path / name
    bad.write_bytes(make())
    code, out, err = run("restore", bad, picture, "-o", tmp_path / "out")
    assert code == 1
    assert out == f"{tmp_path / 'out' / 'noisy.png'}\n"
    first, last = err.splitlines()
    assert name in first
    assert re.search(reason, first), first
    assert last == f"ldrps: 1 of 2 pictures failed: {bad}"
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"noisy.png", MANIFEST}


def test_missing_files_and_places_that_cannot_be_written(run: Run, picture: Path, tmp_path: Path) -> None:
    code, _, err = run("restore", tmp_path / "none.png", "-o", tmp_path / "a.png")
    assert code == 1
    assert "none.png" in err
    code, _, err = run("restore", picture, "-o", picture / "a.png")  # a file where a folder should be
    assert code == 1
    assert "noisy.png" in err
    code, _, err = run("restore", tmp_path, "-o", tmp_path / "a.png")  # a folder of pictures, and one file for them
    assert code == 2
    assert "give a folder" in err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--preset", "fog"], "there are default"),
        (["--prior", "no/such/folder"], "no such folder"),
        (["--dtype", "int8"], "float32"),
        (["--steps", "0"], "steps is 0; it must be 1"),
        (["--device", "abacus"], "abacus"),
        (["--unknown"], "--unknown"),
    ],
)
def test_usage_errors(words: list[str], message: str, run: Run, picture: Path, tmp_path: Path) -> None:
    code, out, err = run("restore", picture, "-o", tmp_path / "a.png", *words)
    assert (code, out) == (2, "")
    assert message in " ".join(err.replace("│", " ").split())
    assert not (tmp_path / "a.png").exists()


def test_several_pictures_need_a_folder(run: Run, picture: Path, tmp_path: Path) -> None:
    code, _, err = run("restore", picture, picture, "-o", tmp_path / "a.png")
    assert code == 2
    assert "give a folder" in err
    assert run("restore", "-o", tmp_path / "a.png")[0] == 2


def test_info_and_version(run: Run, tiny_prior_folder: Path) -> None:
    code, out, _ = run("info", tiny_prior_folder)
    assert code == 0
    assert "LatentUNet" in out
    assert "20 channels" in out
    assert re.search(r"^text +no$", out, re.MULTILINE)
    assert run("--version")[:2] == (0, f"ldrps {ldrps.__version__}\n")


def test_info_of_a_prior_that_knows_text(run: Run, text_prior_folder: Path) -> None:
    code, out, _ = run("info", text_prior_folder)
    assert code == 0
    assert re.search(r"^text +yes$", out, re.MULTILINE)
    assert re.search(r"^text_encoder +CLIPTextModel, 0\.\d\d M parameters, torch.float32$", out, re.MULTILINE)


def test_interrupting_leaves_whole_files_only(picture: Path, tmp_path: Path, tiny_prior_folder: Path) -> None:
    """Ctrl-C in the middle of a long restoration, in a process of its own."""
    # Says when steps are being done, so that the signal comes in the middle.
    program = """
import signal
import ldrps.sampling.chains as chains
from ldrps.cli import main
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs start without it
made, Step = [], chains.Step
def step(*fields):
    made.append(fields)
    if len(made) == 3:
        print("stepping", flush=True)
    return Step(*fields)
chains.Step = step
main()
"""
    words = ["restore", picture, "-o", tmp_path / "out", "--preset", "paper-denoising", "--prior", tiny_prior_folder]
    command = [sys.executable, "-c", program, *map(str, words)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "stepping\n"
        os.kill(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert err == "ldrps: stopped; what was written is whole\n"
    assert {path.name for path in (tmp_path / "out").iterdir()} == {MANIFEST}
