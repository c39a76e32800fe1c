"""Which mask a picture has, of a file, of a folder of them, or of what is transparent."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ldrps.errors import InputError
from ldrps.image.picture import load_picture
from ldrps.masks import Masks


def put(path: Path, size: tuple[int, int] = (48, 40), at: int = 5) -> Path:
    path.parent.mkdir(exist_ok=True, parents=True)
    mask = np.zeros(size[::-1], np.uint8)
    mask[at, at] = 255
    Image.fromarray(mask).save(path)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two pictures and their masks, one of each name, one of the stem."""
    for name in ("a.png", "b.png"):
        put(tmp_path / name)
    put(tmp_path / "masks" / "a.png", at=7)
    put(tmp_path / "masks" / "a.tif", at=9)
    put(tmp_path / "masks" / "b.webp", at=7)
    return tmp_path


def test_a_picture_has_the_mask_of_its_name_or_else_of_its_stem(folder: Path) -> None:
    masks = Masks(str(folder / "masks"))
    assert masks.files(folder / "a.png") == [folder / "masks" / "a.png"]
    assert masks.files(folder / "b.png") == [folder / "masks" / "b.webp"]
    assert masks.files(folder / "c.png") == []
    assert Masks("alpha").files(folder / "a.png") == []


def test_a_picture_without_a_mask_is_told(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    picture = load_picture(folder / "a.png")
    masks = Masks(str(folder / "masks"), str(folder / "masks"))
    assert masks.on(picture, folder / "c.png") is picture
    assert caplog.text.count("there is no mask of its name in") == 2
    both = masks.on(picture, folder / "a.png")
    assert both.lost is not None and both.protected is not None and both.lost.values[0, 0, 7, 7] == 1


def test_it_is_marked_by_what_is_in_its_files(folder: Path) -> None:
    masks = Masks(str(folder / "masks"))
    first, other, none = (masks.mark(folder / name) for name in ("a.png", "b.png", "c.png"))
    assert first and other and first != other and none == ""
    assert Masks(protected=str(folder / "masks")).mark(folder / "a.png") != first
    put(folder / "masks" / "a.png", at=8)
    assert masks.mark(folder / "a.png") != first
    assert Masks("alpha").mark(folder / "a.png") == Masks().mark(folder / "a.png") == ""
    assert pickle.loads(pickle.dumps(masks)) == masks


def test_one_mask_is_for_one_picture(folder: Path) -> None:
    one = str(folder / "masks" / "a.png")
    Masks(one).check(1)
    Masks(str(folder / "masks")).check(None)
    Masks("alpha").check(7)
    with pytest.raises(InputError, match="is one mask, for 2 pictures: give --mask a folder that has one for each"):
        Masks(one).check(2)
    with pytest.raises(InputError, match="is one mask, for a folder of pictures: give --protect a folder"):
        Masks(protected=one).check(None)
    with pytest.raises(InputError, match="alpha does not exist: check --protect"):
        Masks(protected="alpha").check(1)
    with pytest.raises(InputError, match="nowhere does not exist: check --mask"):
        Masks("nowhere").check(1)


def test_headers_tell_of_another_size(folder: Path) -> None:
    masks = Masks(str(folder / "masks"))
    masks.check_sizes(folder / "a.png", (48, 40), 10**6)
    masks.check_sizes(folder / "a.png", (40, 48), 10**6)  # one may lie on its side, and the other not
    with pytest.raises(InputError, match=r"48 x 40 pixels, and .* is 48 x 41: give a mask of the picture's size"):
        masks.check_sizes(folder / "a.png", (48, 41), 10**6)
