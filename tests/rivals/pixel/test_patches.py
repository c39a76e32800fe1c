from __future__ import annotations

import torch

from ldrps.image.tiles import Window
from ldrps.rivals.pixel.patches import Mean, patches


def test_the_last_patch_ends_at_the_border() -> None:
    places = patches(400, 600, 256, 128)
    assert sorted({place.top for place in places}) == [0, 128, 144]
    assert sorted({place.left for place in places}) == [0, 128, 256, 344]
    assert len(places) == 12 and {(place.height, place.width) for place in places} == {(256, 256)}


def test_a_picture_of_the_size_of_a_patch_is_one() -> None:
    assert patches(256, 256, 256, 128) == [Window(0, 0, 256, 256)]
    assert patches(40, 300, 256, 128) == [Window(0, 0, 40, 256), Window(0, 44, 40, 256)]


def test_the_mean_of_patches() -> None:
    places = patches(4, 6, 4, 2)
    field = Mean((1, 1, 4, 6), places, torch.device("cpu"))
    for place, value in zip(places, (1.0, 3.0), strict=True):
        field.add(place, torch.full((1, 1, 4, 4), value))
    assert field.field[0, 0, 0].tolist() == [1, 1, 2, 2, 3, 3]
