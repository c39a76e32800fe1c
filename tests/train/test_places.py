from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from ldrps.train.places import along_edges, depth, shade

Field = Callable[[Tensor, np.random.Generator], Tensor]
STEP = torch.cat([torch.full((1, 3, 40, 24), 0.2), torch.full((1, 3, 40, 24), 0.8)], 3)


@pytest.mark.parametrize("field", [depth, shade])
def test_fields_are_of_the_pictures_size_and_from_0_to_1(field: Field) -> None:
    random = np.random.default_rng(0)
    for _ in range(40):
        found = field(STEP, random)
        assert found.shape == (1, 1, 40, 48)
        assert float(found.min()) >= 0 and float(found.max()) <= 1


def test_what_is_higher_up_is_further_away() -> None:
    random = np.random.default_rng(0)
    fields = torch.cat([depth(torch.full((1, 3, 32, 32), 0.5), random) for _ in range(100)])
    assert float((fields[:, :, :8].mean((1, 2, 3)) > fields[:, :, -8:].mean((1, 2, 3))).float().mean()) > 0.7


def test_a_soft_field_gets_the_edges_of_the_picture() -> None:
    soft = torch.linspace(0, 1, 48).expand(1, 1, 40, 48).contiguous()
    sharp = along_edges(soft, STEP)
    rise, before = (float(each[..., 24:26].mean() - each[..., 22:24].mean()) for each in (sharp, soft))
    assert rise > 4 * before


def test_without_edges_a_field_is_only_smoothed() -> None:
    soft = torch.linspace(0, 1, 48).expand(1, 1, 40, 48).contiguous()
    found = along_edges(soft, torch.full((1, 3, 40, 48), 0.5))
    torch.testing.assert_close(found[..., 16:-16], soft[..., 16:-16], atol=1e-3, rtol=0)
