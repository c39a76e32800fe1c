"""The look of pictures that are made to be told apart."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from ldrps.caption.look import compose_caption, describe_look

COLOURS = "black|grey|white|beige|brown|red|orange|yellow|green|turquoise|blue|purple|pink"
SKY, GRASS, SAND = (0.4, 0.6, 0.95), (0.25, 0.55, 0.15), (0.85, 0.75, 0.6)
PHRASE = re.compile(
    rf"black and white|({COLOURS})( and ({COLOURS}))?|({COLOURS}) above ({COLOURS})|({COLOURS}) in the middle"
    r"|(very )?(dark|bright)|(low|high) contrast|(landscape|portrait) format"
)


def flat(*rgb: float, height: int = 64, width: int = 64) -> Tensor:
    return torch.tensor(rgb).reshape(3, 1, 1).expand(3, height, width).contiguous()


def above(top: tuple[float, ...], bottom: tuple[float, ...]) -> Tensor:
    return torch.cat([flat(*top, height=32), flat(*bottom, height=32)], 1)


@pytest.mark.parametrize(
    ("name", "rgb"),
    [
        ("red", (0.9, 0.1, 0.1)),
        ("red", (0.6, 0.0, 0.05)),
        ("orange", (1.0, 0.55, 0.0)),
        ("yellow", (1.0, 0.9, 0.1)),
        ("green", (0.1, 0.6, 0.1)),
        ("green", (0.5, 0.9, 0.3)),
        ("turquoise", (0.25, 0.88, 0.82)),
        ("turquoise", (0.0, 0.5, 0.5)),
        ("blue", (0.1, 0.2, 0.8)),
        ("blue", SKY),
        ("purple", (0.5, 0.1, 0.7)),
        ("pink", (1.0, 0.41, 0.71)),
        ("pink", (0.9, 0.65, 0.8)),
        ("brown", (0.55, 0.27, 0.07)),
        ("brown", (0.35, 0.25, 0.15)),
        ("beige", SAND),
        ("beige", (0.9, 0.8, 0.7)),
        ("white", (0.95, 0.93, 1.0)),
        ("grey", (0.55, 0.5, 0.49)),
        ("black", (0.1, 0.02, 0.12)),
    ],
)
def test_a_single_colour_by_its_name(name: str, rgb: tuple[float, float, float]) -> None:
    words = describe_look(flat(*rgb))
    assert words[0] == name
    assert "low contrast" in words and not any(" above " in word or "middle" in word for word in words)


@pytest.mark.parametrize("value", [0.0, 0.3, 0.5, 1.0])
def test_what_has_no_colour_is_black_and_white(value: float) -> None:
    ramp = torch.linspace(value / 2, value, 64).expand(3, 64, 64)
    for image in (flat(value, value, value), ramp):
        assert describe_look(image)[0] == "black and white"


@pytest.mark.parametrize(
    ("value", "word"),
    [(0.1, "very dark"), (0.3, "dark"), (0.45, None), (0.65, "bright"), (0.9, "very bright")],
)
def test_brightness(value: float, word: str | None) -> None:
    random = torch.Generator().manual_seed(0)
    image = (value + 0.1 * torch.randn(3, 64, 64, generator=random)).clamp(0, 1)
    found = [each for each in describe_look(image) if each.endswith(("dark", "bright"))]
    assert found == ([] if word is None else [word])


def test_contrast() -> None:
    halves = torch.cat([flat(0.05, 0.05, 0.05, width=32), flat(0.9, 0.9, 0.9, width=32)], 2)
    assert "high contrast" in describe_look(halves)
    assert "low contrast" in describe_look(halves / 10 + 0.4)
    assert not any("contrast" in word for word in describe_look(halves / 2 + 0.2))


def test_sky_over_grass() -> None:
    words = describe_look(above(SKY, GRASS))
    assert words[0] in ("blue and green", "green and blue") and "blue above green" in words
    assert "green above blue" in describe_look(above(GRASS, SKY))
    assert not any(" above " in word for word in describe_look(above(SKY, GRASS).transpose(1, 2).contiguous()))


def test_a_thing_in_the_middle() -> None:
    image = flat(*SAND)
    image[:, 16:48, 16:48] = flat(0.8, 0.1, 0.1, height=32, width=32)
    assert describe_look(image)[:2] == ["beige and red", "bright"]
    assert "red in the middle" in describe_look(image)


@pytest.mark.parametrize("share", [0.1, 0.3])
def test_a_second_colour_is_named_where_there_is_enough_of_it(share: float) -> None:
    image = flat(*GRASS, height=100, width=160)
    image[..., : round(160 * share)] = flat(*SAND, height=100, width=round(160 * share))
    assert describe_look(image)[0] == ("green" if share < 0.18 else "green and beige")


@pytest.mark.parametrize(
    ("height", "width", "word"),
    [(60, 90, "landscape format"), (90, 60, "portrait format"), (80, 90, None), (90, 80, None)],
)
def test_format(height: int, width: int, word: str | None) -> None:
    found = [each for each in describe_look(flat(*SKY, height=height, width=width)) if each.endswith("format")]
    assert found == ([] if word is None else [word])


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 1000), cells=st.sampled_from([2, 4, 8]), scale=st.integers(1, 5))
def test_a_picture_of_any_size_looks_the_same(seed: int, cells: int, scale: int) -> None:
    patches = torch.from_numpy(np.random.default_rng(seed).random((1, 3, cells, cells))).float()
    small = F.interpolate(patches, (16, 16))
    large = F.interpolate(small, scale_factor=float(scale))
    words = describe_look(small[0])
    assert describe_look(large[0]) == words
    assert all(PHRASE.fullmatch(word) for word in words) and len(set(words)) == len(words)


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (37, 53), (16, 15)])
def test_pictures_of_any_size(size: tuple[int, int]) -> None:
    image = torch.rand(3, *size, generator=torch.Generator().manual_seed(0))
    given = image.clone()
    assert all(PHRASE.fullmatch(word) for word in describe_look(image))
    assert torch.equal(image, given)


def test_size_hardly_counts_where_cells_do_not_divide_it() -> None:
    image = above(SKY, GRASS)
    for height, width in ((61, 67), (100, 99), (250, 240)):
        assert describe_look(F.interpolate(image[None], (height, width), mode="bilinear")[0]) == describe_look(image)


def test_a_caption_is_one_line() -> None:
    assert compose_caption(["dog", *describe_look(above(SKY, GRASS))]).startswith("dog, ")
    assert compose_caption(["", "green", "", "dark"]) == "green, dark"
    assert compose_caption([]) == compose_caption([""]) == ""
