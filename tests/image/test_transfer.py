"""A change made to a small copy, carried over to the picture."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from ldrps.image.transfer import carry_over, reduced


def photograph(side: int = 128) -> Tensor:
    """Smooth shapes, an edge, and fine texture."""
    y, x = torch.meshgrid(torch.linspace(0, 1, side), torch.linspace(0, 1, side), indexing="ij")
    smooth = torch.stack([0.3 + 0.2 * torch.sin(5 * x), 0.3 + 0.2 * torch.cos(4 * y), 0.4 + 0.1 * x * y])
    texture = 0.05 * torch.rand(3, side, side, generator=torch.Generator().manual_seed(0))
    return (smooth + 0.2 * (x > 0.4) + texture)[None]


def psnr(a: Tensor, b: Tensor) -> float:
    return float(-10 * (a - b).square().mean().log10())


@pytest.mark.parametrize("change", [lambda x: 2 * x - 0.1, lambda x: x**0.6])
def test_a_change_of_tones_reaches_the_detail(change) -> None:
    large = photograph()
    small = reduced(large, 32)
    carried = carry_over(large, small, change(small))
    assert psnr(carried, change(large)) > 35
    enlarged = F.interpolate(change(small), large.shape[-2:], mode="bilinear")
    assert psnr(carried, change(large)) > psnr(enlarged, change(large)) + 6, "more than an enlarged copy"


def test_a_change_that_varies_over_the_picture_does_too() -> None:
    large = photograph()
    light = torch.linspace(0.3, 1, 128).expand(1, 3, 128, 128)
    small = reduced(large, 32)
    assert psnr(carry_over(large * light, small * reduced(light, 32), small), large) > 33


def test_no_change_is_no_change() -> None:
    large = photograph()
    small = reduced(large, 32)
    assert torch.allclose(carry_over(large, small, small), large, atol=1e-4)


def test_flat_places_keep_their_grain_as_the_whole_picture_does() -> None:
    """Brightening a dark flat picture must not smooth it: its variance is far below what the fit can tell."""
    grain = 0.004 * torch.randn(1, 3, 128, 128, generator=torch.Generator().manual_seed(0))
    dark = 0.05 + grain
    small = reduced(dark, 32)
    assert float(carry_over(dark, small, 5 * small).std()) == pytest.approx(5 * float(dark.std()), rel=0.1)


def test_reducing_keeps_the_shape_and_never_enlarges() -> None:
    assert reduced(torch.rand(1, 3, 100, 50), 40).shape == (1, 3, 40, 20)
    image = torch.rand(1, 3, 20, 10)
    assert reduced(image, 40) is image
