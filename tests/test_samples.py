"""The sample photographs are what their program makes, and the embedded prior makes them better."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import ldrps

SAMPLES = Path(__file__).resolve().parents[1] / "samples"
# The pictures before they were damaged, as make_samples.py reduces them.
CLEAN = {
    "dark": ("coffee.png", (300, 200)),
    "hazy": ("astronaut.png", (288, 288)),
    "noisy": ("chelsea.png", (300, 200)),
    "blurred": ("astronaut.png", (288, 288)),
}


def test_anyone_gets_the_same_samples(tmp_path: Path) -> None:
    subprocess.run([sys.executable, SAMPLES / "make_samples.py", tmp_path], check=True)
    for name in CLEAN:
        made, kept = (np.asarray(Image.open(folder / f"{name}.png")) for folder in (tmp_path, SAMPLES))
        assert np.array_equal(made, kept), name


@pytest.mark.parametrize("name", CLEAN)
def test_the_default_makes_each_sample_better(name: str) -> None:
    skimage = pytest.importorskip("skimage")
    file, size = CLEAN[name]
    with Image.open(Path(skimage.__file__).parent / "data" / file) as image:
        clean = np.asarray(image.convert("RGB").resize(size, Image.Resampling.LANCZOS), dtype=float)

    def psnr(picture: Image.Image) -> float:
        return float(-10 * np.log10(np.mean((np.asarray(picture, dtype=float) - clean) ** 2) / 255**2))

    before, after = psnr(Image.open(SAMPLES / f"{name}.png")), psnr(ldrps.restore(SAMPLES / f"{name}.png").image)
    assert after > before + 4, f"{before:.1f} to {after:.1f} dB"
