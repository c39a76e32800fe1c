"""A mask of any kind becomes one of floats, or is refused in words; and a picture with one tells less."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import ExifTags, Image

from ldrps.errors import InputError
from ldrps.image.mask import PixelMask, load_mask
from ldrps.image.picture import Picture, load_picture

HEIGHT, WIDTH = 40, 48


def drawn() -> np.ndarray:
    """White in a corner, half white beside it, [H, W] of bytes."""
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[:10, :20], mask[:10, 20:30] = 255, 128
    return mask


def picture(seed: int = 0) -> Picture:
    return load_picture(np.random.default_rng(seed).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8))


def forms(folder: Path) -> dict[str, Any]:
    """The same mask in all forms that are taken."""
    mask, rgb = drawn(), np.repeat(drawn()[..., None], 3, 2)
    Image.fromarray(mask).save(folder / "mask.png")
    clear = np.dstack([np.full_like(rgb, 255), mask])  # white strokes on a transparent sheet
    return {
        "path": folder / "mask.png",
        "text": str(folder / "mask.png"),
        "grey": Image.fromarray(mask),
        "colours": Image.fromarray(rgb),
        "sheet": Image.fromarray(clear),
        "uint8": mask,
        "uint16": mask.astype(np.uint16) * 257,
        "float16": (mask / 255).astype(np.float16),
        "float64": mask / 255,
        "bytes": torch.from_numpy(mask),
        "one channel": torch.from_numpy(mask / 255)[None],
        "a batch": torch.from_numpy(mask / 255).float()[None, None],
    }


FORMS = ["path", "text", "grey", "colours", "sheet", "uint8", "uint16", "float16", "float64"]


@pytest.mark.parametrize("form", [*FORMS, "bytes", "one channel", "a batch"])
def test_a_mask_of_any_form_is_the_same(form: str, tmp_path: Path) -> None:
    mask = load_mask(forms(tmp_path)[form])
    assert mask.values.dtype == torch.float32 and mask.values.shape == (1, 1, HEIGHT, WIDTH)
    assert torch.allclose(mask.values[0, 0], torch.from_numpy(drawn() / 255).float(), atol=1e-3)
    assert mask.size == (WIDTH, HEIGHT)
    assert (mask.name == str(tmp_path / "mask.png")) == (form in ("path", "text"))


@pytest.mark.parametrize("kind", [np.bool_, torch.bool])
def test_a_mask_of_truth_values_is_black_and_white(kind: Any) -> None:
    lost = drawn() > 200
    mask = load_mask(lost if kind is np.bool_ else torch.from_numpy(lost))
    assert torch.equal(mask.values[0, 0], torch.from_numpy(lost).float())


def test_the_same_mask_in_another_file_is_the_same_mask(tmp_path: Path) -> None:
    Image.fromarray(drawn()).save(tmp_path / "a.png")
    Image.fromarray(drawn()).convert("RGB").save(tmp_path / "b.tif")
    other = drawn()
    other[30, 30] = 255
    assert load_mask(tmp_path / "a.png").sha256 == load_mask(tmp_path / "b.tif").sha256
    assert load_mask(other).sha256 != load_mask(drawn()).sha256 != load_mask(drawn().T.copy()).sha256


def test_the_ripple_of_jpeg_is_neither_hole_nor_half(tmp_path: Path) -> None:
    mask = np.where(np.arange(WIDTH) < 24, 255, 0).astype(np.uint8)[None].repeat(HEIGHT, 0)
    Image.fromarray(mask).save(tmp_path / "mask.jpg", quality=80)
    assert set(load_mask(tmp_path / "mask.jpg").values.unique().tolist()) == {0.0, 1.0}


def test_it_shares_no_memory(tmp_path: Path) -> None:
    array, tensor = drawn() / 255, torch.from_numpy(drawn() / 255).float()[None, None]
    masks = [load_mask(array), load_mask(tensor)]
    array[:], tensor[:] = 0, 0
    assert all(mask.values.max() == 1 for mask in masks)


def test_a_mask_that_lies_on_its_side_is_turned_by_its_own_exif_data(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    lying = Image.fromarray(drawn()).transpose(Image.Transpose.ROTATE_90)
    lying.save(tmp_path / "mask.png", exif=exif)
    assert lying.size == (HEIGHT, WIDTH)
    mask = load_mask(tmp_path / "mask.png")
    assert mask.size == (WIDTH, HEIGHT) and mask.sha256 == load_mask(drawn()).sha256


@pytest.mark.parametrize(
    ("mask", "reason"),
    [
        (np.zeros((HEIGHT, WIDTH, 3), np.uint8), r"shape \(40, 48, 3\), is not of one channel"),
        (np.zeros(9, np.uint8), "is not of one channel"),
        (torch.zeros(2, HEIGHT, WIDTH), "is not of one channel"),
        (np.zeros((0, WIDTH), np.uint8), "has no pixels"),
        (np.zeros((HEIGHT, WIDTH), np.int64), "is of type int64"),
        (torch.zeros(HEIGHT, WIDTH, dtype=torch.int32), "is of type torch.int32"),
        (np.full((HEIGHT, WIDTH), np.nan), "NaN or infinite"),
        (np.full((HEIGHT, WIDTH), 255.0), "from 255 to 255, outside"),
        ("nowhere.png", "nowhere.png does not exist"),
        (Image.new("RGB", (WIDTH, HEIGHT), "red"), "has colours, up to 255 of 255 from grey: give a grey one"),
        (Image.new("L", (8, 8)), "8 x 8 pixels, smaller than the limit of 32"),
        (7, "a mask cannot be a int: give a path"),
    ],
)
def test_what_is_no_mask_is_refused_in_words(mask: Any, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        load_mask(mask)


def test_a_file_that_is_no_picture_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mask.png").write_text("white")
    with pytest.raises(InputError, match="is not an image of a known format"):
        load_mask(tmp_path / "mask.png")


def test_what_is_lost_tells_nothing(tmp_path: Path) -> None:
    whole = picture()
    holed = whole.with_holes(drawn())
    known = holed.known
    assert known is not None and known[0, 0, 0, 0] == 0 and known[0, 0, -1, -1] == 1
    assert float(known[0, 0, 0, 25]) == pytest.approx(1 - 128 / 255)
    spoilt = load_picture(np.where(drawn()[..., None] == 255, 77, np.asarray(_bytes(whole))).astype(np.uint8))
    other = spoilt.with_holes(drawn())
    assert torch.equal(other.content.seen(other.rgb), holed.content.seen(holed.rgb))
    assert whole.lost is None and whole.known is None, "the picture itself is as it was"


def _bytes(whole: Picture) -> np.ndarray:
    return (whole.rgb[0].permute(1, 2, 0) * 255).round().byte().numpy()


def test_a_mask_of_another_size_is_refused_and_the_remedy_told() -> None:
    with pytest.raises(InputError, match=r"48 x 39 pixels, and array is 48 x 40: give a mask of the picture's size$"):
        picture().with_holes(drawn()[1:])
    with pytest.raises(InputError, match="lies on its side in its file is masked as it is shown"):
        picture().with_protection(drawn().T.copy())


@pytest.mark.parametrize("name", ["with_holes", "with_protection"])
def test_a_black_mask_is_told_and_changes_nothing(name: str, caplog: pytest.LogCaptureFixture) -> None:
    whole = picture()
    assert getattr(whole, name)(np.zeros((HEIGHT, WIDTH), np.uint8)) is whole
    assert "nothing of the mask is white" in caplog.text


def test_all_white_leaves_nothing_to_fill_from(caplog: pytest.LogCaptureFixture) -> None:
    white = np.ones((HEIGHT, WIDTH), bool)
    with pytest.raises(InputError, match="nothing left where the mask is not white"):
        picture().with_holes(white)
    with caplog.at_level(logging.WARNING):
        assert picture().with_protection(white).protected is not None
    assert "all of the mask is white, so nothing is changed" in caplog.text


def test_alpha_is_a_mask_and_then_gone() -> None:
    rgba = np.dstack([_bytes(picture()), 255 - drawn()])
    holed = load_picture(Image.fromarray(rgba)).with_holes("alpha")
    assert holed.alpha is None and holed.lost is not None and holed.lost.name == "alpha"
    assert holed.lost.sha256 == load_mask(drawn()).sha256


def test_alpha_is_no_mask_where_there_is_none_or_all_of_it_is_transparent(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(InputError, match="has no transparency, so the mask 'alpha' is none"):
        picture().with_holes("alpha")
    clear = Image.fromarray(np.dstack([_bytes(picture()), np.zeros((HEIGHT, WIDTH), np.uint8)]))
    with pytest.raises(InputError, match="nothing left where alpha is not white"):
        load_picture(clear).with_holes("alpha")
    opaque = load_picture(Image.fromarray(np.dstack([_bytes(picture()), np.full((HEIGHT, WIDTH), 255, np.uint8)])))
    assert opaque.with_holes("alpha") is opaque and "nothing of alpha is white" in caplog.text


def test_what_is_protected_comes_back_to_the_bit_and_grey_is_a_blend() -> None:
    protected = picture().with_protection(drawn())
    result = torch.full_like(protected.rgb, 0.3)
    kept = protected.keep_protected(result)
    assert torch.equal(kept[..., :10, :20], protected.rgb[..., :10, :20])
    assert torch.equal(kept[..., 10:, :], result[..., 10:, :])
    blend = torch.lerp(result, protected.rgb, 128 / 255)
    assert torch.allclose(kept[..., :10, 20:30], blend[..., :10, 20:30])
    assert picture().keep_protected(result) is result


def test_masks_may_be_given_as_they_were_loaded() -> None:
    mask = load_mask(drawn())
    assert isinstance(mask, PixelMask) and load_mask(mask) is mask
    assert picture().with_holes(mask).lost is mask
