"""Marks are found by the packaged detector where code that it never learned from draws them, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from ldrps import load_picture
from ldrps.degrade.holes import Scratches
from ldrps.estimation.estimators import load_estimators
from ldrps.estimation.scratch_detector import ScratchDetector
from ldrps.estimation.scratches import find_scratches


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


def test_a_clean_photograph_has_none(clean: Tensor, detector: ScratchDetector) -> None:
    assert found(clean, detector) is None


def test_what_is_transparent_is_no_mark(clean: Tensor, detector: ScratchDetector) -> None:
    lost = torch.from_numpy(Scratches(count=6, width=4).lost(clean.shape[-2:], np.random.default_rng(3)))[None, None]
    marked = torch.where(lost, 0.0, clean)
    assert found(marked, detector, (~torch.nn.functional.max_pool2d(lost.float(), 9, 1, 4).bool()).float()) is None


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
