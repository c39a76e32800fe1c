"""What a JPEG carries beside its picture comes out whole, or is left out in words and with all that tells of it.

Families of Pillow#8036, mozjpeg#451, sharp#4314 and libvips#3799 (gain maps), MotionPhoto2#60 and exiv2#3016 (videos).
"""

from __future__ import annotations

import dataclasses
import io
import json
import struct
import time

import containers
import numpy as np
import pytest
from conftest import unchanged
from containers import (
    VIDEO,
    gain_map_jpeg,
    jpeg,
    motion_photo,
    photoshop,
    segment,
    ultra_hdr,
    with_others,
    with_segments,
)
from PIL import Image

from ldrps.errors import InputError
from ldrps.image import xmp
from ldrps.image.cargo import NO_CARGO, look_behind
from ldrps.image.carry import load_up
from ldrps.image.jpeg_parts import split_jpeg
from ldrps.image.picture import load_picture, to_levels
from ldrps.image.write import write_image


def saved(data, folder, suffix="jpg", *, change="denoised", source="jpg", **options):
    """The bytes and the losses of the result of a method that denoises, or that makes all darker."""
    path = folder / f"source.{source}"
    path.write_bytes(data)
    picture = load_picture(path)
    levels = to_levels(picture, picture.rgb * (0.8 if change == "darker" else 1))
    if change == "denoised":
        levels = levels.copy()
        levels[::2, ::2] = np.clip(levels[::2, ::2].astype(int) + 1, 0, 255)
    result = dataclasses.replace(unchanged(picture), levels=levels)
    out = result.save(folder / f"result.{suffix}", overwrite=True, **options)
    return out.read_bytes(), json.loads(out.with_name(f"{out.name}.json").read_text())["left_out"]


def behind(data):
    with Image.open(io.BytesIO(data)) as image:
        return look_behind(data, image)


def indexed(data):
    """The files that the index of a JPEG leads to, by its own places and lengths."""
    at = data.index(b"MPF\0") + 4
    count = struct.unpack_from("<H", data, at + 8)[0]
    tags = {struct.unpack_from("<H", data, at + 10 + 12 * n)[0]: at + 10 + 12 * n for n in range(count)}
    number = struct.unpack_from("<I", data, tags[0xB001] + 8)[0]
    entries = at + struct.unpack_from("<I", data, tags[0xB002] + 8)[0]
    found = []
    for n in range(number):
        _, length, place, _, _ = struct.unpack_from("<IIIHH", data, entries + 16 * n)
        start = at + place if place else 0
        found.append(data[start : start + length])
    return found


# Gain maps


@pytest.mark.parametrize("mpf", [True, False])
@pytest.mark.parametrize("adobe", [True, False])
def test_a_gain_map_is_carried_where_the_tones_stay(tmp_path, mpf, adobe):
    data, left_out = saved(ultra_hdr(mpf=mpf, adobe=adobe), tmp_path)
    first, second = indexed(data)
    assert second == gain_map_jpeg() and left_out == []
    assert split_jpeg(data).end == len(first) and first + second == data
    assert any(each.data.startswith(containers.ISO_HEAD) for each in split_jpeg(first).segments)
    assert (b"hdrgm:Version" in first) is adobe
    assert b'Item:Semantic="GainMap"' in first and b'Length="%d"' % len(second) in first
    again = load_picture(tmp_path / "result.jpg")
    assert again.cargo.gain_map == second, "a second time it is found again"


