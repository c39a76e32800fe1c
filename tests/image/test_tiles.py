"""Windows of a picture, and the picture that is made of them."""

from __future__ import annotations

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ldrps.image.tiles import Canvas, Window, windows

SIDES = st.integers(2, 90).map(lambda n: 16 * n)


@settings(deadline=None)
@given(SIDES, SIDES, st.integers(8, 40).map(lambda n: 16 * n), st.sampled_from([16, 32]))
def test_windows_cover_a_picture_and_share_what_was_asked(height: int, width: int, tile: int, overlap: int) -> None:
    found = windows(height, width, tile, overlap, 16)
    covered = torch.zeros(height // 16, width // 16, dtype=torch.int)
    for window in found:
        assert max(window.height, window.width) <= tile
        assert all(value % 16 == 0 for value in (window.top, window.left, window.height, window.width))
        small = Window(window.top // 16, window.left // 16, window.height // 16, window.width // 16)
        covered[small.top : small.top + small.height, small.left : small.left + small.width] += 1
    assert covered.min() >= 1
    assert covered.max() <= 4, "at most two along each side"
    tops = sorted({window.top for window in found})
    for above, below in itertools.pairwise(tops):
        assert above + found[0].height - below >= overlap - 16


@pytest.mark.parametrize("size", [(64, 64), (512, 400)])
def test_a_small_picture_is_one_window(size: tuple[int, int]) -> None:
    assert windows(*size, 512, 64, 16) == [Window(0, 0, *size)]


def test_windows_are_alike_and_no_larger_than_they_must_be() -> None:
    assert [(w.left, w.width) for w in windows(64, 528, 512, 64, 16)] == [(0, 304), (224, 304)]


@settings(deadline=None)
@given(st.integers(2, 30), st.integers(2, 30), st.sampled_from([8, 16]))
def test_a_canvas_gives_back_what_was_cut(height: int, width: int, tile: int) -> None:
    image = torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(height))
    places = windows(height, width, tile, 2)
    canvas = Canvas(places, height, width)
    for window in reversed(places):
        canvas.add(window, window.of(image))
    assert torch.allclose(canvas.image, image, atol=1e-6)


def test_where_windows_differ_one_fades_into_the_other() -> None:
    places = windows(64, 224, 128, 32, 16)
    assert [w.left for w in places] == [0, 96]
    canvas = Canvas(places, 64, 224)
    for window, value in zip(places, (0.0, 1.0), strict=True):
        canvas.add(window, torch.full((1, 1, 64, 128), value))
    row = canvas.image[0, 0, 10]
    assert (row[:96] == 0).all() and (row[128:] == 1).all()
    steps = row.diff()
    assert (steps >= 0).all()
    assert steps.max() < 2 / 32, "no step to be seen"


def test_one_window_is_the_picture_itself() -> None:
    image = torch.rand(1, 3, 48, 48)
    canvas = Canvas([Window(0, 0, 48, 48)], 48, 48)
    canvas.add(Window(0, 0, 48, 48), image)
    assert canvas.image is image
