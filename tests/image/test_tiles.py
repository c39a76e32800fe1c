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
        assert above + found[0].height - below >= overlap


MULTIPLES = st.sampled_from([1, 8, 16, 64])


@settings(deadline=None)
@given(st.integers(1, 40), st.integers(1, 700), st.integers(0, 150), MULTIPLES)
def test_any_windows_fade_into_each_other_without_a_seam(cells: int, tile: int, overlap: int, multiple: int) -> None:
    length = cells * multiple
    places = windows(multiple, length, tile, overlap, multiple)
    lefts, width = [place.left for place in places], places[0].width
    rounded = -(-overlap // multiple) * multiple
    assert lefts[0] == 0 and lefts[-1] + width == length
    assert lefts == sorted(set(lefts))
    assert all(left % multiple == 0 for left in [*lefts, width])
    assert width <= max(tile, 4 * rounded, multiple)
    assert all(left + width - right >= overlap for left, right in itertools.pairwise(lefts))
    canvas = Canvas(places, multiple, length)
    for place in places:
        canvas.add(place, torch.ones(1, 1, place.height, place.width))
    assert torch.allclose(canvas.image, torch.ones(1, 1, multiple, length), atol=1e-6)


@pytest.mark.parametrize(
    ("length", "tile", "overlap", "multiple", "expected"),
    [
        (128, 64, 16, 64, [(0, 128)]),
        (320, 128, 32, 64, [(0, 192), (128, 192)]),
        (560, 300, 32, 16, [(0, 208), (176, 208), (352, 208)]),
        (2000, 512, 64, 16, [(0, 464), (384, 464), (768, 464), (1152, 464), (1536, 464)]),
    ],
)
def test_windows_of_priors_with_a_coarse_grid(
    length: int, tile: int, overlap: int, multiple: int, expected: list[tuple[int, int]]
) -> None:
    assert [(w.left, w.width) for w in windows(64, length, tile, overlap, multiple)] == expected


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
