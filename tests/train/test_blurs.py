from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from ldrps.estimation.blur_posterior import BLURS, BlurKind, BlurPosterior
from ldrps.train.blur_task import BlurTask
from ldrps.train.blurs import MARGIN, REACH, blur_some, shake
from ldrps.train.photos import Photographs


def edges(image: torch.Tensor) -> float:
    return float(image.diff(dim=-1).square().mean() + image.diff(dim=-2).square().mean())


def checks(count: int, side: int = 64) -> torch.Tensor:
    """A chessboard, which is as sharp as can be."""
    places = torch.arange(side + 2 * MARGIN) // 8 % 2
    return (0.1 + 0.7 * (places[:, None] ^ places).float()).expand(count, 3, -1, -1).clone()


@pytest.mark.parametrize("kind", BLURS)
def test_every_kind_blurs_and_says_by_how_much(kind: BlurKind) -> None:
    random, clean = np.random.default_rng(0), checks(12)
    blurred = blur_some(clean, random, 0.0, kind)
    assert blurred.seen.shape == (12, 3, 64, 64) and bool((blurred.kind == 1 + BLURS.index(kind)).all())
    assert bool((blurred.size > 0).all()) and bool((blurred.shape.norm(dim=1) <= 1 + 1e-6).all())
    softest = int(blurred.size.argmax())
    sharp = edges(clean[:1, :, MARGIN:-MARGIN, MARGIN:-MARGIN])
    assert edges(blurred.seen[softest : softest + 1]) < 0.9 * sharp


def test_what_is_not_blurred_is_told_as_sharp() -> None:
    found = blur_some(checks(30), np.random.default_rng(1), sharp=1.0)
    assert bool((found.kind == 0).all()) and bool((found.size == 1).all())
    assert float((255 * found.seen - (255 * found.seen).round()).abs().max()) < 1e-4, "as files hold it"


@pytest.mark.parametrize("seed", range(8))
def test_a_shake_is_a_kernel_about_the_middle(seed: int) -> None:
    kernel = shake(np.random.default_rng(seed), 17.0)
    assert float(kernel.sum()) == pytest.approx(1) and bool((kernel >= 0).all())
    assert all(side % 2 and side // 2 <= REACH for side in kernel.shape)
    places = torch.arange(kernel.shape[0], dtype=kernel.dtype) - kernel.shape[0] // 2
    assert float((kernel.sum(1) * places).sum()) == pytest.approx(0, abs=0.05)


def test_a_judge_learns_from_it(photo_folder: Path) -> None:
    photos = Photographs([photo_folder])
    task = BlurTask(photos, photos, views=((4, 48),))
    torch.manual_seed(0)
    model = BlurPosterior(widths=(8, 16))
    loss = task.loss(model, np.random.default_rng(0))
    loss.backward()
    assert bool(torch.isfinite(loss))
    assert all(p.grad is not None and bool(torch.isfinite(p.grad).all()) for p in model.parameters())
    with torch.no_grad():
        assert "blurs" in task.pictures(model.eval())
        found = task.validate(model)
        assert found == task.validate(model), "of the same pictures each time"
    assert all(math.isfinite(each) for each in found.values())
    assert {f"factor_{name}" for name in BLURS} < found.keys()
