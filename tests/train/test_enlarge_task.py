from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from ldrps.degradation import resize
from ldrps.estimation.enlarger import FACTOR, Enlarger
from ldrps.train.enlarge_task import EnlargeTask
from ldrps.train.photos import Photographs
from ldrps.train.small import small_copies

CLEAN = torch.rand(6, 3, 12, 16, generator=torch.Generator().manual_seed(0))
CLEAN = resize(CLEAN, (48, 64)).clamp(0, 1)


def test_a_good_copy_is_one_that_programs_make() -> None:
    small = small_copies(CLEAN, 4, np.random.default_rng(1), good=1.0)
    assert small.shape == (6, 3, 12, 16)
    assert float((small - resize(CLEAN, (12, 16))).abs().max()) < 0.1


@pytest.mark.parametrize("good", [0.0, 1.0])
def test_copies_are_as_files_hold_them_and_of_a_seed(good: float) -> None:
    small, again = (small_copies(CLEAN, 4, np.random.default_rng(2), good) for _ in range(2))
    assert torch.equal(small, again) and float(small.min()) >= 0 and float(small.max()) <= 1
    assert float((255 * small - (255 * small).round()).abs().max()) < 1e-4


def test_others_are_worse() -> None:
    def distance(good: float) -> float:
        small = small_copies(CLEAN.repeat(4, 1, 1, 1), 4, np.random.default_rng(3), good)
        return float((small - resize(CLEAN, (12, 16)).repeat(4, 1, 1, 1)).square().mean())

    assert distance(0.0) > 4 * distance(1.0)


def test_an_enlarger_learns_from_it(photo_folder: Path) -> None:
    photos = Photographs([photo_folder])
    task = EnlargeTask(photos, photos, views=((2, 48, (1.0, 1.5)),))
    torch.manual_seed(0)
    model = Enlarger(width=8, depth=3)
    for layer in (model.last, model.told[-1]):  # nothing in front of them learns while they are zero
        torch.nn.init.normal_(layer.weight, std=0.05)  # type: ignore[arg-type]
    loss = task.loss(model, np.random.default_rng(0))
    loss.backward()
    assert bool(torch.isfinite(loss))
    assert all(p.grad is not None and bool(p.grad.abs().sum() > 0) for p in model.parameters())


def test_untrained_it_is_a_cubic() -> None:
    model, small = Enlarger(width=8, depth=3), torch.rand(2, 3, 7, 9)
    with torch.no_grad():
        assert torch.equal(model(small), resize(small, (FACTOR * 7, FACTOR * 9)))
