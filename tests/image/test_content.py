"""What is taken for photograph: not what is hidden, not bars, and nothing where there is none."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from ldrps.image.content import find_content
from ldrps.image.picture import load_picture
from ldrps.image.tiles import Window

Sides = tuple[int, int, int, int]  # left, top, right, bottom


def photograph(height: int = 120, width: int = 160, dark: float = 1.0) -> NDArray[np.uint8]:
    """Waves of 20 pixels and more, and a little grain."""
    y, x = np.mgrid[:height, :width]
    waves = np.stack([np.sin(x / 9 + k) * np.cos(y / 13) + np.sin((x + y) / 31 + 2 * k) for k in range(3)], -1)
    grain = np.random.default_rng(0).normal(0, 2, waves.shape)
    return (dark * (115 + 45 * waves + grain)).clip(0, 255).round().astype(np.uint8)


def barred(
    picture: NDArray[np.uint8], sides: Sides, colour: tuple[int, ...] = (0, 0, 0), ripple: int = 0
) -> NDArray[np.uint8]:
    left, top, right, bottom = sides
    height, width = picture.shape[:2]
    whole = np.empty((top + height + bottom, left + width + right, 3), np.int64)
    whole[:] = colour
    whole += np.random.default_rng(1).integers(-ripple, ripple + 1, whole.shape)
    whole[top : top + height, left : left + width] = picture
    return whole.clip(0, 255).astype(np.uint8)


def tensor(picture: NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255


def named(sides: Sides) -> dict[str, int]:
    return {name: pixels for name, pixels in zip(("left", "top", "right", "bottom"), sides, strict=True) if pixels}


@pytest.mark.parametrize("ripple", [0, 2])
@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (30, 30, 46)])
@pytest.mark.parametrize(
    "sides",
    [(0, 20, 0, 20), (60, 0, 60, 0), (9, 9, 9, 9), (0, 0, 0, 31), (0, 3, 0, 0), (40, 12, 40, 0)],
    ids=["letterbox", "pillars", "frame", "one side", "a line", "three"],
)
def test_bars_are_found(sides: Sides, colour: tuple[int, int, int], ripple: int) -> None:
    picture = photograph()
    content = find_content(tensor(barred(picture, sides, colour, ripple)))
    assert content.window == Window(sides[1], sides[0], *picture.shape[:2])
    assert content.bars == named(sides) and content.visible is None and not content.missing


def test_bars_around_a_dark_picture_are_found() -> None:
    for sides in ((0, 20, 0, 20), (30, 0, 30, 0), (5, 5, 5, 5)):
        assert find_content(tensor(barred(photograph(dark=0.1), sides))).bars == named(sides)


def test_a_frame_within_a_frame_is_found() -> None:
    mounted = barred(barred(photograph(), (8, 8, 8, 8), (250, 250, 250)), (12, 6, 12, 6))
    assert find_content(tensor(mounted)).bars == named((20, 14, 20, 14))


@pytest.mark.parametrize("quality", [40, 75, 95])
def test_the_ripple_of_jpeg_belongs_to_the_bar(quality: int) -> None:
    for sides in ((0, 33, 0, 21), (40, 0, 37, 0)):
        file = io.BytesIO()
        Image.fromarray(barred(photograph(), sides)).save(file, "JPEG", quality=quality)
        found = find_content(load_picture(Image.open(file)).rgb).bars
        assert found.keys() == named(sides).keys()
        assert all(abs(found[side] - pixels) <= 1 for side, pixels in named(sides).items())


def sky(height: int = 120, width: int = 160) -> NDArray[np.float64]:
    """Bluer towards the top, with the grain of a camera."""
    y = np.linspace(0, 1, height)[:, None, None]
    return np.array([90, 140, 210]) + 40 * y + np.random.default_rng(2).normal(0, 1, (height, width, 3))


def horizon() -> NDArray[np.float64]:
    whole = sky()
    whole[60:] = photograph()[60:]
    return whole


def night() -> NDArray[np.float64]:
    """Black to the last level above roofs of several heights, with a few stars."""
    whole = np.zeros((120, 160, 3))
    for k, height in enumerate((50, 62, 44, 71, 38, 57, 66, 49)):
        whole[120 - height :, 20 * k : 20 * k + 20] = photograph()[120 - height :, 20 * k : 20 * k + 20] / 2
    whole[[5, 17, 30], [40, 111, 77]] = 200
    return whole


def backdrop() -> NDArray[np.float64]:
    """Something round upon pure white."""
    y, x = np.mgrid[:120, :160]
    return np.where(np.hypot(y - 60, x - 80)[..., None] < 50, photograph(), 255)


def letters() -> NDArray[np.float64]:
    page = np.full((120, 160, 3), 255)
    rng = np.random.default_rng(3)
    for top in range(20, 100, 12):
        page[top : top + 7, 15:145] = np.where(rng.random((7, 130, 1)) < 0.35, 0, 255)
    return page


def fog() -> NDArray[np.float64]:
    return 200 + np.linspace(0, 12, 120)[:, None, None] * np.ones((120, 160, 3))


@pytest.mark.parametrize("made", [photograph, sky, horizon, night, backdrop, letters, fog])
def test_what_is_no_bar(made: object) -> None:
    assert callable(made)
    picture = made().clip(0, 255).round().astype(np.uint8)
    content = find_content(tensor(picture))
    assert content.bars == {} and not content.missing
    assert content.window == Window(0, 0, *picture.shape[:2])
    rgb = tensor(picture)
    assert content.seen(rgb) is rgb and content.put_back(rgb, rgb, rgb) is rgb


def test_bars_that_leave_hardly_anything_are_none() -> None:
    picture = barred(photograph(40, 160), (0, 100, 0, 100))
    assert find_content(tensor(picture)).bars == {}


def test_two_colours_leave_nothing_between_them() -> None:
    halves = np.zeros((80, 120, 3), np.uint8)
    halves[40:] = 200
    assert find_content(tensor(halves)).window == Window(0, 0, 80, 120)


@pytest.mark.parametrize("size", [(32, 32), (77, 120), (300, 260)])
@pytest.mark.parametrize("level", [0, 3, 128, 255])
def test_one_colour_is_nothing_to_judge_by(level: int, size: tuple[int, int]) -> None:
    rng = np.random.default_rng(4)
    plain = np.full((*size, 3), level, np.uint8)
    dithered = (plain + rng.integers(-1, 2, plain.shape)).clip(0, 255).astype(np.uint8)
    noisy = (plain + rng.normal(0, 12, plain.shape)).clip(0, 255).astype(np.uint8)
    for picture in (plain, dithered, noisy):
        content = find_content(tensor(picture))
        assert (content.missing, content.bars) == ("flat", {})


def test_a_frame_around_nothing_is_nothing() -> None:
    content = find_content(tensor(barred(np.full((60, 80, 3), 100, np.uint8), (10, 10, 10, 10))))
    assert content.missing == "flat"


@pytest.mark.parametrize("dark", [1.0, 0.2, 0.03])
def test_a_photograph_is_something_however_dark_noisy_or_small_it_is(dark: float) -> None:
    noise = np.random.default_rng(5).normal(0, 25 * dark, (120, 160, 3))
    picture = (photograph(dark=dark) + noise).clip(0, 255).astype(np.uint8)
    assert not find_content(tensor(picture)).missing
    assert not find_content(tensor(picture[:32, :40])).missing


def disc(height: int = 120, width: int = 160, radius: float = 40, soft: float = 0.0) -> Tensor:
    y, x = np.mgrid[:height, :width]
    away = np.hypot(y - height / 2, x - width / 2)
    return torch.from_numpy(((radius + soft / 2 - away) / max(soft, 1e-9)).clip(0, 1)).float()[None, None]


@pytest.mark.parametrize("soft", [0.0, 20.0])
def test_what_is_hidden_decides_nothing_and_stays(soft: float) -> None:
    picture, visible = tensor(photograph()), disc(soft=soft)
    random = torch.rand(picture.shape)
    made_up = []
    for under in (torch.zeros(picture.shape), torch.ones(picture.shape), random):
        rgb = torch.where(visible > 0, picture, under)
        content = find_content(rgb, visible)
        assert content.bars == {} and max(content.window.height, content.window.width) < 102
        seen = content.seen(rgb)
        made_up.append(seen)
        result = content.put_back(rgb, seen, seen + 0.1)
        hidden, shown = (visible == 0).expand_as(rgb), (visible == 1).expand_as(rgb)
        assert torch.equal(result[hidden], rgb[hidden])
        torch.testing.assert_close(result[~hidden], rgb[~hidden] + 0.1)
        inside = content.window.of(shown)
        assert torch.equal(seen[inside], content.window.of(rgb)[inside])
        assert torch.equal(content.put_back(rgb, seen, seen), rgb)
    assert torch.equal(made_up[0], made_up[1]) and torch.equal(made_up[0], made_up[2])


def test_bars_beside_what_is_hidden_are_found() -> None:
    picture = tensor(barred(photograph(), (0, 20, 0, 20)))
    visible = torch.ones(1, 1, *picture.shape[-2:])
    visible[..., :4, :4] = visible[..., 50:60, 70:90] = 0  # a rounded corner, and a hole
    content = find_content(torch.where(visible > 0, picture, 0.7), visible)
    assert content.bars == {"top": 20, "bottom": 20}
    assert content.visible is not None and content.visible.shape == (1, 1, 120, 160)


def test_an_even_transparency_is_none() -> None:
    picture = tensor(photograph())
    content = find_content(picture, torch.full((1, 1, 120, 160), 0.5))
    assert content.visible is None and content.seen(picture) is picture


def test_where_nothing_is_visible_there_is_nothing() -> None:
    assert find_content(tensor(photograph()), torch.zeros(1, 1, 120, 160)).missing == "hidden"


def test_a_few_visible_pixels_have_enough_around_them() -> None:
    visible = torch.zeros(1, 1, 120, 160)
    visible[..., 115:, 2:9] = 1
    assert find_content(tensor(photograph()), visible).window == Window(88, 2, 32, 32)


def test_visibility_goes_with_the_size_that_is_worked_on() -> None:
    content = find_content(tensor(photograph()), disc(radius=50))
    assert (content.window.height, content.window.width) == (99, 99)
    visible = content.visible_in(torch.zeros(1, 3, 50, 50), 16)
    assert visible is not None and visible.shape == (1, 1, 64, 64)
    assert bool(((visible > 0) & (visible < 1)).any()) and float(visible[..., 25, 25]) == 1
    assert find_content(tensor(photograph())).visible_in(torch.zeros(1, 3, 50, 50), 16) is None


@pytest.mark.parametrize(("mode", "bits"), [("RGBA", 8), ("LA", 8), ("PA", 8)])
def test_a_pictures_alpha_is_its_visibility(mode: str, bits: int) -> None:
    image = Image.fromarray(photograph()).convert("RGBA")
    image.putalpha(Image.fromarray((255 * disc()[0, 0].numpy()).astype(np.uint8)))
    picture = load_picture(image.quantize().convert("RGBA") if mode == "PA" else image.convert(mode))
    assert picture.bits == bits
    visible = picture.content.visible
    assert visible is not None and float(visible.mean()) == pytest.approx(np.pi / 4, abs=0.02)
    assert picture.content is picture.content
