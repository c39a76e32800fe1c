"""What a training run leaves to look at."""

from __future__ import annotations

import json
import logging
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from ldrps.train.loop import TrainingPlan, train
from ldrps.train.pictures import write_curves, write_pictures


class Line:
    """A task of one number."""

    def loss(self, model: nn.Module, random: np.random.Generator) -> Tensor:
        return (model(torch.ones(1, 1)) - 3).pow(2).mean()

    def validate(self, model: nn.Module) -> dict[str, float]:
        return {"weight": float(model.state_dict()["weight"])}

    def pictures(self, model: nn.Module) -> dict[str, Image.Image]:
        shade = round(50 * (1 + float(model.state_dict()["weight"])))
        return {"shade": Image.new("RGB", (7, 5), (shade, 0, 0))}


def log(path: Path, *reports: tuple[int, float, dict[str, float] | None]) -> Path:
    lines = [{"step": step, "loss": loss, "validation": figures} for step, loss, figures in reports]
    path.write_text("".join(json.dumps(line) + "\n" for line in [{"plan": {}}, *lines]))
    return path


def drawn(path: Path) -> np.ndarray:
    """Where there is colour: the curves, as all else is grey."""
    with Image.open(path) as image:
        rgb = np.asarray(image.convert("RGB")).astype(int)
    return np.ptp(rgb, axis=2) > 40


def test_each_validation_shows_where_the_model_is(tmp_path: Path) -> None:
    training = train(nn.Linear(1, 1), Line(), TrainingPlan(150, validate_every=100, ema=0.9), tmp_path)
    next(training)
    assert not list(tmp_path.glob("*.png")), "nothing is validated yet"
    shades, curves = [], []
    for report in training:
        with Image.open(tmp_path / "shade.png") as image:
            assert image.size == (7, 5)
            shades.append((image.getpixel((3, 3))[0], round(50 * (1 + report.validation["weight"]))))
        curves.append(drawn(tmp_path / "curve.png").sum())
    assert len(shades) == 2 and all(shown == expected for shown, expected in shades)
    assert curves[0] > 100 and curves[1] > 100
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint.pt", "curve.png", "log.jsonl", "shade.png"]


def test_pictures_are_written_over(tmp_path: Path) -> None:
    for shade in (10, 200):
        write_pictures(tmp_path, {"a": Image.new("L", (4, 4), shade), "b": Image.new("L", (2, 2), shade)})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "b.png"]
    with Image.open(tmp_path / "a.png") as image:
        assert image.getpixel((0, 0)) == 200


@pytest.mark.parametrize("losses", [(3.0, 0.1, 0.01), (2.0, 0.5, -1.5), (-0.5, -1.0, -1.5)])
def test_a_loss_of_any_sign_is_drawn(losses: tuple[float, ...], tmp_path: Path) -> None:
    reports = [(50 * (k + 1), loss, None) for k, loss in enumerate(losses)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        write_curves(log(tmp_path / "log.jsonl", *reports), tmp_path / "curve.png")
    columns = drawn(tmp_path / "curve.png").any(0).nonzero()[0]
    assert np.ptp(columns) > 0.6 * drawn(tmp_path / "curve.png").shape[1], "from the first report to the last"


def test_a_panel_for_each_figure_and_the_last_word_of_each_step(tmp_path: Path) -> None:
    """A killed run that is resumed reports some steps twice, and a figure may come late."""
    once = [(50, 1.0, None), (100, 0.5, {"psnr": 20.0}), (150, 0.4, {"psnr": 21.0, "other": 1.0})]
    write_curves(log(tmp_path / "once", *once), tmp_path / "once.png")
    killed = [*once[:2], (150, 0.9, None), (200, 0.8, None), once[1], once[2]]
    write_curves(log(tmp_path / "killed", *killed[:3], *once[1:]), tmp_path / "killed.png")
    assert np.array_equal(drawn(tmp_path / "once.png"), drawn(tmp_path / "killed.png"))
    write_curves(log(tmp_path / "fewer", *once[:2]), tmp_path / "fewer.png")
    heights = [drawn(tmp_path / f"{name}.png").shape[0] for name in ("fewer", "once")]
    assert heights[1] == pytest.approx(1.5 * heights[0], abs=2)


def test_without_matplotlib_there_are_no_curves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with caplog.at_level(logging.INFO):
        write_curves(log(tmp_path / "log.jsonl", (50, 1.0, None)), tmp_path / "curve.png")
    assert not (tmp_path / "curve.png").exists()
    assert "pip install '.[bench]' in the checkout of ldrps" in caplog.text
