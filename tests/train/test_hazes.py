"""What the judges of haze and of casts learn from."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from ldrps.estimation.cast_posterior import CastPosterior
from ldrps.estimation.haze_posterior import HazePosterior
from ldrps.train.cast_task import ASKED, CASTS, CastTask, cast_some, illuminant
from ldrps.train.haze_task import HazeTask
from ldrps.train.hazes import HAZY, haze, haze_some
from ldrps.train.light_task import LightTask
from ldrps.train.photos import Photographs
from ldrps.train.tones import LEAST

PHOTOS = torch.rand(60, 3, 4, 4, generator=torch.Generator().manual_seed(0))
PHOTOS = nn.functional.interpolate(PHOTOS, (48, 48), mode="bicubic").clamp(0, 1)


def changed(exact: torch.Tensor, clean: torch.Tensor) -> torch.Tensor:
    return (exact - clean).square().mean((1, 2, 3)).sqrt()


def test_haze_is_what_it_is_said_to_be() -> None:
    found = haze_some(PHOTOS, np.random.default_rng(0))
    assert found.seen.shape == PHOTOS.shape and found.log_left.shape == (60, 1, 48, 48)
    assert all(float(x.min()) >= 0 and float(x.max()) <= 1 for x in (found.clean, found.exact, found.seen))
    assert torch.equal(found.exact[~found.there], found.clean[~found.there])
    assert float(changed(found.exact, found.clean)[found.there].min()) >= LEAST
    assert bool((found.log_left[~found.there] == 0).all())
    told = found.log_left[found.there]
    is_told = told.isfinite().flatten(1).all(1)
    assert 0.4 < float(is_told.float().mean()) < 1, "what is made in linear light has no such transmission"
    assert bool((told[is_told] < 0).all())


def test_of_a_hazy_picture_the_transmission_and_the_airlight_are_all_there_is() -> None:
    """Two pictures under one veil differ by the transmission times as much as without it."""
    for seed in range(12):
        veil, _ = haze(PHOTOS[:1], np.random.default_rng(seed))
        if veil.domain == "srgb":
            apart = veil(PHOTOS[:1]) - veil(PHOTOS[1:2])
            torch.testing.assert_close(apart, veil.transmission * (PHOTOS[:1] - PHOTOS[1:2]))


def test_a_cast_changes_colours_and_nothing_else() -> None:
    grey = torch.linspace(0.1, 0.8, 16).expand(1, 3, 1, 16)
    for seed in range(20):
        gains = illuminant(np.random.default_rng(seed)).gains[0]
        assert float(gains.min()) > 0.1 and (float(gains.max()) == pytest.approx(1) or float(gains.min()) < 1)
    found = cast_some(PHOTOS, np.random.default_rng(0))
    assert torch.equal(found.exact[~found.there], found.clean[~found.there])
    assert float(changed(found.exact, found.clean)[found.there].min()) >= LEAST
    assert not torch.equal(illuminant(np.random.default_rng(0))(grey), grey)


def test_shares_are_those_that_the_judges_are_told(photo_folder: Path) -> None:
    photos = Photographs([photo_folder]).crops(np.random.default_rng(1), 300, 32, (1.0, 1.2))
    hazy = haze_some(photos, np.random.default_rng(2)).there.float().mean()
    casts = cast_some(photos, np.random.default_rng(2)).there.float().mean()
    assert float(hazy) == pytest.approx(HAZY, abs=0.1) and float(casts) == pytest.approx(CASTS, abs=0.12)
    assert not haze_some(photos[:20], np.random.default_rng(2), 0.0).there.any()
    assert float(cast_some(photos[:40], np.random.default_rng(2), 1.0).there.float().mean()) > ASKED


@pytest.mark.parametrize(
    ("model", "task", "sheet"),
    [
        (lambda: HazePosterior(side=32, widths=(8, 16, 16)), lambda p: HazeTask(p, p, batch=4, size=48), "haze"),
        (lambda: CastPosterior(side=32, widths=(8, 16)), lambda p: CastTask(p, p, batch=4, size=48), "casts"),
    ],
)
def test_a_judge_learns_from_it(
    model: Callable[[], nn.Module], task: Callable[[Photographs], LightTask], sheet: str, photo_folder: Path
) -> None:
    photos = Photographs([photo_folder])
    learning = task(photos)
    torch.manual_seed(0)
    judge = model()
    loss = sum(learning.loss(judge, np.random.default_rng(seed)) for seed in range(3))
    assert isinstance(loss, torch.Tensor) and bool(loss.isfinite())
    loss.backward()
    assert all(p.grad is not None and bool(p.grad.isfinite().all()) for p in judge.parameters())
    with torch.no_grad():
        assert sheet in learning.pictures(judge.eval())
        found = learning.validate(judge)
        assert found == learning.validate(judge), "of the same pictures each time"
    assert all(math.isfinite(each) for each in found.values()) and found.keys() == {"seen", "alone", "before", "after"}
