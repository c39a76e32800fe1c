"""The examples run, and show what they are there to show."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from PIL import Image

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


def run(name: str, folder: Path) -> str:
    """What an example prints; its pictures are left in the folder."""
    command = [sys.executable, EXAMPLES / f"{name}.py", folder]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_a_restorer_in_a_pipeline(tmp_path: Path) -> None:
    told = run("pipeline", tmp_path / "out")
    lines = re.findall(r"(\w+): (.*)", told)
    changes = {name: [float(each) for each in re.findall(r"\d\.\d\d", line)] for name, line in lines}
    assert changes.keys() == {"dark", "hazy", "noisy"}
    assert changes["dark"][1] > 2 * changes["dark"][0], "lighter"
    assert changes["hazy"][3] > 1.5 * changes["hazy"][2], "clearer"
    assert changes["noisy"][3] < changes["noisy"][2], "smoother"
    assert Image.open(tmp_path / "out" / "pipeline.png").size == (3 * 96, 2 * 96)


def test_a_denoiser_in_a_loop_of_ones_own(tmp_path: Path) -> None:
    told = run("plug_and_play", tmp_path)
    before, after = (float(each) for each in re.findall(r"([\d.]+) dB", told))
    assert after > before + 20
    assert Image.open(tmp_path / "plug_and_play.png").size == (3 * 128, 128)
