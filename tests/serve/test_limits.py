from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from ldrps.errors import InputError, SettingsError
from ldrps.image.limits import refuse_large
from ldrps.serve.limits import Limits, for_visitors, refuse_upload


def test_what_is_within_the_limits_passes(picture: Path) -> None:
    refuse_upload(picture, "a.jpg", Limits(pixels=64 * 48, upload=picture.stat().st_size))


def test_too_many_pixels_too_many_bytes_and_nothing_at_all(picture: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^a.jpg has 64 x 48 = 0.0 million pixels, more than the 0.003 million"):
        refuse_upload(picture, "a.jpg", Limits(pixels=3000))
    with pytest.raises(InputError, match=r"^a.jpg has .* MiB, more than the .* MiB that this page takes"):
        refuse_upload(picture, "a.jpg", Limits(upload=100))
    with pytest.raises(InputError, match="choose it again"):
        refuse_upload(tmp_path / "none.png", "none.png", Limits())


def test_what_cannot_be_measured_is_left_to_the_reader(tmp_path: Path) -> None:
    path = tmp_path / "notes.png"
    path.write_text("no picture")
    refuse_upload(path, "notes.png", Limits())


def test_pixels_are_counted_from_the_header_alone(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    Image.new("1", (9000, 9000)).save(path)
    path.write_bytes(path.read_bytes()[:60])  # nothing to decode is left
    with pytest.raises(InputError, match=r"81\.0 million pixels, more than the 50 million"):
        refuse_upload(path, "large.png", Limits())


def test_limits_are_checked() -> None:
    assert Limits(waiting=0).waiting == 0
    with pytest.raises(SettingsError, match="the limit pixels is 0; it must be 1 or more"):
        Limits(pixels=0)


@pytest.mark.parametrize("size", [(2**31 - 1, 2**31 - 1), (100_000, 2000)])
def test_nobody_is_told_to_allow_what_only_the_server_can(size: tuple[int, int]) -> None:
    with pytest.raises(InputError) as refused:
        refuse_large("a.png", *size, max_pixels=50_000_000)
    assert for_visitors(str(refused.value)).endswith("more than the limit of 50,000,000: make it smaller")
