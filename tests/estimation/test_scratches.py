"""Marks are found by the packaged detector where code that it never learned from draws them, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from ldrps.degrade.holes import Scratches
from ldrps.estimation.estimators import load_estimators
from ldrps.estimation.scratch_detector import ScratchDetector
from ldrps.estimation.scratches import find_scratches
from ldrps.image.picture import load_picture


@pytest.fixture(scope="module")
def detector() -> ScratchDetector:
    return load_estimators().scratches


def found(rgb: Tensor, detector: ScratchDetector, visible: Tensor | None = None) -> Tensor | None:
    return find_scratches(rgb, detector, 512, 64, visible)


@pytest.fixture(scope="module")
def clean() -> Tensor:
    return load_picture("samples/hazy.png").rgb


@pytest.mark.parametrize("white", [False, True])
def test_lines_are_found_and_little_else(clean: Tensor, detector: ScratchDetector, white: bool) -> None:
    lost = torch.from_numpy(Scratches(count=6, width=4).lost(clean.shape[-2:], np.random.default_rng(3)))[None, None]
    marks = found(torch.where(lost, float(white), clean), detector)
    assert marks is not None and marks.shape == lost.shape and marks.dtype == torch.bool
    assert float(marks[lost].float().mean()) > 0.85
    assert float(marks[~lost].float().mean()) < 0.05


@pytest.mark.parametrize("name", ["dark", "hazy", "noisy", "blurred"])
def test_of_a_picture_without_marks_next_to_nothing_is_taken(name: str, detector: ScratchDetector) -> None:
    marks = found(load_picture(f"samples/{name}.png").rgb, detector)
    assert marks is None or float(marks.float().mean()) < 0.005


def test_what_is_transparent_is_no_mark(clean: Tensor, detector: ScratchDetector) -> None:
    lost = torch.from_numpy(Scratches(count=6, width=4).lost(clean.shape[-2:], np.random.default_rng(3)))[None, None]
    around = torch.nn.functional.max_pool2d(lost.float(), 9, 1, 4) > 0
    marks = found(torch.where(lost, 0.0, clean), detector, (~around).float())
    assert marks is None or float(marks[lost].float().mean()) < 0.05


def test_of_a_large_scan_they_are_found_in_its_own_size(
    clean: Tensor, detector: ScratchDetector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ldrps.estimation.scratches._SIDE", 200)
    lost = torch.from_numpy(Scratches(count=3, width=8).lost(clean.shape[-2:], np.random.default_rng(3)))[None, None]
    marks = found(torch.where(lost, 0.0, clean), detector)
    assert marks is not None and marks.shape == lost.shape
    assert float(marks[lost].float().mean()) > 0.6


def test_sides_of_any_length_are_answered_in_full(detector: ScratchDetector) -> None:
    assert detector(torch.rand(2, 3, 37, 50)).shape == (2, 1, 37, 50)
