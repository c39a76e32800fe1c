from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from conftest import ball, photo
from PIL import Image
from torch import Tensor

from ldrps.degradation import resize
from ldrps.degradation.jpeg import tables
from ldrps.estimation.jpeg_traces import traced_jpeg


def saved(x: Tensor, quality: int, base: str = "libjpeg") -> Tensor:
    """x through a file."""
    levels = (255 * x[0].permute(1, 2, 0)).round().byte().numpy()
    steps = [table.int().flatten().tolist() for table in tables(quality, base)]
    file = io.BytesIO()
    Image.fromarray(levels).save(file, "JPEG", qtables=steps)
    decoded = np.array(Image.open(file))
    return torch.from_numpy(decoded).permute(2, 0, 1)[None] / 255


@pytest.mark.parametrize(
    ("quality", "base"), [(10, "libjpeg"), *((q, base) for q in (20, 40, 60) for base in ("libjpeg", "mozjpeg"))]
)
@pytest.mark.parametrize(("cut", "again"), [((0, 0), None), ((3, 5), 90), ((0, 0), 90), ((7, 0), 85)])
def test_steps_and_place_of_the_first_blocks(quality: int, base: str, cut: tuple[int, int], again: int | None) -> None:
    y = saved(photo(192), quality, base)[..., cut[0] :, cut[1] :]
    if again is not None:
        y = saved(y, again)
    found = traced_jpeg(y)
    assert found is not None
    assert found.offset == cut
    nearest = torch.stack([tables(quality + off, base) for off in (-1, 0, 1)])
    assert (nearest == found.quantisation).all((1, 2, 3)).any(), "a quality beside it leaves nearly the same traces"


def test_of_two_that_are_there_the_coarser() -> None:
    y = saved(saved(photo(192), 30)[..., 4:, 4:], 70)
    found = traced_jpeg(y)
    assert found is not None and found.offset == (4, 4) and torch.equal(found.quantisation, tables(30))
    found = traced_jpeg(saved(y[..., 2:, 2:], 15))
    assert found is not None and found.offset == (0, 0) and torch.equal(found.quantisation, tables(15))


def test_nothing_where_nothing_was_saved_coarsely() -> None:
    assert traced_jpeg(photo(192)) is None
    assert traced_jpeg(ball(192)) is None
    assert traced_jpeg(saved(photo(192), 95)) is None
    assert traced_jpeg(torch.full((1, 3, 96, 96), 0.5)) is None
    assert traced_jpeg(photo(192)[..., :6, :]) is None, "less than a block"
    stripes = (torch.arange(192) % 8 < 4).float().expand(1, 3, 192, 192)
    assert traced_jpeg(stripes) is None, "two sizes of coefficients tell nothing"


def test_nothing_once_it_was_reduced() -> None:
    assert traced_jpeg(resize(saved(photo(192), 20), (150, 150))) is None


def test_a_large_picture_is_looked_at_in_samples_which_know_where_they_lie() -> None:
    y = saved(photo(192), 20).repeat(1, 1, 3, 3)[..., 5:, 1:]
    for side in (128, 256):
        found = traced_jpeg(y, side=side)
        assert found is not None and found.offset == (5, 1) and torch.equal(found.quantisation, tables(20))


def test_blocks_that_were_made_up_tell_nothing() -> None:
    y = saved(photo(192), 20)
    visible = torch.ones(1, 1, 192, 192)
    visible[..., 40:60, :] = 0
    found = traced_jpeg(y, visible)
    assert found is not None and torch.equal(found.quantisation, tables(20))
    visible[..., ::7, :] = 0.5
    assert traced_jpeg(y, visible) is None


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_picture_that_was_turned_since(turns: int) -> None:
    found = traced_jpeg(saved(photo(192), 20)[..., :184, 3:].rot90(turns, (2, 3)))
    assert found is not None
    steps = tables(20)
    assert torch.equal(found.quantisation, steps.mT if turns % 2 else steps)


def test_a_narrow_picture_and_one_in_half_precision() -> None:
    y = saved(photo(192), 20)
    narrow = traced_jpeg(y[..., :24, :].repeat(1, 1, 1, 16))
    assert narrow is not None and torch.equal(narrow.quantisation, tables(20))
    with torch.autocast("cpu", torch.bfloat16):
        found = traced_jpeg(y)
    assert found is not None and torch.equal(found.quantisation, tables(20))
