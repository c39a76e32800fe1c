"""HEIC: told apart from AVIF, read with the extra, and refused with the remedy without it."""

from __future__ import annotations

import importlib.util
import io
import sys
from types import ModuleType

import pytest
from containers import box, heic_boxes
from PIL import Image

from ldrps.errors import InputError
from ldrps.image.heif import is_heif
from ldrps.image.picture import load_picture


def first_box(main, *compatible):
    body = b"ftyp" + main + bytes(4) + b"".join(compatible)
    return (len(body) + 4).to_bytes(4, "big") + body + bytes(50)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (first_box(b"heic", b"mif1"), True),
        (first_box(b"mif1", b"miaf", b"heic"), True),
        (first_box(b"mif1", b"miaf", b"avif"), False),
        (first_box(b"avif", b"mif1"), False),
        (b"\0\0\0\x18ftypmif1", False),
        (b"", False),
    ],
)
def test_told_by_its_brands(data, expected):
    assert is_heif(io.BytesIO(data)) == expected


def test_without_the_extra_the_remedy_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    (tmp_path / "p.heic").write_bytes(first_box(b"heic"))
    with pytest.raises(InputError, match=r"p\.heic is a HEIC file: pip install '\.\[heif\]' in the checkout of ldrps"):
        load_picture(tmp_path / "p.heic")


def test_with_the_extra_it_is_a_picture_like_any_other(tmp_path, photo, monkeypatch):
    """No encoder of HEVC may be shipped with a test, so a stand-in for the reader decodes what is behind the box."""
    box = first_box(b"heic")

    def open_behind_the_box(file, name):
        return Image.open(io.BytesIO(file.read()[len(box) :]))

    extra = ModuleType("pi_heif")
    extra.HeifImageFile = open_behind_the_box
    monkeypatch.setitem(sys.modules, "pi_heif", extra)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: extra)
    inside = io.BytesIO()
    photo().save(inside, "PNG")
    (tmp_path / "p.heic").write_bytes(box + inside.getvalue())
    assert load_picture(tmp_path / "p.heic").size == (48, 40)
    with pytest.raises(InputError, match="1,920 pixels, more than the limit"):
        load_picture(tmp_path / "p.heic", max_pixels=99)


def infe(*parts):
    """A list of one item."""
    return box(b"meta", bytes(4), box(b"iinf", bytes(4), b"\0\1", box(b"infe", *parts)))


NO_NAMES = {
    "kind": heic_boxes(kinds=(b"E\xeaif",)),
    "content": first_box(b"heic", b"mif1")[:20] + infe(b"\2\0\0\0", b"\0\2\0\0", b"mime", b"name\0", b"text/\xff\0"),
    "wide number": first_box(b"heic", b"mif1")[:20] + infe(b"\3\0\0\0", b"\0\0\0\2\0\0", b"\x80xif", b"\0"),
    "second box": heic_boxes() + infe(b"\2\0\0\0", b"\0\2\0\0", b"\xc3\0\0\0", b"\0"),
    "long size": heic_boxes()
    + box(b"meta", bytes(4), (1).to_bytes(4, "big"), b"iinf", (48).to_bytes(8, "big"))
    + bytes(4)
    + b"\0\1"
    + box(b"infe", b"\2\0\0\0", b"\0\2\0\0", b"E\xeaif", b"\0"),
}


@pytest.mark.parametrize("place", NO_NAMES)
def test_items_of_kinds_that_are_no_text_do_not_reach_the_decoder(tmp_path, monkeypatch, place):
    """pi_heif 1.4 would end the process: an input of 567 bytes in the tests of pillow-heif does."""
    extra = ModuleType("pi_heif")
    extra.HeifImageFile = lambda file, name: pytest.fail("it was opened")
    monkeypatch.setitem(sys.modules, "pi_heif", extra)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: extra)
    data = bytearray(NO_NAMES[place])
    if place == "long size":
        at = len(heic_boxes())
        data[at : at + 4] = (len(data) - at).to_bytes(4, "big")
    (tmp_path / "p.heic").write_bytes(data)
    with pytest.raises(InputError, match="it lists an item of a kind that is no text"):
        load_picture(tmp_path / "p.heic")


def test_damaged_heic(tmp_path):
    pytest.importorskip("pi_heif")
    (tmp_path / "p.heic").write_bytes(first_box(b"heic", b"mif1"))
    with pytest.raises(InputError, match="is damaged or cut short"):
        load_picture(tmp_path / "p.heic")