@pytest.mark.parametrize("turn", [2, 3, 6, 8])
def test_a_gain_map_turns_with_its_picture(tmp_path, turn):
    data, left_out = saved(ultra_hdr(turn), tmp_path)
    first, second = indexed(data)
    assert left_out == [] and b'Length="%d"' % len(second) in first
    assert b'hdrgm:GainMapMax="2.5"' in second and containers.ISO_HEAD + bytes(30) in second
    with Image.open(io.BytesIO(second)) as turned, Image.open(io.BytesIO(gain_map_jpeg())) as lying:
        assert turned.size == ((20, 24) if turn > 4 else (24, 20))
        x, y = {2: (-1, 0), 3: (-1, -1), 6: (-1, 0), 8: (0, -1)}[turn]
        assert turned.getpixel((x % turned.width, y % turned.height)) == pytest.approx(lying.getpixel((0, 0)), abs=4)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"change": "darker"}, "gain map is left out, as it is of the tones before"),
        ({"suffix": "png"}, "gain map: PNG has no room for that"),
        ({"suffix": "webp"}, "gain map: WEBP has no room"),
        ({"keep_metadata": False}, "gain map is left out, as the metadata"),
    ],
)
def test_a_gain_map_goes_with_all_that_tells_of_it(tmp_path, caplog, options, words):
    data, (left_out,) = saved(ultra_hdr(), tmp_path, **options)
    assert words in left_out and left_out in caplog.text
    for trace in (b"hdrgm", b"GainMap", b"MPF\0", b"21496", b"Container:Directory", b"hdr-gain-map"):
        assert trace not in data, trace
    if "keep_metadata" not in options:
        assert b"at the sea" in data
        assert load_picture(tmp_path / f"result.{options.get('suffix', 'jpg')}").cargo.gain_map is None


def test_a_gain_map_of_other_colours_is_not_carried(tmp_path):
    wide = Image.open(io.BytesIO(ultra_hdr()))
    from torture_parts import rgb_profile

    primary = jpeg(containers.photo(), icc_profile=rgb_profile(), xmp=wide.info["xmp"])
    data, (left_out,) = saved(with_others(primary, (0, gain_map_jpeg())), tmp_path, srgb=True)
    assert "of other colours" in left_out and b"hdrgm" not in data
    data, left_out = saved(with_others(primary, (0, gain_map_jpeg())), tmp_path)
    assert left_out == [] and data.endswith(gain_map_jpeg())


def test_a_damaged_gain_map_costs_the_map_not_the_picture(tmp_path):
    broken = with_segments(
        b"\xff\xd8" + segment(0xDB, bytes(5)) + b"\xff\xd9", segment(0xE2, containers.ISO_HEAD + bytes(9))
    )
    exif = Image.Exif()
    exif[0x112] = 6
    data, (left_out,) = saved(with_others(jpeg(exif=exif), (0, broken)), tmp_path)
    assert "a gain map is left out" in left_out and b"21496" not in data


def test_a_gain_map_that_says_it_is_huge_takes_no_memory(tmp_path):
    """A few bytes can say that they are gigabytes of pixels, which would be turned with the picture."""
    huge = bytearray(gain_map_jpeg())
    at = huge.index(b"\xff\xc0") + 5
    huge[at : at + 4] = struct.pack(">HH", 12000, 12000)
    exif = Image.Exif()
    exif[0x112] = 6
    began = time.process_time()
    data, (left_out,) = saved(with_others(jpeg(exif=exif), (0, bytes(huge))), tmp_path)
    assert time.process_time() - began < 5
    assert "a gain map is left out" in left_out and b"21496" not in data


def test_maps_of_depth_and_previews_are_left_out_in_words(tmp_path):
    depth = jpeg(Image.new("L", (32, 32)), xmp=containers.PACKET % (b'a="urn:com:apple:photo:2018:aux:depth"', b""))
    data, left_out = saved(with_others(jpeg(), (0, depth), (0x10002, jpeg())), tmp_path)
    assert [split_jpeg(data).end, b"MPF\0" in data] == [len(data), False]
    assert ["depth" in left_out[0], "previews" in left_out[1]] == [True, True]


# Videos


@pytest.mark.parametrize("micro", [True, False])
@pytest.mark.parametrize("change", ["darker", "denoised"])
def test_a_video_stays_behind_its_picture(tmp_path, micro, change):
    data, left_out = saved(motion_photo(micro=micro), tmp_path, change=change)
    assert data.endswith(VIDEO) and left_out == []
    assert b"Offset" in data if micro else b'GCamera:MotionPhoto="1"' in data
    assert b'"%d"' % len(VIDEO) in data, "and where it is, counted from the end, is still true"


def test_samsungs_list_leads_to_the_video_from_the_end(tmp_path):
    data, left_out = saved(jpeg() + containers.samsung_trailer(), tmp_path)
    assert data.endswith(containers.samsung_trailer()) and left_out == []


