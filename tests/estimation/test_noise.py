from __future__ import annotations

import pytest
import torch
from torch import Tensor

from ldrps.estimation.estimate import is_scattered, well_within
from ldrps.estimation.noise import estimate_noise


def smooth(height: int, width: int) -> Tensor:
    """Waves of 60 pixels and longer on a gradient, [1, 3, height, width]."""
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    red = 0.5 + 0.2 * torch.sin(x / 12) * torch.cos(y / 10)
    return torch.stack([red, 0.2 + y / height / 2, 0.3 + (x + y) / (height + width) / 3])[None]


def noise(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(4))


@pytest.mark.parametrize("level", [5, 10, 15, 25, 50])
def test_white_noise_on_a_smooth_picture(level: int) -> None:
    clean = smooth(160, 200)
    found = 255 * estimate_noise(clean + level / 255 * noise(*clean.shape))
    assert found.shape == (1, 3)
    assert found[0].tolist() == pytest.approx([level] * 3, rel=0.05)


def test_each_channel_and_picture_by_itself() -> None:
    levels = torch.tensor([[0.02, 0.1, 0.05], [0.0, 0.01, 0.2]])
    clean = smooth(160, 160).expand(2, 3, 160, 160)
    found = estimate_noise(clean + levels[:, :, None, None] * noise(*clean.shape))
    torch.testing.assert_close(found, levels, rtol=0.05, atol=5e-4)


def test_what_is_no_noise() -> None:
    assert float(255 * estimate_noise(smooth(160, 200)).max()) < 0.1
    plane = smooth(80, 80)[:, 1:2].expand(1, 3, 80, 80)
    assert float(255 * estimate_noise(plane).max()) < 1e-3
    edge = torch.zeros(1, 3, 40, 40)
    edge[..., 20:] = 1
    for picture in (edge, edge.mT, torch.ones(1, 3, 20, 20), torch.zeros(1, 3, 20, 20)):
        assert not estimate_noise(picture).any()


@pytest.mark.parametrize("size", [(3, 3), (3, 50), (4, 3), (5, 7)])
def test_the_smallest_pictures_have_an_answer(size: tuple[int, int]) -> None:
    found = estimate_noise(0.5 + 0.1 * noise(1, 3, *size))
    assert found.shape == (1, 3)
    assert bool(found.isfinite().all()) and float(found.max()) < 0.5


@pytest.mark.parametrize("soft", [1.0, 60.0])
def test_only_what_is_visible_tells(soft: float) -> None:
    clean = smooth(160, 200)
    picture = clean + 0.06 * noise(*clean.shape)
    x = torch.arange(200.0)
    visible = ((70 - x) / soft + 0.5).clamp(0, 1).expand(1, 1, 160, 200)
    made_up = torch.lerp(clean, picture, visible)
    assert float(estimate_noise(made_up).mean()) < 0.04
    assert estimate_noise(made_up, visible)[0].tolist() == pytest.approx([0.06] * 3, rel=0.05)


def test_all_visible_is_as_none_said_and_nothing_visible_has_no_noise() -> None:
    picture = smooth(40, 51) + 0.1 * noise(1, 3, 40, 51)
    assert torch.equal(estimate_noise(picture, torch.ones(1, 1, 40, 51)), estimate_noise(picture))
    assert not estimate_noise(picture, torch.zeros(1, 1, 40, 51)).any()


def test_single_pixels_are_scattered_and_parts_are_not() -> None:
    draws = torch.rand(1, 1, 80, 90, generator=torch.Generator().manual_seed(0))
    assert not is_scattered((draws > 0.5).float()) and is_scattered((draws > 0.8).float())
    corner = torch.zeros(1, 1, 80, 90)
    corner[..., :20, :20] = 0.5
    assert not is_scattered(corner)


def test_noise_is_told_by_what_is_well_away_from_what_was_made_up() -> None:
    visible = torch.ones(1, 1, 80, 90)
    visible[..., 30:50, 40:60] = 0
    within = well_within(visible)
    assert not within[..., 22:58, 32:68].any() and bool(within[..., :22, :].all()), "eight pixels, not at the border"
    lines = torch.ones(1, 1, 80, 90)
    lines[..., ::8, :] = 0
    assert float(well_within(lines).mean()) == pytest.approx(0.4), "two, where more would leave too little"
    dots = (torch.rand(1, 1, 80, 90, generator=torch.Generator().manual_seed(0)) > 0.5).float()
    assert torch.equal(well_within(dots), dots)
