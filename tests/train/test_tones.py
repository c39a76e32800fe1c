from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from ldrps.train.tones import EVEN, FAMILIES, UNEVEN, DamagedTones, damage_tones, darken

COUNT = 300
NOISE = torch.rand(COUNT, 3, 16, 16, generator=torch.Generator().manual_seed(0))
RAMP = torch.linspace(0.05, 0.95, 32).expand(COUNT, 3, 32, 32).contiguous()  # well exposed, grey


def damaged(clean: Tensor = RAMP, seed: int = 0, family: str | None = None, undamaged: float = 0.0) -> DamagedTones:
    families = FAMILIES if family is None else {family: 1.0}
    return damage_tones(clean, np.random.default_rng(seed), families, undamaged)


def means(images: Tensor) -> Tensor:
    return images.mean((1, 2, 3))


@pytest.mark.parametrize("family", FAMILIES)
def test_shapes_and_ranges(family: str) -> None:
    given = RAMP[:40].clone()
    found = damaged(given, family=family)
    for images in (found.clean, found.exact, found.seen):
        assert images.shape == given.shape and images.dtype == torch.float32
        assert float(images.min()) >= 0 and float(images.max()) <= 1
    assert torch.equal(given, RAMP[:40])


def test_the_same_generator_does_the_same_damage() -> None:
    first, again, other = (damage_tones(NOISE[:40], np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert torch.equal(first.exact, again.exact) and torch.equal(first.seen, again.seen)
    assert not torch.equal(first.exact, other.exact)


def test_what_is_not_damaged_is_right_as_it_is() -> None:
    found = damage_tones(RAMP, np.random.default_rng(0))
    assert float((found.kind > 0).float().mean()) == pytest.approx(0.78, abs=0.08)
    assert torch.equal(found.exact[found.kind == 0], found.clean[found.kind == 0])
    changed = (found.exact - found.clean).square().mean((1, 2, 3)).sqrt()
    assert float(changed[found.kind > 0].min()) >= 0.035, "less is not called damage"


@pytest.mark.parametrize("unusual", [True, False])
def test_what_is_right_may_be_no_photograph(unusual: bool) -> None:
    found = damage_tones(RAMP, np.random.default_rng(0), FAMILIES, undamaged=1.0, unusual=unusual)
    assert torch.equal(found.clean, RAMP) is not unusual


def test_what_is_dark_itself_is_hardly_ever_damaged_by_darkness() -> None:
    """What would be told to be right is not."""
    assert float(damaged(0.35 * RAMP, family="dark").kind.clamp_max(1).float().mean()) < 0.02
    assert bool(damaged(RAMP[:40], family="dark").kind.clamp_max(1).float().mean() > 0.9)


def test_what_is_seen_is_the_exact_damage_with_rounding_and_on_half_of_all_noise() -> None:
    found = damaged(NOISE, undamaged=1.0)
    torch.testing.assert_close(255 * found.seen, (255 * found.seen).round(), atol=1e-4, rtol=0)
    off = (found.seen - found.exact).flatten(1).abs().amax(1)
    assert 0.3 < float((off <= 0.5 / 255 + 1e-6).float().mean()) < 0.6
    assert float(off.max()) > 0.03


def test_darkness_darkens_glare_cuts_off_veils_lighten_and_flatten() -> None:
    dark, bright, veil, flat = (damaged(family=family) for family in ("dark", "bright", "veil", "flat"))
    assert float((means(dark.exact) < means(dark.clean)).float().mean()) > 0.9
    assert float((means(bright.exact) > means(bright.clean)).float().mean()) > 0.95
    assert float((bright.exact >= 1).float().mean()) > 0.2
    for each in (veil, flat):
        spread = each.exact.std((1, 2, 3)) / each.clean.std((1, 2, 3))
        assert float((spread < 1).float().mean()) > 0.8
    assert float(means(veil.exact).mean()) > float(means(veil.clean).mean())


def test_a_cast_makes_grey_warm_or_cold_and_not_much_darker() -> None:
    found = damaged(family="cast").exact.mean((2, 3))
    warmth = (found[:, 0] / found[:, 2]).log2()
    assert float((warmth > 0.1).float().mean()) > 0.3 and float((warmth < -0.1).float().mean()) > 0.3
    assert float(found.amax(1).min()) > 0.3


def test_unevenness_is_of_places() -> None:
    """Two even halves of a picture come out differently."""
    clean = torch.full((60, 3, 32, 32), 0.5)
    clean[..., ::2, ::2] = 0.9
    exact = damaged(clean, family="uneven").exact
    spread = torch.nn.functional.avg_pool2d(exact, 8).std((1, 2, 3))
    assert float((spread > 0.02).float().mean()) > 0.5


def test_haze_grows_with_distance() -> None:
    """Further up is further away, most of the time."""
    clean = torch.linspace(0.05, 0.95, 32).expand(COUNT, 3, 32, 32).contiguous()
    exact = damaged(clean, family="veil").exact
    spread = exact.std(3).mean(1)  # [B, H]
    assert float((spread[:, :8].mean(1) < spread[:, -8:].mean(1)).float().mean()) > 0.7


@pytest.mark.parametrize("value", [0.0, 1.0])
@pytest.mark.parametrize("family", FAMILIES)
def test_black_and_white(value: float, family: str) -> None:
    found = damaged(torch.full((30, 3, 16, 16), value), family=family)
    assert bool(found.exact.isfinite().all()) and bool(found.seen.isfinite().all())


def test_lamps_stay_white_in_some_dark_pictures_and_are_there_in_what_is_wanted() -> None:
    found = damaged(family="dark")
    lit = (found.clean != RAMP).flatten(1).any(1) & (found.kind > 0)
    assert 0.2 < float(lit.float().mean()) < 0.45
    white = (found.exact[lit] > 0.95).flatten(1).any(1)
    assert float(white.float().mean()) > 0.8
    lights = (found.clean[lit] - RAMP[lit] > 0.05) & (found.exact[lit] >= 1)
    assert float(found.clean[lit][lights].mean()) > 0.97, "what clips in the dark picture is white"


def test_darkening_leaves_what_is_dark() -> None:
    random = np.random.default_rng(0)
    dark = 0.3 * RAMP[:20]
    torch.testing.assert_close(darken(dark, random), dark, atol=0.5 / 255 + 1e-6, rtol=0)
    assert float((means(darken(RAMP[:40], random)) < means(RAMP[:40]) - 0.01).float().mean()) > 0.8


@pytest.mark.parametrize(
    ("family", "share"), [("dark", 0.25), ("cast", 0), ("flat", 0), ("uneven", 0.95), ("veil", 0.95)]
)
def test_what_is_not_the_same_everywhere_is_called_so(family: str, share: float) -> None:
    kinds = damaged(family=family).kind
    assert float((kinds[kinds > 0] == UNEVEN).float().mean()) == pytest.approx(share, abs=0.08)
    assert set(kinds.tolist()) <= {0, EVEN, UNEVEN}
