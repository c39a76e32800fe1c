"""The part of a blurred photograph that tells of its kernel."""

from __future__ import annotations

import pytest
import torch

from ldrps.degradation import GaussianBlur
from ldrps.degradation.kernels import gaussian
from ldrps.errors import InputError
from ldrps.estimation.blurred import BlurredPart, largest_reach


def board(height: int = 96, width: int = 96, cell: int = 12) -> torch.Tensor:
    """[1, 3, H, W]: a board of two greys."""
    rows, columns = torch.arange(height)[:, None] // cell, torch.arange(width) // cell
    return (0.3 + 0.4 * ((rows + columns) % 2)).expand(1, 3, -1, -1).clone()


def test_what_is_white_or_hidden_counts_for_nothing_nor_what_a_kernel_reaches_from_it() -> None:
    y, visible = board(), torch.ones(1, 1, 96, 96)
    y[..., 30, 40] = 1.0
    visible[..., 70, 20] = 0.5
    weights = BlurredPart.of(y, 3, visible).weights
    assert float(weights[27:34, 37:44].sum()) == 0
    assert float(weights[67:74, 17:24].sum()) == 0
    assert float(weights.sum()) == 96 * 96 - 2 * 49


def test_of_a_picture_that_is_nearly_all_white_only_what_is_white_is_left_out() -> None:
    y = torch.ones(1, 3, 96, 96)
    y[..., 40:44, 40:44] = 0.2
    assert float(BlurredPart.of(y, 3).weights.sum()) == 16


def test_looks_where_most_edges_are() -> None:
    y = torch.full((1, 3, 96, 256), 0.5)
    y[..., 160:] = board()
    part = BlurredPart.of(y, 3, side=96)
    assert part.grey.shape == (96, 96)
    assert float(part.grey.std()) > 0.15


def test_a_gain_is_more_than_nothing_for_the_kernel_and_nothing_for_none() -> None:
    part = BlurredPart.of(GaussianBlur(1.5)(board()), 6)
    right, none, far = part.gains([gaussian(1.5, 1.5), torch.ones(1, 1), gaussian(3.0, 3.0)])
    assert right > 0.3
    assert none == pytest.approx(0, abs=1e-6)
    assert far < right


def test_nothing_to_see_explains_nothing() -> None:
    hidden = torch.zeros(1, 1, 96, 96)
    assert BlurredPart.of(board(), 3, hidden).gains([gaussian(1.0, 1.0)]) == [0.0]


@pytest.mark.parametrize("shape", [(2, 3, 64, 64), (1, 1, 64, 64), (3, 64, 64)])
def test_one_picture_in_colour(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match=r"give \[1, 3, H, W\]"):
        BlurredPart.of(torch.zeros(shape), 3)


def test_too_small_a_picture_names_the_reach_that_it_allows() -> None:
    most = largest_reach(40, 60)
    assert 4 * (2 * most + 1) <= 40 < 4 * (2 * most + 3)
    with pytest.raises(InputError, match=f"60x40 and a reach of {most + 1}.* a reach of {most} at most"):
        BlurredPart.of(torch.zeros(1, 3, 40, 60), most + 1)
    assert BlurredPart.of(torch.zeros(1, 3, 40, 60), most).grey.shape == (40, 60)
