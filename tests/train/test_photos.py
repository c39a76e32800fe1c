from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor
from train.photographs import HELD_OUT, NAMES, invented

from ldrps.errors import InputError
from ldrps.train.photos import Photographs, is_held_out


def crops(photos: Photographs, seed: int, count: int = 6, size: int = 64, high: float = 8.0) -> Tensor:
    return photos.crops(np.random.default_rng(seed), count, size, (1.0, high))


def coordinates(width: int, height: int) -> Image.Image:
    """Red tells the column, green the row, in full at the far end."""
    red, green = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    return Image.fromarray(np.stack([red, green, 0 * red], 2).round().astype(np.uint8))


def test_crops_are_the_generators(photo_folder: Path) -> None:
    photos = Photographs([photo_folder])
    first = crops(photos, 1)
    assert first.shape == (6, 3, 64, 64) and first.dtype == torch.float32
    assert float(first.min()) >= 0 and float(first.max()) <= 1 and float(first.std()) > 0.1
    assert torch.equal(first, crops(photos, 1))
    assert torch.equal(first, crops(Photographs([photo_folder]), 1))
    assert not torch.equal(first, crops(photos, 2))


@pytest.mark.parametrize("size", [(160, 160), (400, 129), (130, 300)])
def test_crops_are_never_enlarged(size: tuple[int, int], tmp_path: Path) -> None:
    coordinates(*size).save(tmp_path / "ramp.png")
    found = crops(Photographs([tmp_path], held_out=is_held_out("ramp.png")), 0, count=40)
    across = 255 * (found[:, 0, :, -2] - found[:, 0, :, 1]).mean(1) / 61 * (size[0] - 1) / 255  # columns in a pixel
    down = 255 * (found[:, 1, -2] - found[:, 1, 1]).mean(1) / 61 * (size[1] - 1) / 255
    torch.testing.assert_close(across.abs(), down, atol=0.05, rtol=0.05)  # squares stay squares
    assert float(down.min()) > 0.97 and float(down.max()) < min(size) / 64 * 1.03
    assert float(down.std()) > 0.1  # reductions of all kinds
    assert 5 < int((across < 0).sum()) < 35  # flipped half of the time


@pytest.mark.parametrize("side", [175, 192, 198, 206, 309])
def test_a_crop_as_large_as_the_photograph(side: int, tmp_path: Path) -> None:
    # 64 * exp(log(side / 64)) is a little more than side.
    invented(0, side, side + 5).save(tmp_path / "photo.png")
    photos = Photographs([tmp_path], held_out=is_held_out("photo.png"))
    assert photos.crops(np.random.default_rng(0), 3, 64, (9.0, 9.0)).shape == (3, 3, 64, 64)


def test_held_out_photographs_are_others(photo_folder: Path) -> None:
    train, held_out = Photographs([photo_folder]), Photographs([photo_folder], held_out=True)
    assert (len(train.images), len(held_out.images)) == (len(NAMES) - len(HELD_OUT), len(HELD_OUT))
    assert not {image.tobytes() for image in train.images} & {image.tobytes() for image in held_out.images}


def test_one_in_twenty_is_held_out_by_name() -> None:
    names = [f"DSC_{number:05}.jpg" for number in range(4000)]
    assert sum(map(is_held_out, names)) == pytest.approx(200, abs=40)
    assert [name for name in NAMES if is_held_out(name)] == HELD_OUT  # a change would train on what was held out


def with_a_short_chunk(png: bytes) -> bytes:
    """Pillow finds out while it decodes, and raises SyntaxError."""
    length = png.index(b"IDAT") - 4
    return png[:length] + (100).to_bytes(4, "big") + png[length + 4 :]


def test_what_cannot_be_used_is_skipped_with_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "deep/er").mkdir(parents=True)
    invented(0).save(tmp_path / "deep/er/good.JPG")
    invented(1).convert("RGBA").save(tmp_path / "photo-1.png")
    invented(2).convert("L").save(tmp_path / "photo-2.webp")
    invented(3, 300, 100).save(tmp_path / "wide.png")
    (tmp_path / "text.jpg").write_text("no picture")
    (tmp_path / "notes.txt").write_text("no picture, and none by name")
    whole = (tmp_path / "deep/er/good.JPG").read_bytes()
    (tmp_path / "half.jpg").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "chunk.png").write_bytes(with_a_short_chunk((tmp_path / "photo-1.png").read_bytes()))
    with caplog.at_level(logging.WARNING):
        photos = Photographs([tmp_path])
    assert len(photos.images) == 3 and {image.mode for image in photos.images} == {"RGB"}
    skipped = sorted(message.split(":")[0].rsplit("/", 1)[-1] for message in caplog.messages)
    assert skipped == ["chunk.png", "half.jpg", "text.jpg", "wide.png"]
    assert any("300x100, smaller than 128 pixels" in message for message in caplog.messages)


def test_no_photographs(tmp_path: Path, photo_folder: Path) -> None:
    with pytest.raises(InputError, match="nowhere is not a folder"):
        Photographs([photo_folder, tmp_path / "nowhere"])
    with pytest.raises(InputError, match=f"no usable photograph in {tmp_path}"):
        Photographs([tmp_path])
    invented(0).save(tmp_path / NAMES[0])
    with pytest.raises(InputError, match="no usable held-out photograph"):
        Photographs([tmp_path], held_out=True)
