from __future__ import annotations

import json
from typing import Any

import pytest
import torch
from torch import Tensor

from ldrps.degradation import LocalTone, from_plain
from ldrps.errors import InputError, SettingsError
from ldrps.image.tiles import Window


def ramp(height: int = 40, width: int = 60) -> Tensor:
    return torch.linspace(0.2, 0.8, width).expand(1, 3, height, width).contiguous()


def uneven(seed: int = 0, strength: float = 0.3) -> LocalTone:
    grid = strength * torch.randn(3, 4, 5, generator=torch.Generator().manual_seed(seed))
    return LocalTone(grid, 0.9, 0.3, 0.7)


def test_a_field_of_zeros_changes_nothing() -> None:
    nothing = LocalTone(torch.zeros(2, 1, 1), 0.3)
    assert bool(nothing.absent) and torch.equal(nothing(ramp()), ramp()) and torch.equal(nothing.invert(ramp()), ramp())


@pytest.mark.parametrize("pivot", [0.0, 0.7, 1.0])
def test_light_that_falls_off_is_evened(pivot: float) -> None:
    falling = LocalTone(torch.tensor([[[0.3, -0.3]]]), pivot)
    sides = torch.nn.functional.interpolate(falling.log_gain[None], (40, 60), mode="bilinear", align_corners=False)
    damaged = pivot + (ramp() - pivot) * sides.exp()
    torch.testing.assert_close(falling.invert(damaged), ramp(), atol=1e-5, rtol=0)
    torch.testing.assert_close(falling(ramp()), damaged, atol=1e-5, rtol=0)


def test_bins_are_of_brightness() -> None:
    """Only what is bright is veiled: the pivot is white, and only the bright bin moves."""
    only_bright = LocalTone(torch.tensor([[[0.0]], [[-0.5]]]), 1.0, 0.3, 0.7).invert(ramp())
    change = (only_bright - ramp())[0, 0, 0]
    assert float(change[:9].abs().max()) < 1e-6
    assert float(change[40:].abs().max()) > 0.1
    assert bool((change <= 1e-6).all()), "a veil removed is darker"


@pytest.mark.parametrize("seed", range(5))
def test_what_is_undone_is_done_again(seed: int) -> None:
    x = torch.rand(1, 3, 24, 31, generator=torch.Generator().manual_seed(seed)).double()
    part = uneven(seed)
    torch.testing.assert_close(part.invert(part(x)), x, atol=1e-5, rtol=0)


def test_the_gradient_is_that_of_the_brightness_too() -> None:
    x = torch.rand(1, 3, 6, 7, generator=torch.Generator().manual_seed(0)).double()
    assert torch.autograd.gradcheck(uneven(strength=0.2), (x.requires_grad_(),), atol=1e-3, eps=1e-5)


def test_a_part_of_the_picture_is_a_part_of_the_damage() -> None:
    window, x = Window(5, 12, 20, 30), torch.rand(1, 3, 40, 60, generator=torch.Generator().manual_seed(1))
    whole = uneven().of_size(40, 60)
    torch.testing.assert_close(whole.at(window)(window.of(x)), window.of(whole(x)), atol=1e-6, rtol=0)
    inner = Window(3, 4, 8, 9)
    again = whole.at(window).at(inner)
    torch.testing.assert_close(again.invert(inner.of(window.of(x))), inner.of(window.of(whole.invert(x))))
    with pytest.raises(InputError, match="ask of_size first"):
        uneven().at(window)


def test_it_spans_a_picture_of_any_size() -> None:
    small, large = (uneven().invert(torch.full((1, 3, side, side), 0.5)) for side in (16, 64))
    torch.testing.assert_close(torch.nn.functional.avg_pool2d(large, 4), small, atol=0.01, rtol=0)


def test_each_of_several_pictures_has_its_own() -> None:
    parts = [uneven(0), uneven(1)]
    both = LocalTone(
        torch.stack([each.log_gain for each in parts]), torch.tensor([0.9, 0.9]), torch.tensor([0.3, 0.3]), 0.7
    )
    x = ramp().expand(2, -1, -1, -1)
    torch.testing.assert_close(both.invert(x), torch.cat([each.invert(ramp()) for each in parts]))


def test_plain_and_back() -> None:
    part = uneven().of_size(40, 60)
    again = from_plain(json.loads(json.dumps(part.plain())))
    assert isinstance(again, LocalTone)
    torch.testing.assert_close(again.invert(ramp()), part.invert(ramp()), atol=1e-6, rtol=0)
    assert again.size == (40, 60)


def test_half_as_strong() -> None:
    part = LocalTone(torch.full((1, 1, 1), -0.8), 1.0)
    torch.testing.assert_close(part.scaled(0.5)(part.scaled(0.5)(ramp())), part(ramp()), atol=1e-4, rtol=0)
    assert bool(part.scaled(0).absent)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"log_gain": torch.zeros(3, 3)}, r"log_gain of shape \[3, 3\]; give \[bins, rows, columns\]"),
        ({"dark": 0.7, "bright": 0.7}, "bright is 0.7; it must exceed dark, 0.7, by 0.001 or more"),
    ],
)
def test_what_cannot_be(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        LocalTone(**({"log_gain": torch.zeros(1, 1, 1)} | changed))
