"""`ldrps restore --dry-run` refuses what restoring would, in the same words, and nothing else."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import numpy as np
import pytest
import tifffile
from conftest import Run, noisy
from PIL import Image
from torture_parts import png

from ldrps import memory


def test_a_picture_beyond_pillows_limit_is_planned(command: Run, tmp_path: Path) -> None:
    (tmp_path / "large.png").write_bytes(png(15_000, 13_000, 1, 0, b""))
    words = ["restore", tmp_path / "large.png", "-o", tmp_path / "a.png", "--max-memory", 64, "--dry-run"]
    code, told, _ = command(*words, "--max-pixels", 300_000_000)
    assert code == 0 and "(15000x13000, " in told
    code, told, err = command(*words)
    assert (code, told) == (1, "") and "allow it with --max-pixels 195000000" in err


def test_a_tiff_of_floats_in_colour_is_planned(command: Run, tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "p.tif", noisy() / np.float32(255), photometric="rgb")
    code, told, _ = command("restore", tmp_path / "p.tif", "-o", tmp_path / "a.png", "--dry-run")
    assert code == 0 and "(48x40, " in told


def test_a_heic_file_without_the_extra_is_told_with_its_remedy(
    command: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    (tmp_path / "p.heic").write_bytes(b"\0\0\0\x10ftypheic\0\0\0\0")
    code, _, err = command("restore", tmp_path / "p.heic", "-o", tmp_path / "a.png", "--dry-run")
    assert code == 1 and err.startswith(
        f"ldrps: {tmp_path / 'p.heic'} is a HEIC file: pip install '.[heif]' in the checkout of ldrps, or"
    )


def test_a_place_that_cannot_be_written_is_told(command: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.fromarray(noisy()).save(tmp_path / "p.png")
    code, _, err = command("restore", tmp_path / "p.png", "-o", tmp_path / "p.png" / "a.png", "--dry-run")
    assert code == 1 and "cannot write" in err
    monkeypatch.setattr(os, "access", lambda path, mode, **given: mode == os.R_OK)  # root may write anywhere
    code, _, err = command("restore", tmp_path / "p.png", "-o", tmp_path / "out", "--dry-run")
    assert code == 1 and "not a folder that may be written" in err


def test_processes_share_the_memory_that_is_free(command: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_free_bytes", lambda: 2**31)
    names = []
    for number in range(4):
        names.append(tmp_path / f"{number}.png")
        Image.fromarray(noisy(512, 512)).save(names[-1])
    words = ["restore", *names, "-o", tmp_path / "out", "--dry-run"]
    assert command(*words)[0] == 0
    code, _, err = command(*words, "--jobs", 8)
    assert (
        code == 1 and "takes 0.60 GiB at least, the limit is 0.50 GiB: allow more (--max-memory, fewer --jobs)" in err
    )
    assert command(*words, "--jobs", 8, "--max-memory", 2)[0] == 0
    assert command("restore", names[0], "-o", tmp_path / "out", "--dry-run", "--jobs", 8)[0] == 0
