"""A root of data sets with three small pairs, under the name of a set that the benchmark knows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ldrps.bench.data import ROOT_VARIABLE


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quick_start: None) -> Path:
    """`lol/input` and `lol/target`: gradients, and the same at half their brightness under noise."""
    folder = tmp_path / "data"
    for side in ("input", "target"):
        (folder / "lol" / side).mkdir(parents=True)
    for number in (1, 2, 10):
        random = np.random.default_rng(number)
        clean = np.add.outer(np.linspace(40, 160, 40), np.linspace(0, 80, 48))[..., None] + random.uniform(0, 15, 3)
        damaged = clean / 2 + random.normal(0, 8, clean.shape)
        for side, pixels in (("input", damaged), ("target", clean)):
            image = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
            image.save(folder / "lol" / side / f"{number}.png")
    monkeypatch.setenv(ROOT_VARIABLE, str(folder))
    monkeypatch.delenv("LDRPS_WEIGHTS", raising=False)
    return folder