@pytest.mark.parametrize("kind", [0, 0x10001, 0x20001, 0x20003])
def test_a_video_of_samsung_behind_several_pictures(tmp_path, kind):
    """The pictures are carried, left out or refused by what they are; the video stays at the end, where it is found."""
    other = gain_map_jpeg() if kind == 0 else jpeg()
    source = with_others(jpeg(), (kind, other)) + containers.samsung_trailer()
    path = tmp_path / "source.jpg"
    path.write_bytes(source)
    if kind >= 0x20000:
        with pytest.raises(InputError, match="2 pictures"):
            load_picture(path)
        picture = load_picture(path, first_frame=True)
        assert picture.cargo.lost == ("what follows the first of its 2 pictures",)
        out = tmp_path / "first.jpg"
        write_image(to_levels(picture, picture.rgb), out, like=picture)
        assert out.read_bytes().endswith(containers.samsung_trailer()) and behind(out.read_bytes()).pictures == 0
        return
    data, left_out = saved(source, tmp_path)
    assert data.endswith(containers.samsung_trailer()) and behind(data).trailer == containers.samsung_trailer()
    assert (behind(data).gain_map == other and left_out == []) if kind == 0 else "previews" in left_out[0]


def test_a_gain_map_and_a_video(tmp_path):
    data, left_out = saved(ultra_hdr(6, VIDEO), tmp_path)
    found = behind(data)
    assert found.gain_map == indexed(data)[1] and found.trailer == VIDEO and left_out == []
    data, (left_out,) = saved(ultra_hdr(6, VIDEO), tmp_path, change="darker")
    assert behind(data).trailer == VIDEO and b"hdrgm" not in data and "gain map" in left_out
    assert b'Item:Semantic="MotionPhoto"' in data and b"GainMap" not in data


@pytest.mark.parametrize("micro", [True, False])
@pytest.mark.parametrize("suffix", ["png", "webp", "avif", "tif"])
def test_a_video_without_room_takes_its_flags_along(tmp_path, micro, suffix):
    data, (left_out,) = saved(motion_photo(micro=micro), tmp_path, suffix)
    assert f"video: {load_name(suffix)} has no room" in left_out
    for trace in (VIDEO, b"MotionPhoto", b"MicroVideo", b"Container:Directory"):
        assert trace not in data, trace
    assert b"at the sea" in data


def load_name(suffix):
    return {"tif": "TIFF"}.get(suffix, suffix.upper())


def test_stripping_takes_all_of_it_unasked(tmp_path):
    data, left_out = saved(motion_photo(), tmp_path, keep_metadata=False)
    assert VIDEO not in data and b"MotionPhoto" not in data and left_out == []


# Captions, comments, notes


def test_iptc_stays_and_what_would_lie_goes(tmp_path):
    caption, thumbnail, path = (0x0404, b"\x1c\x02\x78\0\3sea"), (0x040C, b"small picture"), (0x07D1, b"outline ")
    source = with_segments(jpeg(), segment(0xED, photoshop(caption, thumbnail, path)))
    data, left_out = saved(source, tmp_path)
    assert photoshop(caption, path) in data and b"small picture" not in data and left_out == []
    data, left_out = saved(source, tmp_path, "tif")
    assert photoshop(caption, path)[14:] in data and left_out == []
    assert photoshop(caption, path) in saved(data, tmp_path, "jpg", source="tif")[0]
    assert saved(source, tmp_path, "png")[1] == ["its IPTC data: PNG has no room for that"]


def test_paths_of_a_picture_that_is_turned_go(tmp_path):
    exif = Image.Exif()
    exif[0x112] = 6
    block = photoshop((0x0404, b"\x1c\x02\x78\0\3sea"), (0x07D1, b"outline "))
    data, _ = saved(with_segments(jpeg(exif=exif), segment(0xED, block)), tmp_path)
    assert b"\3sea" in data and b"outline" not in data


