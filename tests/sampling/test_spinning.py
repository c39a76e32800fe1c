"""Offsets of a prior's grid: shared out among steps."""

from __future__ import annotations

import pytest
import torch

from ldrps import Prior
from ldrps.sampling.spinning import CycleSpinning


@pytest.mark.parametrize(("count", "steps"), [(4, 2), (12, 4), (8, 3), (7, 1)])
def test_each_step_has_offsets_of_its_own_that_spread_both_ways(count: int, steps: int, tiny_prior: Prior) -> None:
    shared = CycleSpinning.shared(tiny_prior, count, steps)
    assert len(shared) == steps and sum(len(views.shifts) for views in shared) == count
    sizes = [len(views.shifts) for views in shared]
    assert max(sizes) - min(sizes) <= 1
    for views in shared:
        assert all(1 <= pixel <= tiny_prior.factor for shift in views.shifts for pixel in shift)
        for axis in (0, 1):
            phases = {shift[axis] for shift in views.shifts}
            assert len(phases) == min(len(views.shifts), tiny_prior.factor)
    met = {shift for views in shared for shift in views.shifts}
    assert len(met) >= 0.8 * count, "hardly one twice"
    assert {down for down, _ in met} == {right for _, right in met} == set(range(1, tiny_prior.factor + 1))


@pytest.mark.parametrize("batch", [1, 3, 64])
@pytest.mark.parametrize("count", [1, 2, 4])
def test_a_picture_comes_back_from_its_latents_on_any_offsets(count: int, batch: int, tiny_prior: Prior) -> None:
    image = torch.full((1, 3, 32, 48), 0.4)
    image[..., 8:20, 16:36] = 0.7  # in whole cells; on other offsets cut through
    views = CycleSpinning.over(tiny_prior, count, batch)
    latents = views.encode(image)
    assert len(latents) == count
    torch.testing.assert_close(views.decode(latents, (32, 48)), image, atol=0.2, rtol=0)  # a place off would be 0.3
    torch.testing.assert_close(views.decode_first(latents, (32, 48)), image, atol=0.2, rtol=0)
    one = torch.cat([CycleSpinning(tiny_prior, [shift]).encode(image) for shift in views.shifts])
    torch.testing.assert_close(latents, one, atol=1e-5, rtol=1e-5)
