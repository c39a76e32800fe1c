"""The examples run, and show what they are there to show."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
from documents import ROOT, programs, text_of
from PIL import Image

EXAMPLES, SAMPLES = ROOT / "examples", ROOT / "samples"


def run(name: str, folder: Path) -> str:
    """What an example prints; its pictures are left in the folder."""
    command = [sys.executable, EXAMPLES / f"{name}.py", folder]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def decibels(told: str) -> list[float]:
    return [float(each) for each in re.findall(r"([\d.]+) dB", told)]


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
    before, after = decibels(told)
    assert after > before + 20
    assert Image.open(tmp_path / "plug_and_play.png").size == (3 * 128, 128)


def test_what_was_found_is_looked_at(tmp_path: Path) -> None:
    told = run("look_at_what_was_found", tmp_path)
    assert "stops too dark" in told
    stops = re.search(r"stops: (-[\d.]+)", told)
    assert stops is not None
    assert abs(float(stops[1]) + 4) < 1, "it was exposed four stops too short"
    assert (tmp_path / "found.png.json").is_file()
    assert Image.open(tmp_path / "look_at_what_was_found.png").size == (400, 200)


def test_a_part_is_undone(tmp_path: Path) -> None:
    told = run("undo_a_part", tmp_path)
    assert "the same: True" in told
    whole, half, grainy = (float(each) for each in re.findall(r"brightness ([\d.]+)", told))
    assert half < 0.8 * whole
    assert abs(grainy - whole) < 0.05
    assert Image.open(tmp_path / "undo_a_part.png").size == (4 * 160, 160)


def test_damage_is_told(tmp_path: Path) -> None:
    told = run("tell_the_damage", tmp_path)
    assert "told: blurred by 1.6 px, noise 1 of 255" in told
    assert "wrongly told: blurred by 3.2 px" in told
    assert Image.open(tmp_path / "tell_the_damage.png").size == (3 * 160, 160)


def test_a_small_picture_is_made_larger(tmp_path: Path) -> None:
    assert "(100, 100) became (200, 200)" in run("make_it_larger", tmp_path)
    assert Image.open(tmp_path / "make_it_larger.png").size == (3 * 200, 200)


def test_a_degradation_of_ones_own_is_undone(tmp_path: Path) -> None:
    before, divided, undone = decibels(run("own_degradation", tmp_path))
    assert undone > divided + 5 > before + 5
    assert Image.open(tmp_path / "own_degradation.png").size == (3 * 150, 100)


def test_the_curve_of_the_guide_is_undone(tmp_path: Path) -> None:
    (program,) = programs(text_of(Path("docs/guides/own-degradation.md")))
    clean = np.asarray(Image.open(SAMPLES / "small" / "tiny.png").convert("RGB")) / 255
    flat = np.log1p(10 * clean) / np.log1p(10) + 0.02 * np.random.default_rng(0).standard_normal(clean.shape)
    Image.fromarray((255 * flat.clip(0, 1)).round().astype(np.uint8)).save(tmp_path / "flat.png")
    (tmp_path / "guide.py").write_text(program + 'result.save("restored.png")\n')
    subprocess.run([sys.executable, "guide.py"], cwd=tmp_path, check=True, capture_output=True)
    restored = np.asarray(Image.open(tmp_path / "restored.png")) / 255
    assert np.square(restored - clean).mean() < 0.01 * np.square(flat - clean).mean()


def test_every_example_is_run_here() -> None:
    tested = set(re.findall(r'run\("(\w+)"', Path(__file__).read_text()))
    assert {path.stem for path in EXAMPLES.glob("*.py")} == tested
