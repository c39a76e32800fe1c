from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor
from train.photographs import HELD_OUT, NAMES, invented

from ldrps.caption.tagger import Tag
from ldrps.errors import InputError, PriorError
from ldrps.train import photos as photographs
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
    (tmp_path / "thin.png").write_bytes((tmp_path / "wide.png").read_bytes()[:99])  # told from its header
    (tmp_path / "text.jpg").write_text("no picture")
    (tmp_path / "notes.txt").write_text("no picture, and none by name")
    whole = (tmp_path / "deep/er/good.JPG").read_bytes()
    (tmp_path / "half.jpg").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "chunk.png").write_bytes(with_a_short_chunk((tmp_path / "photo-1.png").read_bytes()))
    with caplog.at_level(logging.WARNING):
        photos = Photographs([tmp_path])
    assert len(photos.images) == 3 and {image.mode for image in photos.images} == {"RGB"}
    skipped = sorted(message.split(":")[0].rsplit("/", 1)[-1] for message in caplog.messages)
    assert skipped == ["chunk.png", "half.jpg", "text.jpg", "thin.png", "wide.png"]
    assert any("300x100, smaller than 128 pixels" in message for message in caplog.messages)


def test_what_photographs_show(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Captions belong to paths: those of files that are skipped, or not there, are not handed on to others."""
    one, other = tmp_path / "one", tmp_path / "other"
    (one / "deep").mkdir(parents=True)
    other.mkdir()
    said = {"a.png": "first, über alles", "c.png": "", "deep/photo-1.png": "deep down", "photo-2.png": "a\ttab"}
    for seed, name in enumerate(said):
        invented(seed).save(one / name)
    invented(9).save(other / "a.png")
    (one / "b.png").write_text("no picture")
    lines = [
        "photo-2.png\ta\ttab ", "a.png\tfirst, über alles", "b.png\tskipped", "no tab here",
        "deep/photo-1.png\tdeep down", "photo-1.png\tnot there", "./c.png\t",
    ]  # fmt: skip
    (one / "captions.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    with caplog.at_level(logging.WARNING):
        photos = Photographs([one, other])
    assert photos.subjects == [*said.values(), ""]
    expected = [invented(seed).tobytes() for seed in (*range(len(said)), 9)]
    assert [image.tobytes() for image in photos.images] == expected
    messages = sorted(caplog.messages)
    assert len(messages) == 2 and messages[1].startswith(f"skipped {one / 'b.png'}")
    assert messages[0] == (
        f"{one / 'captions.tsv'}, line 4 has no tab: it must be a path, a tab and a caption; skipped"
    )


def test_crops_come_with_what_their_photographs_show(photo_folder: Path) -> None:
    photos = Photographs([photo_folder])
    assert photos.subjects == [""] * len(photos.images)
    colours = [(20 * k, 255 - 20 * k, 0) for k in range(12)]
    photos.images = [Image.new("RGB", (150, 140), colour) for colour in colours]
    photos.subjects = [str(colour) for colour in colours]
    found, subjects = photos.crops_with_subjects(np.random.default_rng(3), 40, 64, (1.0, 2.0))
    assert torch.equal(found, crops(photos, 3, count=40, high=2.0))
    assert [str(tuple((255 * crop[:, 5, 5]).int().tolist())) for crop in found] == subjects
    assert len(set(subjects)) > 8


def of_colours(photos: Photographs, *colours: str) -> Photographs:
    photos.images, photos.subjects = [Image.new("RGB", (150, 140), colour) for colour in colours], [""] * len(colours)
    return photos


def test_what_nobody_described_is_named_as_far_as_the_tagger_knows(
    photo_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tags = {(255, 0, 0): Tag("fire engine", 0.7), (0, 0, 255): None}

    class Fake:
        def of_image(self, image: Image.Image) -> Tag | None:
            return tags[image.getpixel((0, 0))]

    monkeypatch.setattr(photographs, "Tagger", Fake)
    photos = of_colours(Photographs([photo_folder]), "red", "blue", "white", "red")
    photos.subjects[2:] = ["snow", "my car"]
    photos.name_subjects()
    assert photos.subjects == ["fire engine", "", "snow", "my car"]
    assert photos.captions() == [
        "fire engine, red, dark, low contrast", "blue, very dark, low contrast",
        "snow, black and white, very bright, low contrast", "my car, red, dark, low contrast",
    ]  # fmt: skip


def test_without_a_tagger_they_stay_as_they_are(
    photo_folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def missing() -> None:
        raise PriorError("the tagger needs the package x")

    monkeypatch.setattr(photographs, "Tagger", missing)
    photos = of_colours(Photographs([photo_folder]), "red", "blue")
    photos.subjects[1] = "sea"
    with caplog.at_level(logging.WARNING):
        photos.name_subjects()
    assert photos.subjects == ["", "sea"]
    assert caplog.messages == [
        "photographs without a caption get none that says what they show: the tagger needs the package x"
    ]


def test_no_photographs(tmp_path: Path, photo_folder: Path) -> None:
    with pytest.raises(InputError, match="nowhere is not a folder"):
        Photographs([photo_folder, tmp_path / "nowhere"])
    with pytest.raises(InputError, match=f"no usable photograph in {tmp_path}"):
        Photographs([tmp_path])
    invented(0).save(tmp_path / NAMES[0])
    with pytest.raises(InputError, match="no usable held-out photograph"):
        Photographs([tmp_path], held_out=True)
