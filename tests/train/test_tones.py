from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from ldrps.train.tones import DamagedTones, damage_tones

COUNT = 800
CLEAN = torch.rand(COUNT, 3, 12, 10, generator=torch.Generator().manual_seed(0))


def damaged(seed: int = 0, clean: Tensor = CLEAN) -> DamagedTones:
    return damage_tones(clean, np.random.default_rng(seed))


def test_shapes_and_ranges() -> None:
    given = CLEAN.clone()
    for images in (damaged().exact, damaged().seen):
        assert images.shape == CLEAN.shape and images.dtype == torch.float32
        assert float(images.min()) >= 0 and float(images.max()) <= 1
    assert torch.equal(CLEAN, given)


def test_the_same_generator_does_the_same_damage() -> None:
    first, again, other = damaged(3), damaged(3), damaged(4)
    assert torch.equal(first.exact, again.exact) and torch.equal(first.seen, again.seen)
    assert not torch.equal(first.exact, other.exact)


def test_a_quarter_is_not_damaged() -> None:
    untouched = (damaged().exact == CLEAN).flatten(1).all(1)
    assert float(untouched.float().mean()) == pytest.approx(0.25, abs=0.05)


def test_what_is_seen_is_the_exact_damage_with_rounding_and_on_half_of_all_noise() -> None:
    found = damaged()
    torch.testing.assert_close(255 * found.seen, (255 * found.seen).round(), atol=1e-4, rtol=0)
    noise = (found.seen - found.exact).flatten(1)
    only_rounded = noise.abs().amax(1) <= 0.5 / 255 + 1e-6
    assert float(only_rounded.float().mean()) == pytest.approx(0.5, abs=0.08)
    assert 0.02 < float(noise[~only_rounded].std(1).max()) < 0.07


def test_every_kind_of_damage_occurs() -> None:
    exact = damaged(clean=torch.full((COUNT, 3, 16, 16), 0.3)).exact
    means, tilt = exact.mean((1, 2, 3)), exact[:, :, :4].mean((1, 2, 3)) - exact[:, :, -4:].mean((1, 2, 3))
    assert 0.1 < float((means < 0.15).float().mean()) < 0.35  # darkened
    assert 0.1 < float((tilt > 0.02).float().mean()) < 0.35  # veiled: hazier, hence brighter, at the top
    assert float((tilt < -0.02).float().mean()) < 0.05
    assert bool(exact.isfinite().all())


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_black_and_white(value: float) -> None:
    found = damaged(clean=torch.full((60, 3, 8, 8), value))
    assert bool(found.exact.isfinite().all()) and bool(found.seen.isfinite().all())
