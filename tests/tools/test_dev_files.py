"""Figures on the project's dev files, as they were measured before the baselines were written. RGB PSNR in 8 bits."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ldrps.tools import BASELINES, ORACLES

LOL, HSTS, KODAK = "lol", "hsts", "kodak_noise30"


@cache
def pairs(folder: Path) -> list[tuple[np.ndarray, np.ndarray]]:
    targets = {path.stem: path for path in (folder / "target").iterdir()}
    return [(pixels(path), pixels(targets[path.stem])) for path in sorted((folder / "input").iterdir())]


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"), dtype=np.float32) / 255


def psnr(x: np.ndarray, truth: np.ndarray) -> float:
    rounded = np.rint(x.astype(np.float64) * 255) / 255
    return float(-10 * np.log10(np.mean((rounded - truth) ** 2)))


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("identity", {LOL: 6.67, HSTS: 13.86, KODAK: 26.37}),
        ("autogamma", {LOL: 16.96, HSTS: 20.35}),
        ("stretch", {LOL: 16.13, HSTS: 23.49, KODAK: 23.45}),
        ("meanstd", {LOL: 17.23, HSTS: 21.97, KODAK: 19.64}),
        ("clahe", {LOL: 7.89, HSTS: 14.08, KODAK: 17.79}),
        ("nlm", {KODAK: 30.67}),
    ],
)
def test_baselines_give_the_figures_of_the_field(shared, name, wanted):
    if name in {"clahe", "nlm"}:
        pytest.importorskip("cv2")
    for folder, figure in wanted.items():
        scores = [psnr(BASELINES[name].function(x), truth) for x, truth in pairs(shared / "eval" / folder)]
        assert np.mean(scores) == pytest.approx(figure, abs=0.05), folder


def test_dark_channel_prior_is_no_worse_than_the_simple_one(shared):
    pytest.importorskip("cv2")
    scores = [psnr(BASELINES["dcp"].function(x), truth) for x, truth in pairs(shared / "eval" / HSTS)]
    assert np.mean(scores) == pytest.approx(15.9, abs=0.15)


def test_oracle_of_gain_and_offset(shared):
    oracle = ORACLES["oracle-gain-offset"].function
    for folder, figure in {LOL: 26.21, HSTS: 28.36, KODAK: 26.54}.items():
        scores = [psnr(oracle(x, truth), truth) for x, truth in pairs(shared / "eval" / folder)]
        assert np.mean(scores) == pytest.approx(figure, abs=0.05), folder
