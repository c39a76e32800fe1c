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
    """On a picture that is well exposed, and the same from top to bottom."""
    clean = torch.linspace(0.1, 0.95, 32).expand(COUNT, 3, 24, 32)
    exact = damaged(clean=clean).exact
    assert bool(exact.isfinite().all())
    means, tilt = exact.mean((1, 2, 3)), exact[:, :, :6].mean((1, 2, 3)) - exact[:, :, -6:].mean((1, 2, 3))
    even = (exact - exact[:, :, :1]).abs().amax((1, 2, 3)) < 1e-6
    flat = even & (exact.amax((1, 2, 3)) - exact.amin((1, 2, 3)) < 0.6) & (means > 0.3)
    veiled, shaded = ~even & (means > clean.mean()), ~even & (means < clean.mean())

    def share(which: Tensor) -> float:
        return float(which.float().mean())

    assert 0.2 < share(means < 0.25) < 0.45  # darkened
    assert 0.05 < share(flat) < 0.25
    assert 0.1 < share(veiled) < 0.3 and share(tilt[veiled] > 0) > 0.8  # hazier, hence brighter, at the top
    assert 0.08 < share(shaded) < 0.28 and 0.3 < share(tilt[shaded] > 0) < 0.7  # dark, and lit from anywhere


def test_what_is_dark_itself_is_hardly_ever_darkened() -> None:
    """What would be told to be right is not."""
    clean = torch.linspace(0.05, 0.35, 32).expand(COUNT, 3, 24, 32)
    exact = damaged(clean=clean).exact
    tinted = (exact.mean((2, 3)).std(1) / exact.mean((1, 2, 3)).clamp_min(1e-3)) > 0.02  # as only darkness does
    darker = exact.mean((1, 2, 3)) < 0.8 * clean.mean()
    assert float((tinted & darker).float().mean()) < 0.01


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_black_and_white(value: float) -> None:
    found = damaged(clean=torch.full((60, 3, 8, 8), value))
    assert bool(found.exact.isfinite().all()) and bool(found.seen.isfinite().all())


def test_lamps_stay_white_in_some_dark_pictures_and_are_there_in_what_is_wanted() -> None:
    clean = torch.linspace(0.1, 0.9, 32).expand(COUNT, 3, 24, 32)
    found = damaged(clean=clean)
    lit = (found.clean != clean).flatten(1).any(1)
    assert 0.03 < float(lit.float().mean()) < 0.15
    dark = found.exact[lit]
    assert float((dark.median(-1).values < 0.5).float().mean()) > 0.5 and float(dark.amax((1, 2, 3)).min()) > 0.99
    lights = found.clean[lit] - clean[lit] > 0.05
    assert float(found.clean[lit][lights & (dark >= 1)].min()) > 0.9, "what clips in the dark picture is white"
    assert torch.equal(found.clean[~lit], clean[~lit])
