"""Contact sheets: every picture whole and in its place, captions below."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from ldrps.errors import InputError
from ldrps.image.sheet import before_after, contact_sheet

BACKGROUND = (238, 238, 238)


def holds(sheet, picture):
    """Whether `picture` lies in `sheet` pixel for pixel, and where."""
    big, small = np.asarray(sheet), np.asarray(picture)
    height, width = small.shape[:2]
    for y, x in zip(*np.where((big == small[0, 0]).all(-1)), strict=True):
        if np.array_equal(big[y : y + height, x : x + width], small):
            return int(x), int(y)
    return None


def test_before_and_after_lie_side_by_side(photo):
    before, after = photo(200, 150), photo(200, 150).transpose(Image.Transpose.ROTATE_180)
    sheet = before_after(before, after)
    assert sheet.mode == "RGB"
    (x1, y1), (x2, y2) = holds(sheet, before), holds(sheet, after)
    assert y1 == y2 > 0
    assert x2 > x1 + 200
    margin = x1
    assert (x2 - x1 - 200, sheet.width - x2 - 200) == (margin, margin)
    for corner in ((0, 0), (sheet.width - 1, 0), (0, sheet.height - 1), (sheet.width - 1, sheet.height - 1)):
        assert sheet.getpixel(corner) == BACKGROUND
    labels = np.asarray(sheet.crop((0, y1 + 150, sheet.width, sheet.height)))
    for x in (x1, x2):
        assert labels[:, x : x + 200].min() < 120  # there is ink below each
    assert labels[-margin // 2 :].min() == 238  # and none at the rim


def test_captions_are_written_as_given(photo):
    image = photo(200, 150)
    default, other, none = (before_after(image, image, c) for c in (("before", "after"), ("noisy", "PSNR"), ("", "")))
    assert default.size == other.size
    assert default.tobytes() != other.tobytes()
    assert none.height < default.height
    assert not np.array_equal(np.asarray(before_after(image, image, ("", "after"))), np.asarray(default))


def test_long_caption_stays_below_its_picture(photo):
    image = photo(200, 150)
    sheet = before_after(image, image, ("word " * 100, ""))
    assert sheet.size == before_after(image, image).size
    x, y = holds(sheet, image)
    labels = np.asarray(sheet)[y + 150 :]
    assert labels[:, :x].min() == labels[:, x + 200 :].min() == 238


def test_rows_of_unequal_pictures(photo):
    a, b, c = photo(100, 60), photo(64, 90).rotate(180), Image.new("RGB", (40, 40), (255, 0, 0))
    sheet = contact_sheet([[(a, "a"), (b, "b")], [], [(c, "")]])
    assert holds(sheet, a)
    assert holds(sheet, b)
    x, y = holds(sheet, c)
    assert y > 90
    assert x > 20  # in the middle of the first column


def test_grey_and_transparent_pictures(photo):
    sheet = before_after(photo(64, 64, "L"), Image.new("RGBA", (64, 64), (255, 0, 0, 0)))
    assert holds(sheet, photo(64, 64, "L").convert("RGB"))
    assert (255, 0, 0) not in {colour for _, colour in sheet.getcolors(10_000)}


def test_common_profile_is_kept(photo):
    wide = bytes(16) + b"RGB " + b"wide"
    a, b = photo(), photo()
    a.info["icc_profile"] = b.info["icc_profile"] = wide
    assert before_after(a, b).info["icc_profile"] == wide
    del b.info["icc_profile"]
    assert "icc_profile" not in before_after(a, b).info
    a.info["icc_profile"] = b.info["icc_profile"] = bytes(16) + b"GRAY"
    assert "icc_profile" not in before_after(a, b).info


def test_no_pictures():
    for rows in ([], [[]]):
        with pytest.raises(InputError, match="no pictures"):
            contact_sheet(rows)
