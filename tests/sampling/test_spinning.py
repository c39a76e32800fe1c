"""Offsets of a prior's grid: shared out among steps."""

from __future__ import annotations

import pytest
import torch

from ldrps import Prior
from ldrps.image.views import grid_shifts
from ldrps.sampling.spinning import CycleSpinning


@pytest.mark.parametrize(("count", "steps"), [(4, 2), (12, 4), (8, 3), (5, 5), (7, 1)])
def test_each_offset_goes_to_one_step(count: int, steps: int, tiny_prior: Prior) -> None:
    shared = CycleSpinning.over(tiny_prior, count).shared(steps)
    assert len(shared) == steps
    dealt = [shift for views in shared for shift in views._shifts]
    assert dealt == grid_shifts(count, tiny_prior.factor)
    sizes = [len(views._shifts) for views in shared]
    assert max(sizes) - min(sizes) <= 1


def test_fewer_offsets_than_steps_come_again(tiny_prior: Prior) -> None:
    first, second = grid_shifts(2, tiny_prior.factor)
    shared = CycleSpinning.over(tiny_prior, 2).shared(3)
    assert [views._shifts for views in shared] == [[first], [second], [first]]


@pytest.mark.parametrize("count", [1, 2, 4])
def test_a_picture_comes_back_from_its_latents_on_any_offsets(count: int, tiny_prior: Prior) -> None:
    image = torch.full((1, 3, 32, 48), 0.4)  # which the autoencoder can show
    views = CycleSpinning.over(tiny_prior, count)
    latents = views.encode(image)
    assert len(latents) == count
    torch.testing.assert_close(views.decode(latents, (32, 48)), image, atol=2e-3, rtol=0)
    torch.testing.assert_close(views.decode_first(latents, (32, 48)), image, atol=2e-3, rtol=0)
