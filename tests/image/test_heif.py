"""HEIC: told apart from AVIF, read with the extra, and refused with the remedy without it."""

from __future__ import annotations

import importlib.util
import io
import sys
from types import ModuleType

import pytest
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


def test_damaged_heic(tmp_path):
    pytest.importorskip("pi_heif")
    (tmp_path / "p.heic").write_bytes(first_box(b"heic", b"mif1"))
    with pytest.raises(InputError, match="is damaged or cut short"):
        load_picture(tmp_path / "p.heic")
