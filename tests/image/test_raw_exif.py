"""EXIF data are changed where they lie: what no parser understands, and what points to places in them, stays.

Cameras of 2000 to 2005 write what Pillow cannot write again; Canon's notes point to places in the whole block.
"""

from __future__ import annotations

import io
import struct
import time

import pytest
from containers import jpeg
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ldrps.image.picture import load_picture, to_levels
from ldrps.image.raw_exif import HEAD, RawExif
from ldrps.image.write import write_image

NOTE, THUMBNAIL = b"Canon note, at its place", b"\xff\xd8small\xff\xd9"


def directory(order, at, entries, following=0):
    """Of TIFF: entries of (tag, type, count, four bytes)."""
    body = struct.pack(f"{order}H", len(entries))
    body += b"".join(struct.pack(f"{order}HHI", tag, kind, count) + value for tag, kind, count, value in entries)
    return body + struct.pack(f"{order}I", following)


def block(order="<", turn=6, odd=()):
    """EXIF data with an odd entry, a maker's note, sizes, resolutions and a thumbnail; and where the note is."""

    def number(value):
        return struct.pack(f"{order}I", value)

    def short(value):
        return struct.pack(f"{order}HH", value, 0)

    head = (b"II*\0" if order == "<" else b"MM\0*") + number(8)
    first = [
        (0x0103, 3, 1, short(6)),  # how the file was compressed
        (0x010F, 2, 4, b"Ana\0"),
        (0x0112, 3, 1, short(turn)),
        (0x011A, 5, 1, number(300)),
        (0x011B, 5, 1, number(308)),
        *odd,
        (0x8769, 4, 1, number(200)),
    ]
    exif = [(0x927C, 7, len(NOTE), number(330)), (0xA002, 3, 1, short(48)), (0xA003, 3, 1, short(40))]
    second = [(0x0201, 4, 1, number(420)), (0x0202, 4, 1, number(len(THUMBNAIL)))]
    data = bytearray(420) + THUMBNAIL
    for at, part in (
        (0, head),
        (8, directory(order, 8, first, 370)),
        (200, directory(order, 200, exif)),
        (300, struct.pack(f"{order}IIII", 300, 1, 200, 1)),
        (330, NOTE),
        (370, directory(order, 370, second)),
    ):
        data[at : at + len(part)] = part
    return bytes(data)


ODD = {
    "nothing odd": (),
    "type that is none": ((0x9999, 200, 1, b"what"),),
    "too long for the block": ((0x013B, 2, 2**31, b"\0\0\1\0"),),
    "number for a text": ((0x013B, 4, 1, b"\1\0\0\0"),),
    "text for a number": ((0x0128, 2, 3, b"in\0\0"),),
    "text for a place": ((0x8825, 2, 4, b"GPS\0"),),
}


@pytest.mark.filterwarnings("ignore")  # Pillow warns of broken tags
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
def test_all_but_the_turn_stays_where_it_is(tmp_path, order, odd, suffix):
    data = block(order, odd=ODD[odd])
    (tmp_path / "p.jpg").write_bytes(jpeg(exif=HEAD + data))
    picture = load_picture(tmp_path / "p.jpg")
    assert picture.size == (40, 48), "it is turned"
    write_image(to_levels(picture, picture.rgb), tmp_path / f"out.{suffix}", like=picture)
    with Image.open(tmp_path / f"out.{suffix}") as image:
        kept = image.info["exif"].removeprefix(HEAD)
    assert kept[330 : 330 + len(NOTE)] == NOTE, "to which places point"
    assert b"Ana\0" in kept and b"small" not in kept
    assert RawExif(kept).orientation == 1
    tags = {
        struct.unpack_from(f"{order}H", kept, 10 + 12 * n)[0]
        for n in range(struct.unpack_from(f"{order}H", kept, 8)[0])
    }
    assert 0x0112 not in tags and 0x0103 not in tags and {tag for tag, *_ in ODD[odd]} - {0x0112} <= tags
    sizes = [struct.unpack_from(f"{order}HHII", kept, 202 + 12 * n) for n in (1, 2)]
    assert sizes == [(0xA002, 4, 1, 40), (0xA003, 4, 1, 48)]
    assert load_picture(tmp_path / f"out.{suffix}").size == (40, 48), "and not turned again"


def test_resolutions_change_places_with_the_sides():
    kept = Image.Exif()
    kept.load(RawExif(HEAD + block()).tidy({0x0112}, (40, 48), sideways=True))
    assert (kept[0x011A], kept[0x011B]) == (200, 300)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("suffix", ["tif", "avif"])
def test_formats_that_take_only_what_is_understood(tmp_path, suffix):
    """Their writers parse EXIF data: a picture is never lost to what cannot be parsed."""
    for name, odd in ODD.items():
        (tmp_path / "p.jpg").write_bytes(jpeg(exif=HEAD + block(odd=odd)))
        picture = load_picture(tmp_path / "p.jpg")
        write_image(to_levels(picture, picture.rgb), tmp_path / f"out.{suffix}", like=picture, overwrite=True)
        again = load_picture(tmp_path / f"out.{suffix}")
        assert again.size == (40, 48), name


def test_thousands_of_directories_of_the_camera_are_not_slow():
    """Each entry of the first would have led through all entries of the other."""
    entry = (0x8769, 4, 1, struct.pack("<I", 8))
    data = b"II*\0" + struct.pack("<I", 8) + directory("<", 8, [entry] * 65_000)
    began = time.process_time()
    assert RawExif(data).tidy({0x0112}, (48, 40), sideways=True) is not None
    assert time.process_time() - began < 5


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("value", [(2, 4, b"Ana\0"), (4, 1, struct.pack("<I", 2**31)), (4, 1, struct.pack("<I", 420))])
@pytest.mark.parametrize("group", [0x8769, 0x8825])
def test_a_directory_that_cannot_be_read_costs_no_other_tags(tmp_path, group, value):
    data = b"II*\0" + struct.pack("<I", 8) + directory("<", 8, [(0x010F, 2, 4, b"Ana\0"), (group, *value)])
    (tmp_path / "p.jpg").write_bytes(jpeg(exif=HEAD + data))
    for before, after in (("p.jpg", "q.tif"), ("q.tif", "r.tif"), ("r.tif", "s.jpg")):
        picture = load_picture(tmp_path / before)
        assert b"Ana\0" in picture.exif
        write_image(to_levels(picture, picture.rgb), tmp_path / after, like=picture)
    assert b"Ana\0" in load_picture(tmp_path / "s.jpg").exif


def test_changed_by_its_owner_it_is_as_he_left_it():
    with Image.open(io.BytesIO(jpeg(exif=HEAD + block()))) as image:
        image.load()
        image.getexif()[0x010F] = "Ben"
        assert b"Ben" in load_picture(image).exif


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_bytes_are_trusted(data):
    damaged = bytearray(block(data.draw(st.sampled_from("<>"))))
    for place in data.draw(st.lists(st.integers(0, len(damaged) - 1), max_size=8)):
        damaged[place] = data.draw(st.sampled_from([0, 1, 8, 127, 255]))
    raw = RawExif(bytes(damaged[: data.draw(st.integers(0, len(damaged)))]))
    assert 1 <= raw.orientation <= 8
    if raw.has_tags:
        kept = raw.tidy({0x0112, 0x0103}, (40, 48), sideways=True)
        assert kept is None or RawExif(kept).orientation == 1
