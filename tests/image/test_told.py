"""Colours that are told by numbers: HDR is refused, other colours are followed and said again, and nothing lies.

Families of upscayl#1265, image-rs#2619 and w3c/png#365.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import io
import json
import struct
import sys
import zlib
from types import ModuleType

import numpy as np
import pytest
from conftest import unchanged
from containers import GAIN_MAP, PACKET, box, coded_avif, coded_png, heic_boxes, photo
from PIL import Image, ImageCms
from torture_parts import DISPLAY_P3, deep_png, png_chunk, png_with, rgb_profile

from ldrps.errors import InputError
from ldrps.image.boxes import NO_FACTS, read_boxes
from ldrps.image.code_points import CodePoints
from ldrps.image.header import read_size
from ldrps.image.picture import load_picture, to_levels
from ldrps.image.png_chunks import read_chunks


def read(data, folder, name="p.png"):
    (folder / name).write_bytes(data)
    return load_picture(folder / name)


def saved(picture, path, **options):
    levels = to_levels(picture, picture.rgb * 0.9)
    dataclasses.replace(unchanged(picture), levels=levels).save(path, overwrite=True, **options)
    return path.read_bytes(), json.loads(path.with_name(f"{path.name}.json").read_text())["left_out"]


def plain(mode="RGB"):
    buffer = io.BytesIO()
    photo().convert(mode).save(buffer, "PNG")
    return buffer.getvalue()


def chunks_of(data):
    found = {}
    at = 8
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        found.setdefault(data[at + 4 : at + 8], data[at + 8 : at + 8 + length])
        at += 12 + length
    return found


# HDR


@pytest.mark.parametrize(("transfer", "words"), [(16, "PQ"), (18, "HLG")])
@pytest.mark.parametrize("primaries", [1, 9, 12])
def test_hdr_is_refused_in_words(tmp_path, primaries, transfer, words):
    deep = png_with(deep_png(np.zeros((40, 48, 3), np.uint16)), png_chunk(b"cICP", bytes([primaries, transfer, 0, 1])))
    for data in (coded_png(primaries, transfer), coded_avif(primaries, transfer), deep):
        with pytest.raises(InputError, match=f"is HDR: its levels mean light by {words}.*convert it to SDR"):
            read(data, tmp_path, "p")
        with pytest.raises(InputError, match="is HDR"):
            read_size(tmp_path / "p", 10**6)


def test_a_profile_that_says_it_is_pq(tmp_path):
    profile = bytearray(rgb_profile())
    start = len(profile)
    struct.pack_into(">4sII", profile, 132, b"cicp", start, 12)  # in the place of another tag
    profile += b"cicp" + bytes(4) + bytes([9, 16, 0, 1])
    photo().save(tmp_path / "p.jpg", icc_profile=bytes(profile))
    with pytest.raises(InputError, match="is HDR"):
        load_picture(tmp_path / "p.jpg")


def test_narrow_levels_are_refused(tmp_path):
    with pytest.raises(InputError, match="narrow range"):
        read(png_with(plain(), png_chunk(b"cICP", bytes([1, 13, 0, 0]))), tmp_path)


# Other colours


@pytest.mark.parametrize("primaries", [1, 5, 6, 9, 11, 12])
@pytest.mark.parametrize("transfer", [1, 4, 8, 13])
def test_code_points_are_followed_and_kept(tmp_path, primaries, transfer):
    picture = read(coded_png(primaries, transfer), tmp_path)
    is_srgb = (primaries, transfer) == (1, 13)
    assert (picture.icc_profile is None) is is_srgb
    if not is_srgb:
        assert bool((picture.rgb != load_picture(photo()).rgb).any())
    assert np.array_equal(to_levels(picture, picture.rgb), np.asarray(photo())), "and its own levels come back"
    data, left_out = saved(picture, tmp_path / "out.png")
    assert chunks_of(data)[b"cICP"] == bytes([primaries, transfer, 0, 1]) and left_out == []
    for suffix in ("jpg", "tif", "webp", "avif"):
        saved(picture, tmp_path / f"out.{suffix}")
        with Image.open(tmp_path / f"out.{suffix}") as image:
            assert image.info.get("icc_profile") == picture.icc_profile, "other formats say it by a profile"
    data, _ = saved(picture, tmp_path / "srgb.png", srgb=True)
    assert b"cICP" not in data, "which would lie after a conversion"


def test_the_profile_of_p3_is_right():
    made = ImageCms.ImageCmsProfile(io.BytesIO(CodePoints(12, 13).profile(3)))
    lights = [made.profile.red_colorant[0], made.profile.green_colorant[0], made.profile.blue_colorant[0]]
    assert np.allclose(lights, DISPLAY_P3, atol=2e-3)
    assert np.allclose(np.sum(lights, 0), (0.9642, 1, 0.8249), atol=1e-3), "white is white"


def test_code_points_count_more_than_a_profile(tmp_path):
    buffer = io.BytesIO()
    photo().save(buffer, "PNG", icc_profile=rgb_profile())
    picture = read(png_with(buffer.getvalue(), png_chunk(b"cICP", bytes([1, 13, 0, 1]))), tmp_path)
    assert picture.profiled is None and picture.icc_profile is None


@pytest.mark.parametrize("points", [(12, 13), (8, 13)])
@pytest.mark.parametrize("suffix", ["png", "jpg", "tif"])
def test_points_profile_and_gamma_together(tmp_path, points, suffix):
    """Points that can be followed, or else the profile; the other one is left out in words, and none twice."""
    told = (png_chunk(b"gAMA", struct.pack(">I", 100_000)), png_chunk(b"cICP", bytes([*points, 0, 1])))
    data = png_with(plain(), *told, png_chunk(b"iCCP", b"p\0\0" + zlib.compress(rgb_profile())))
    picture = read(data, tmp_path)
    known = CodePoints(*points).is_known
    assert picture.icc_profile == (CodePoints(*points).profile(3) if known else rgb_profile())
    out, left_out = saved(picture, tmp_path / f"out.{suffix}")
    assert left_out == ["its colour profile, before which its code points count, is left out"] * known
    assert load_picture(tmp_path / f"out.{suffix}").icc_profile == picture.icc_profile
    assert suffix != "png" or b"gAMA" not in chunks_of(out)


def test_unknown_numbers_are_kept_and_said(tmp_path, caplog):
    picture = read(coded_png(8, 13), tmp_path)
    assert "8, 13 of H.273" in caplog.text
    assert chunks_of(saved(picture, tmp_path / "out.png")[0])[b"cICP"] == bytes([8, 13, 0, 1])


@pytest.mark.parametrize(("primaries", "transfer"), [(12, 13), (9, 13), (1, 8)])
def test_avif_says_it_in_a_box(tmp_path, primaries, transfer):
    picture = read(coded_avif(primaries, transfer), tmp_path, "p.avif")
    assert picture.icc_profile == CodePoints(primaries, transfer).profile(3) and picture.profiled is not None
    assert read(coded_avif(1, 13), tmp_path, "q.avif").icc_profile is None
    assert read(coded_avif(primaries, transfer, icc_profile=rgb_profile()), tmp_path, "r").icc_profile == rgb_profile()


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize(
    ("gamma", "followed"), [(100_000, True), (55_556, True), (45_455, False), (0, False), (9, False)]
)
def test_gamma_of_a_png(tmp_path, mode, gamma, followed):
    picture = read(png_with(plain(mode), png_chunk(b"gAMA", struct.pack(">I", gamma))), tmp_path)
    usual = read(plain(mode), tmp_path)
    assert (picture.profiled is not None) is followed is (picture.icc_profile is not None)
    lighter = float((picture.rgb - usual.rgb).mean())
    assert lighter > 0.03 if followed else lighter == 0
    assert np.array_equal(to_levels(picture, picture.rgb), to_levels(usual, usual.rgb))


@pytest.mark.parametrize("more", [b"sRGB", b"iCCP", b"cICP"])
def test_newer_chunks_count_more_than_gamma(tmp_path, more):
    other = {b"sRGB": b"\0", b"iCCP": b"p\0\0" + zlib.compress(rgb_profile()), b"cICP": bytes([1, 13, 0, 1])}[more]
    data = png_with(plain(), png_chunk(b"gAMA", struct.pack(">I", 100_000)), png_chunk(more, other))
    assert read(data, tmp_path).icc_profile == (rgb_profile() if more == b"iCCP" else None)


def test_corners_of_a_png(tmp_path):
    p3 = struct.pack(">8I", 31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)
    srgb = struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)
    assert read(png_with(plain(), png_chunk(b"cHRM", p3)), tmp_path).profiled is not None
    for corners in (srgb, bytes(32), b"\xff" * 32, p3[:8] * 4):
        assert read(png_with(plain(), png_chunk(b"cHRM", corners)), tmp_path).profiled is None


# What else is in a PNG


def test_texts_of_a_png_stay_texts_of_a_png(tmp_path):
    texts = [(b"tEXt", b"Title\0at the sea"), (b"zTXt", b"Note\0\0" + zlib.compress(b"long"))]
    texts += [(b"iTXt", b"Author\0\0\0\0\0" + "Ána".encode())]
    for data in (plain(), deep_png(np.full((40, 48, 3), 999, np.uint16))):
        picture = read(png_with(data, *(png_chunk(*each) for each in texts)), tmp_path)
        out, left_out = saved(picture, tmp_path / "out.png")
        assert all(png_chunk(*each) in out for each in texts) and left_out == []
        assert saved(picture, tmp_path / "out.jpg")[1] == ["its texts: JPEG has no room for that"]
        assert b"at the sea" not in saved(picture, tmp_path / "out.png", keep_metadata=False)[0]


def test_light_of_a_screen_and_credentials_go_in_words(tmp_path):
    chunks = (png_chunk(b"cLLI", bytes(8)), png_chunk(b"mDCV", bytes(24)), png_chunk(b"caBX", b"c2pa"))
    out, left_out = saved(read(png_with(plain(), *chunks), tmp_path), tmp_path / "out.png")
    assert ["light of a screen" in left_out[0], "vouches" in left_out[1]] == [True, True] and b"c2pa" not in out


# What else is in an AVIF or HEIC


@pytest.mark.parametrize("told", [b"urn:com:apple:photo:2020:aux:hdrgainmap", b"urn:iso:std:iso:ts:21496:gainmap"])
def test_boxes_tell_of_gain_maps_depth_and_videos(told):
    assert read_boxes(io.BytesIO(heic_boxes())) == NO_FACTS
    assert read_boxes(io.BytesIO(heic_boxes(points=(12, 13), bits=10))) == NO_FACTS._replace(
        points=(12, 13, True), bits=10
    )
    assert read_boxes(io.BytesIO(heic_boxes(told=(told,)))).gain_map
    assert read_boxes(io.BytesIO(heic_boxes(kinds=(b"hvc1", b"tmap")))).gain_map
    depth = read_boxes(io.BytesIO(heic_boxes(told=(b"urn:mpeg:hevc:2015:auxid:2",))))
    assert depth.hidden and not depth.gain_map
    assert read_boxes(io.BytesIO(heic_boxes(told=(b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha",)))) == NO_FACTS
    assert read_boxes(io.BytesIO(heic_boxes() + box(b"mpvd", b"video"))).video


def test_damaged_boxes_tell_nothing():
    whole = heic_boxes(points=(9, 16), told=(b"depth",), kinds=(b"tmap",))
    for end in range(len(whole)):
        read_boxes(io.BytesIO(whole[:end]))
    rng = np.random.default_rng(1)
    for _ in range(300):
        damaged = bytearray(whole)
        for place in rng.integers(0, len(whole), 3):
            damaged[place] = rng.choice([0, 1, 8, 127, 255])
        read_boxes(io.BytesIO(bytes(damaged)))


@pytest.fixture
def heic(monkeypatch, tmp_path):
    """Writes a HEIC of some boxes, which a stand-in for the decoder shows as a picture: there is no encoder of HEVC."""

    def open_stand_in(file, name):
        image = Image.open(io.BytesIO(plain()))
        image.format = "HEIF"
        image.info["xmp"] = PACKET % (
            GAIN_MAP + b' xmlns:c="http://ns.google.com/photos/1.0/camera/" c:MotionPhoto="1"',
            b"",
        )
        return image

    extra = ModuleType("pi_heif")
    extra.HeifImageFile = open_stand_in
    monkeypatch.setitem(sys.modules, "pi_heif", extra)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: extra)

    def write(**boxes):
        (tmp_path / "p.heic").write_bytes(heic_boxes(**boxes) + box(b"mpvd", b"video"))
        return tmp_path / "p.heic"

    return write


def test_what_a_heic_loses_is_said_and_no_tag_tells_of_it(heic, tmp_path):
    picture = load_picture(heic(points=(12, 13), kinds=(b"tmap",), told=(b"depth",)))
    assert picture.icc_profile == CodePoints(12, 13).profile(3)
    out, left_out = saved(picture, tmp_path / "out.png")
    assert [each.split(" is left out")[0] for each in left_out] == [
        "its gain map",
        "a map of depth, or another picture for programs,",
        "its video",
    ]
    assert b"hdrgm" not in out and b"MotionPhoto" not in out and b"at the sea" in out


def test_hdr_of_a_heic_is_refused_and_many_bits_are_said(heic, caplog):
    with pytest.raises(InputError, match="HLG"):
        load_picture(heic(points=(9, 18)))
    load_picture(heic(points=(12, 13), bits=10))
    assert "10 bits a channel: it is read as 8 bits" in caplog.text


def test_chunks_of_a_cut_png():
    whole = coded_png(12, 13, png_chunk(b"tEXt", b"a\0b"))
    for end in range(8, len(whole), 7):
        read_chunks(io.BytesIO(whole[:end]))
