from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from ldrps.estimation.cast_posterior import CastPosterior
from ldrps.train.cast_task import ASKED, CASTS, CastTask, cast_some, illuminant
from ldrps.train.photos import Photographs
from ldrps.train.tones import LEAST

PHOTOS = torch.rand(60, 3, 4, 4, generator=torch.Generator().manual_seed(0))
PHOTOS = nn.functional.interpolate(PHOTOS, (48, 48), mode="bicubic").clamp(0, 1)


def test_a_cast_changes_colours_and_nothing_else() -> None:
    grey = torch.linspace(0.1, 0.8, 16).expand(1, 3, 1, 16)
    for seed in range(20):
        cast = illuminant(np.random.default_rng(seed))
        assert float(cast.gains.min()) > 0.1
        shown = cast(grey)
        ratios = shown / shown.mean(1, keepdim=True)
        torch.testing.assert_close(ratios, ratios[..., :1].expand_as(ratios), atol=0.15, rtol=0)
        assert not torch.equal(shown, grey)


def test_what_is_seen_is_the_cast_alone_but_for_noise_and_rounding() -> None:
    found = cast_some(PHOTOS, np.random.default_rng(0))
    assert all(float(x.min()) >= 0 and float(x.max()) <= 1 for x in (found.clean, found.exact, found.seen))
    assert found.seen.shape == PHOTOS.shape
    assert torch.equal(found.exact[~found.there], found.clean[~found.there])
    changed = (found.exact - found.clean).square().mean((1, 2, 3)).sqrt()
    assert float(changed[found.there].min()) >= LEAST, "less is not called a cast"
    assert float((found.seen - found.exact).abs().mean()) < 0.03


def test_the_share_is_that_which_the_judge_is_told(photo_folder: Path) -> None:
    photos = Photographs([photo_folder]).crops(np.random.default_rng(1), 300, 32, (1.0, 1.2))
    assert float(cast_some(photos, np.random.default_rng(2)).there.float().mean()) == pytest.approx(CASTS, abs=0.12)
    assert not cast_some(photos[:40], np.random.default_rng(2), 0.0).there.any()
    assert float(cast_some(photos[:40], np.random.default_rng(2), 1.0).there.float().mean()) > ASKED


def test_a_judge_learns_from_it(photo_folder: Path) -> None:
    photos = Photographs([photo_folder])
    task = CastTask(photos, photos, batch=4, size=48)
    torch.manual_seed(0)
    judge = CastPosterior(side=32, widths=(8, 16))
    loss = torch.stack([task.loss(judge, np.random.default_rng(seed)) for seed in range(3)]).sum()
    assert bool(loss.isfinite())
    loss.backward()
    assert all(p.grad is not None and bool(p.grad.isfinite().all()) for p in judge.parameters())
    with torch.no_grad():
        assert "casts" in task.pictures(judge.eval())
        found = task.validate(judge)
        assert found == task.validate(judge), "of the same pictures each time"
    assert all(math.isfinite(each) for each in found.values()) and found.keys() == {"seen", "alone", "before", "after"}
