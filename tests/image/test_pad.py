"""pad_to_multiple: its crop gives back the same pixels, always."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from ldrps.errors import InputError
from ldrps.image.pad import large_enough, pad_to_multiple

SIDES = st.integers(32, 100)


@settings(max_examples=100, deadline=None)
@given(SIDES, SIDES, st.integers(1, 64))
def test_crop_undoes_pad(height, width, multiple):
    x = torch.arange(2 * height * width).reshape(1, 2, height, width).float() + 1
    padded, crop = pad_to_multiple(x, multiple)
    assert torch.equal(crop(padded), x)
    for side, was in zip(padded.shape[-2:], (height, width), strict=True):
        assert side % multiple == 0
        assert was <= side < was + multiple
    assert torch.equal(padded[..., :height, :width], x)
    assert torch.isin(padded, x).all()  # nothing is invented, such as zeros


def test_reflection():
    x = torch.rand(1, 3, 33, 40)
    padded, _ = pad_to_multiple(x, 32)
    assert padded.shape == (1, 3, 64, 64)
    assert torch.equal(padded, F.pad(x, (0, 24, 0, 31), mode="reflect"))


def test_each_axis_falls_back_by_itself():
    x = torch.rand(1, 3, 32, 60)
    padded, _ = pad_to_multiple(x, 64)  # 32 rows more, but only 31 to reflect
    assert torch.equal(padded[..., 32:, :60], x[..., -1:, :].expand(1, 3, 32, 60))
    assert torch.equal(padded[..., :32, 60:], x[..., 55:59].flip(-1))


def test_nothing_to_pad():
    x = torch.rand(1, 3, 64, 32)
    padded, crop = pad_to_multiple(x, 32)
    assert padded is x
    assert torch.equal(crop(x), x)


def test_crop_takes_other_channels_but_no_other_size():
    padded, crop = pad_to_multiple(torch.rand(1, 3, 40, 50), 16)
    assert crop(torch.zeros(48, 64)).shape == (40, 50)
    assert crop(torch.zeros(2, 1, 48, 64)).shape == (2, 1, 40, 50)
    with pytest.raises(InputError, match=r"\(1, 3, 40, 50\) cannot be cropped: it must be padded, \(48, 64\)"):
        crop(torch.zeros(1, 3, 40, 50))
    assert padded.shape == (1, 3, 48, 64)


def test_gradient_passes():
    x = torch.rand(1, 3, 40, 50, requires_grad=True)
    padded, crop = pad_to_multiple(x, 16)
    crop(padded).sum().backward()
    assert torch.equal(x.grad, torch.ones_like(x))


@pytest.mark.parametrize("multiple", [0, -8])
def test_multiple_below_one(multiple):
    with pytest.raises(InputError, match=f"a multiple of {multiple} cannot"):
        pad_to_multiple(torch.rand(1, 3, 40, 40), multiple)


@pytest.mark.parametrize("size", [(48, 60), (47, 60), (100, 3), (1, 1)])
def test_what_is_too_small_goes_on(size):
    x = torch.rand(1, 3, *size)
    larger = large_enough(x, 48)
    assert min(larger.shape[-2:]) >= 48 and torch.equal(larger[..., : size[0], : size[1]], x)
    assert (larger is x) == (min(size) >= 48)


@pytest.mark.parametrize("shape", [(3, 40, 40), (1, 3, 0, 40)])
def test_wrong_shapes(shape):
    with pytest.raises(InputError, match="cannot be padded"):
        pad_to_multiple(torch.zeros(shape), 8)


@settings(max_examples=50, deadline=None)
@given(SIDES, SIDES, st.integers(1, 32), st.integers(0, 40), st.integers(0, 40))
def test_pixels_before(height, width, multiple, top, left):
    x = torch.arange(height * width).reshape(1, 1, height, width).float() + 1
    padded, crop = pad_to_multiple(x, multiple, before=(top, left))
    assert torch.equal(crop(padded), x)
    assert torch.equal(padded[..., top : top + height, left : left + width], x)
    assert all(side % multiple == 0 for side in padded.shape[-2:])
    with pytest.raises(InputError, match=r"\(-1, 0\)"):
        pad_to_multiple(x, multiple, before=(-1, 0))
