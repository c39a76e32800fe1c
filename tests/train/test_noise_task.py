"""What the noise judge learns from, and that it does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from ldrps.estimation.noise_posterior import NoisePosterior
from ldrps.train.noise_task import NONE, NoiseTask
from ldrps.train.photos import Photographs


@pytest.fixture(scope="module")
def task(photo_folder: Path) -> NoiseTask:
    return NoiseTask(Photographs([photo_folder]), Photographs([photo_folder], held_out=True), views=((8, 48), (4, 64)))


def test_examples_have_nothing_or_each_kind_and_are_files(task: NoiseTask) -> None:
    noisy, kind = task.examples(task.train, 400, 48, np.random.default_rng(0))
    assert noisy.seen.shape == (400, 3, 48, 48) and float(noisy.seen.min()) >= 0 and float(noisy.seen.max()) <= 1
    torch.testing.assert_close(255 * noisy.seen, (255 * noisy.seen).round(), atol=1e-3, rtol=0)
    shares = [float((kind == index).float().mean()) for index in range(4)]
    assert shares[0] == pytest.approx(NONE, abs=0.1)
    assert [share / sum(shares[1:]) for share in shares[1:]] == pytest.approx([0.25, 0.5, 0.25], abs=0.08)
    assert float(noisy.level[kind > 0].min()) > 0.5 / 255


def test_a_few_steps_teach_it_something(task: NoiseTask) -> None:
    torch.manual_seed(0)
    model = NoisePosterior(widths=(8, 16))
    optimiser = torch.optim.Adam(model.parameters(), 3e-3)
    with torch.no_grad():
        before = task.validate(model)["likelihood"]
    for seed in range(40):
        optimiser.zero_grad()
        task.loss(model, np.random.default_rng(seed)).backward()
        optimiser.step()
    with torch.no_grad():
        after = task.validate(model)
    assert after["likelihood"] > before + 0.3
    assert after["right"] > 35 and 1 < after["factor"] < 4 and 0 < after["false_alarm"] < 1


@torch.no_grad()
def test_the_sheet_shows_what_is_believed(task: NoiseTask) -> None:
    sheet = task.pictures(NoisePosterior(widths=(4, 8)))["noises"]
    assert sheet.width > 8 * 48 and sheet.height > 4 * 48