def test_comments_notes_and_the_rest_of_xmp_stay(tmp_path):
    note = b'xmlns:n="http://ns.adobe.com/xmp/note/" n:HasExtendedXMP="' + b"A" * 32 + b'"'
    extension = containers.EXTENDED_HEAD + b"A" * 32 + struct.pack(">II", 10, 0) + b"0123456789"
    source = with_segments(
        jpeg(xmp=containers.PACKET % (note, b"")),
        *(segment(0xE1, extension), segment(0xFE, b"by hand"), segment(0xE3, b"META\0heat")),
    )
    data, left_out = saved(source, tmp_path)
    assert all(each in data for each in (extension, b"by hand", b"META\0heat", b"HasExtendedXMP")) and left_out == []
    data, (left_out,) = saved(source, tmp_path, "webp")
    assert b"HasExtendedXMP" not in data and b"at the sea" in data and "comments and notes" in left_out
    data, left_out = saved(source, tmp_path, keep_metadata=False)
    assert not any(each in data for each in (extension, b"by hand", b"META", b"at the sea")) and left_out == []


def test_credentials_of_other_bytes_are_not_carried(tmp_path):
    data, (left_out,) = saved(with_segments(jpeg(), segment(0xEB, b"JP\0\1jumb c2pa")), tmp_path)
    assert b"c2pa" not in data and "vouches" in left_out


def test_an_unchanged_file_keeps_all(tmp_path):
    for data in (ultra_hdr(6, VIDEO), motion_photo(), jpeg() + containers.samsung_trailer()):
        path = tmp_path / "source.jpg"
        path.write_bytes(data)
        assert unchanged(load_picture(path)).save(tmp_path / "same.jpg", overwrite=True).read_bytes() == data


def test_elements_and_other_prefixes_are_found_too():
    packet = (
        b'<r xmlns:g="http://ns.adobe.com/hdr-gain-map/1.0/" xmlns:c="http://ns.google.com/photos/1.0/camera/" '
        b"c:MotionPhoto = '1' c:Other='2'><g:Version>1.0</g:Version>"
        b"<g:Max><rdf:Seq><rdf:li>1</rdf:li></rdf:Seq></g:Max>"
        b"<c:MicroVideoOffset>7</c:MicroVideoOffset><g:Min/></r>"
    )
    load = load_up(NO_CARGO, packet, "PNG", same_tones=True, strip=False)
    assert load.xmp == b"<r xmlns:c=\"http://ns.google.com/photos/1.0/camera/\" c:Other='2'></r>"


SLOW = [b"<g:Max>", b"<xmp:Thumbnails>", b"<g:Max ", b" ", b"<Container:Directory><rdf:li>", b" g:a=", b'"']


@pytest.mark.parametrize("piece", SLOW)
def test_packets_made_to_be_slow_are_not(piece):
    """Seconds of a processor; patterns that look for an end that is not there would take hours."""
    head = b'<r xmlns:g="http://ns.adobe.com/hdr-gain-map/1.0/" a="http://ns.google.com/photos/1.0/container/">'
    began = time.process_time()
    load_up(NO_CARGO, xmp.tidied(head + piece * (2_000_000 // len(piece))), "PNG", same_tones=True, strip=False)
    assert time.process_time() - began < 5


def test_prefixes_made_to_be_slow_are_not():
    names = b" ".join(
        b'xmlns:a%d="http://ns.google.com/photos/1.0/camera/" a%d:MotionPhoto="1"' % (n, n) for n in range(20_000)
    )
    began = time.process_time()
    assert xmp.without_motion(b"<r " + names + b"/>") == b"<r/>"
    assert time.process_time() - began < 5


@pytest.mark.parametrize("piece", [b"\xff\xd8\xff\xd9", b"\xff\xd8\xff\xd9\0", b"\xff\xd8\xff\xff\xff\xd9"])
def test_thousands_of_pictures_are_not_slow(piece):
    """Each would have copied all that follow it."""
    began = time.process_time()
    data = jpeg() + piece * (2_000_000 // len(piece)) + VIDEO
    found = behind(data)
    filling = piece[len(piece.rstrip(b"\0")) :]  # which may be the trailer's own
    assert found.previews == 2_000_000 // len(piece) and found.trailer == filling + VIDEO
    assert time.process_time() - began < 10


def test_a_long_filling_between_codes_is_not_slow():
    began = time.process_time()
    head = jpeg()[:-2]
    for end in (b"\0", b"\xd0", b""):
        assert split_jpeg(head + b"\xff" * 2_000_000 + end) is None
    assert split_jpeg(head + b"\xff" * 2_000_000 + b"\xd9").end == len(head) + 2_000_001
    assert time.process_time() - began < 5
