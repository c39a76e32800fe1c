"""Holes are filled from what is known, which stays to the bit, alike in any windows."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import torch
from torch import Tensor

import ldrps
from ldrps import Prior, Settings, preset
from ldrps.image.fill import filled
from ldrps.methods.fill import HoleFilling, HoleWindows
from ldrps.sampling.chains import end_of
from ldrps.settings import BlindSettings, Filling


@pytest.fixture(scope="module")
def embedded() -> Prior:
    return ldrps.load_prior()


def scene(height: int, width: int) -> Tensor:
    """Edges, curves and shades, [1, 3, H, W]."""
    y, x = torch.meshgrid(torch.arange(height) / 64, torch.arange(width) / 64, indexing="ij")
    disks = torch.sigmoid(60 * (0.3 - torch.hypot(x % 0.9 - 0.4, y % 0.8 - 0.4)))
    shade = 0.3 + 0.15 * torch.sin(3 * x) * torch.cos(4 * y)
    stripes = torch.sigmoid(8 * torch.sin(9 * (x + 0.4 * y)))
    return torch.stack([shade + 0.35 * disks, shade + 0.2 * stripes, shade + 0.2 * disks])[None]


def lines(height: int, width: int) -> Tensor:
    """What a few thin lines lose, [1, 1, H, W]."""
    lost = torch.zeros(1, 1, height, width)
    lost[..., height // 3 : height // 3 + 3, 4:-4] = 1
    lost[..., :, width // 2 : width // 2 + 3] = 1
    return lost


def settings_of(tile: int = 512, seed: int = 0, **changes: Any) -> Settings:
    numbers = dataclasses.replace(Filling(levels=8), **changes)
    method = BlindSettings(filling=numbers)
    return preset("default").with_changes(method=method, tile=tile, overlap=32, seed=seed)


def fill(
    y: Tensor, lost: Tensor, prior: Prior, settings: Settings | None = None, known: Tensor | None = None
) -> Tensor:
    settings = settings or settings_of()
    known = 1 - lost if known is None else known
    filling = HoleFilling(y, known, lost, HoleWindows.of(lost, prior, settings), prior, settings)
    return filling.placed(end_of(filling.chain()))


def decibels(x: Tensor, truth: Tensor, where: Tensor) -> float:
    return float(-10 * ((x - truth).pow(2) * where).sum().div(3 * where.sum()).log10())


def test_a_hole_is_nearer_to_the_truth_than_a_plain_continuation(embedded: Prior) -> None:
    x, lost = scene(96, 128), lines(96, 128)
    found, plain = fill(x * (1 - lost), lost, embedded), filled(x, 1 - lost)
    assert decibels(found, x, lost) > decibels(plain, x, lost) + 2
    assert torch.equal(torch.where(lost > 0, 0, found), torch.where(lost > 0, 0, x)), "what is known stays to the bit"


def test_what_was_in_the_hole_decides_nothing(embedded: Prior) -> None:
    x, lost = scene(64, 80), lines(64, 80)
    once, again = (fill(torch.where(lost > 0, level, x), lost, embedded) for level in (0.0, 1.0))
    assert torch.equal(once, again)


def test_it_is_the_same_each_time_and_another_with_another_seed(tiny_prior: Prior) -> None:
    x, lost = scene(64, 80), lines(64, 80)
    first, again, other = (fill(x, lost, tiny_prior, settings_of(seed=seed)) for seed in (3, 3, 4))
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_half_known_is_a_blend(tiny_prior: Prior) -> None:
    x, lost = scene(64, 80), lines(64, 80)
    soft = lost / 2
    found = fill(x, soft, tiny_prior)
    apart = (found - x).abs()
    assert bool((apart[..., lost[0, 0] > 0] > 0).any()) and not bool(apart[..., lost[0, 0] == 0].any())
    doubled = x + 2 * (found - x)  # what was drawn, of which half counts
    assert torch.allclose(torch.lerp(doubled, x, 1 - soft), found, atol=1e-5)


def test_what_is_hidden_and_not_lost_is_not_filled(tiny_prior: Prior) -> None:
    x, lost = scene(64, 80), lines(64, 80)
    hidden = torch.ones_like(lost)
    hidden[..., :20, :20] = 0
    found = fill(x, lost, tiny_prior, known=(1 - lost) * hidden)
    assert torch.equal(torch.where(lost > 0, 0, found), torch.where(lost > 0, 0, x))
    spoilt = torch.where(hidden > 0, x, 0.9)
    other = fill(spoilt, lost, tiny_prior, known=(1 - lost) * hidden)
    assert torch.equal(torch.where(lost > 0, found, 0), torch.where(lost > 0, other, 0)), "nor does it tell anything"


def test_a_grey_picture_stays_grey(embedded: Prior) -> None:
    x = scene(64, 64).mean(1, keepdim=True).expand(1, 3, 64, 64)
    lost = lines(64, 64)
    red = torch.where(lost > 0, torch.tensor([0.8, 0.1, 0.1]).reshape(1, 3, 1, 1), x)
    found = fill(red, lost, embedded)
    assert bool((found == found[:, :1]).all())


@pytest.mark.parametrize("size", [(33, 47), (61, 90)])
def test_any_size_and_holes_at_the_edge(size: tuple[int, int], tiny_prior: Prior) -> None:
    lost = torch.zeros(1, 1, *size)
    lost[..., :7, :] = 1
    lost[..., -5:, -9:] = 1
    found = fill(scene(*size), lost, tiny_prior)
    assert found.shape[-2:] == size and bool(found.isfinite().all())


def test_windows_make_of_it_what_the_whole_makes(embedded: Prior) -> None:
    x, lost = scene(160, 304), lines(160, 304)
    whole, parts = (fill(x * (1 - lost), lost, embedded, settings_of(tile)) for tile in (512, 128))
    assert decibels(parts, whole, lost) > 45
    assert decibels(parts, x, lost) > decibels(whole, x, lost) - 0.1


def test_only_windows_with_holes_are_looked_at(tiny_prior: Prior) -> None:
    lost = torch.zeros(1, 1, 512, 1024)
    lost[..., 100:104, 100:104] = 1
    places = HoleWindows.of(lost, tiny_prior, settings_of())
    assert len(places.every) == 1 and places.region.height < 120 and places.region.width < 120
    lost[..., 400:404, 900:904] = 1
    settings = settings_of(tile=128)
    places = HoleWindows.of(lost, tiny_prior, settings)
    assert 2 <= len(places.looked_at) <= 8 < len(places.every)
    assert places.steps(settings) == 8 * len(places.looked_at)


def test_a_step_for_each_window_at_each_level(tiny_prior: Prior) -> None:
    x, lost, settings = scene(96, 304), lines(96, 304), settings_of(tile=128)
    places = HoleWindows.of(lost, tiny_prior, settings)
    filling = HoleFilling(x, 1 - lost, lost, places, tiny_prior, settings)
    steps = list(filling.chain())
    assert len(steps) == places.steps(settings) == 8 * len(places.looked_at) > 8
    times = [step.t for step in steps]
    assert times == sorted(times, reverse=True)
    assert all(filling.placed(step.z0).shape == x.shape for step in steps[:3])
