from __future__ import annotations

import pytest
import torch
from torch import Tensor

from ldrps.image.fill import filled


def ramp(height: int, width: int) -> Tensor:
    """Brighter to the right and to the bottom, [1, 3, height, width]."""
    rows, columns = torch.linspace(0.2, 0.5, height)[:, None], torch.linspace(0, 0.4, width)
    return (rows + columns).expand(1, 3, -1, -1).clone()


def half_hidden(height: int, width: int) -> Tensor:
    visible = torch.ones(1, 1, height, width)
    visible[..., width // 2 :] = 0
    return visible


@pytest.mark.parametrize("size", [(32, 32), (33, 47), (1, 9), (64, 3)])
def test_what_is_hidden_decides_nothing_and_what_is_visible_stays(size: tuple[int, int]) -> None:
    picture, visible = ramp(*size), half_hidden(*size)
    results = [filled(torch.where(visible > 0, picture, under), visible) for under in (0.0, 1.0)]
    assert torch.equal(*results)
    shown = (visible > 0).expand_as(picture)
    assert torch.equal(results[0][shown], picture[shown])
    assert float(results[0].min()) > 0.19 and float(results[0].max()) < 0.91


def test_it_goes_on_smoothly() -> None:
    picture, visible = ramp(64, 64), torch.ones(1, 1, 64, 64)
    visible[..., 20:40, 20:40] = 0
    whole = filled(picture * visible, visible)
    assert float((whole - picture).abs().max()) < 0.06
    assert float((whole[..., 1:] - whole[..., :-1]).abs().max()) < 0.03


def test_a_single_visible_pixel_is_enough() -> None:
    picture, visible = torch.rand(1, 3, 40, 50), torch.zeros(1, 1, 40, 50)
    visible[..., 7, 31] = 1
    torch.testing.assert_close(filled(picture, visible), picture[..., 7:8, 31:32].expand(1, 3, 40, 50))


def test_what_is_half_visible_is_half_its_own() -> None:
    picture, visible = torch.full((1, 3, 32, 32), 0.2), torch.ones(1, 1, 32, 32)
    picture[..., 16, 16], visible[..., 16, 16] = 1.0, 0.5
    assert float(filled(picture, visible)[0, 0, 16, 16]) == pytest.approx((1.0 + 0.2) / 2, abs=0.1)


def test_nothing_is_done_where_all_is_visible_and_nothing_known_where_nothing_is() -> None:
    picture = torch.rand(1, 3, 32, 32)
    assert filled(picture, torch.ones(1, 1, 32, 32)) is picture
    assert not filled(picture, torch.zeros(1, 1, 32, 32)).any()
