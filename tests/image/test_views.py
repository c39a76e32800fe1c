"""Views of a picture on several offsets of a grid."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ldrps.image.views import gather, grid_shifts, spread


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 16), st.sampled_from([2, 4, 8]))
def test_gathering_undoes_spreading(count: int, factor: int) -> None:
    image = torch.arange(2 * 32 * 48.0).reshape(1, 2, 32, 48)
    shifts = grid_shifts(count, factor)
    views = spread(image, shifts, 16)
    assert views.shape == ((1, 2, 32, 48) if count == 1 else (count, 2, 48, 64))
    torch.testing.assert_close(gather(views, shifts, (32, 48)), image)


@pytest.mark.parametrize(("count", "factor"), [(4, 4), (2, 2), (8, 8), (4, 8)])
def test_shifts_visit_different_phases_both_ways(count: int, factor: int) -> None:
    shifts = grid_shifts(count, factor)
    for axis in range(2):
        phases = sorted(shift[axis] % factor for shift in shifts)
        assert phases == list(range(0, factor, factor // count))


def test_what_depends_on_the_grid_averages_out() -> None:
    shifts = grid_shifts(4, 4)
    stripes = torch.zeros(1, 1, 48, 48)
    stripes[..., ::4, :] += 1
    stripes[..., ::4] += 1
    mean = gather(stripes.expand(4, 1, 48, 48), shifts, (32, 32))
    torch.testing.assert_close(mean, torch.full((1, 1, 32, 32), 0.5))
    assert gather(stripes, [(0, 0)], (32, 32)).std() > 0.5
