from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from ldrps.estimation.scratch_detector import ScratchDetector
from ldrps.train.marks import _KINDS, SHARES, mark
from ldrps.train.photos import Photographs
from ldrps.train.scratch_task import ScratchTask
from ldrps.train.scratches import scratch_some


@pytest.mark.parametrize("kind", SHARES)
def test_every_kind_of_mark_hides_some_of_a_picture_and_not_all(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ldrps.train.marks.SHARES", {kind: 1.0})
    hidden = torch.cat([mark(64, np.random.default_rng(seed)) for seed in range(12)])
    assert hidden.shape == (12, 1, 64, 64) and float(hidden.min()) >= 0 and float(hidden.max()) <= 1
    share = (hidden > 0.4).flatten(1).float().mean(1)
    assert 0.001 < float(share.mean()) < 0.25, kind


def test_all_kinds_have_a_share() -> None:
    assert SHARES.keys() == _KINDS.keys() and sum(SHARES.values()) == pytest.approx(1)


def test_what_is_told_as_hidden_was_changed_and_what_counts_is_beyond_doubt() -> None:
    clean = torch.full((40, 3, 64, 64), 0.5)
    found = scratch_some(clean, np.random.default_rng(0))
    assert set(found.lost.unique().tolist()) == {0.0, 1.0} and set(found.counts.unique().tolist()) == {0.0, 1.0}
    assert bool((found.counts[found.lost > 0] == 1).all())
    marked = found.lost.flatten(1).any(1)
    assert 0.3 < float(marked.float().mean()) < 0.95
    levels = 255 * found.seen
    assert float((levels - levels.round()).abs().max()) < 1e-4, "as files hold it"


def test_the_same_seed_makes_the_same_marks() -> None:
    clean = torch.rand(6, 3, 48, 48, generator=torch.Generator().manual_seed(0))
    one, two = (scratch_some(clean, np.random.default_rng(7)) for _ in range(2))
    assert torch.equal(one.seen, two.seen) and torch.equal(one.lost, two.lost)


def test_a_detector_learns_from_it(photo_folder: Path) -> None:
    photos = Photographs([photo_folder])
    task = ScratchTask(photos, photos, batch=2, size=48)
    torch.manual_seed(0)
    model = ScratchDetector(widths=(4, 8))
    torch.nn.init.normal_(model.answer.weight, std=0.1)  # nothing in front of it learns while it is zero
    loss = task.loss(model, np.random.default_rng(0))
    loss.backward()
    assert bool(torch.isfinite(loss))
    assert all(p.grad is not None and bool(p.grad.abs().sum() > 0) for p in model.parameters())
    with torch.no_grad():
        assert "scratches" in task.pictures(model.eval())
        found = task.validate(model)
        assert found == task.validate(model), "of the same pictures each time"
    assert all(math.isfinite(each) for each in found.values())
