"""Files of several pictures: refused in words, or the first alone, where that is asked for.

Family of upscayl#1036 and pixel-scaler#8.
"""

from __future__ import annotations

import io
import json
import struct
import time

import numpy as np
import pytest
import tifffile
from conftest import unchanged
from containers import jpeg, photo, with_others
from PIL import Image
from torture_parts import rgb_profile

from ldrps.errors import InputError
from ldrps.image.header import read_size
from ldrps.image.picture import load_picture
from ldrps.image.tiff_pages import count_pages

SEVERAL = {
    "GIF": "frames",
    "WEBP": "2 frames",
    "PNG": "2 frames",
    "AVIF": "2 frames",
    "TIFF": "2 pages",
    "MPO": "2 pictures",
}


def several(kind, folder):
    path = folder / f"film.{kind.lower().replace('mpo', 'jpg')}"
    photo().save(path, kind, save_all=True, append_images=[photo().rotate(180)])
    return path


@pytest.mark.parametrize("kind", SEVERAL)
def test_refused_with_what_would_be_lost(tmp_path, kind):
    path = several(kind, tmp_path)
    for read in (load_picture, lambda path: read_size(path, 10**6)):
        with pytest.raises(InputError, match=f"{SEVERAL[kind]}, of which only the first .*first_frame=True") as error:
            read(path)
        assert error.value.on_command_line.endswith("--first-frame")


@pytest.mark.parametrize("kind", SEVERAL)
def test_the_first_alone_where_it_is_asked_for(tmp_path, kind):
    path = several(kind, tmp_path)
    assert read_size(path, 10**6, first_frame=True) == (48, 40)
    picture = load_picture(path, first_frame=True)
    assert np.abs(np.asarray(picture.rgb[0, :, 0, 0] * 255) - np.asarray(photo())[0, 0]).max() < 40
    out = unchanged(picture).save(tmp_path / f"first{path.suffix.replace('gif', 'png')}")
    assert load_picture(out).size == (48, 40), "it is one picture"
    assert "what follows the first of its" in json.loads(out.with_name(f"{out.name}.json").read_text())["left_out"][0]


def test_pages_of_a_deep_tiff(tmp_path):
    tifffile.imwrite(tmp_path / "p.tif", np.zeros((3, 40, 48, 3), np.uint16), photometric="rgb")
    with pytest.raises(InputError, match="3 pages"):
        load_picture(tmp_path / "p.tif")
    assert load_picture(tmp_path / "p.tif", first_frame=True).bits == 16


def test_a_copy_in_small_is_no_page(tmp_path):
    with tifffile.TiffWriter(tmp_path / "p.tif") as tiff:
        tiff.write(np.asarray(photo()), photometric="rgb")
        tiff.write(np.asarray(photo())[::2, ::2], photometric="rgb", subfiletype=1)
    picture = load_picture(tmp_path / "p.tif")
    assert "previews" in picture.cargo.lost[0]
    assert unchanged(picture).save(tmp_path / "same.tif").read_bytes() == (tmp_path / "p.tif").read_bytes()


def test_directories_that_lie_over_one_another_are_not_slow():
    """A chain of them would have read a hundred thousand times what the file has."""
    links, entries = 50_000, 65_535
    data = bytearray(8 + 4 * links + 2 + 12 * entries + 8)
    data[:8] = b"II*\0" + struct.pack("<I", 8)
    for at in range(8, 8 + 4 * links, 4):
        struct.pack_into("<H", data, at, entries)
        struct.pack_into("<I", data, at + 2 + 12 * entries, at + 4)
    began = time.process_time()
    assert count_pages(io.BytesIO(data))[0] <= 2
    assert time.process_time() - began < 5


@pytest.mark.parametrize("place", [2**64 - 1, 2**63, 2**40])
def test_a_chain_that_leads_out_of_the_file_ends_there(tmp_path, place):
    """A place of 64 bits is more than files can be asked for."""
    tifffile.imwrite(tmp_path / "p.tif", np.zeros((40, 48, 3), np.uint8), photometric="rgb", bigtiff=True)
    data = bytearray((tmp_path / "p.tif").read_bytes())
    first = int.from_bytes(data[8:16], "little")
    entries = int.from_bytes(data[first : first + 8], "little")
    struct.pack_into("<Q", data, first + 8 + 20 * entries, place)
    (tmp_path / "p.tif").write_bytes(data)
    assert load_picture(tmp_path / "p.tif").size == (48, 40)


@pytest.mark.parametrize("kind", ["WEBP", "AVIF", "PNG"])
def test_the_first_of_an_animation_keeps_what_it_says(tmp_path, kind):
    exif = Image.Exif()
    exif[0x13B] = "Ana"
    tags = {"exif": exif.tobytes(), "icc_profile": rgb_profile()} | ({} if kind == "PNG" else {"xmp": b"<x:xmpmeta/>"})
    path = tmp_path / f"film.{kind.lower()}"
    photo().save(path, kind, save_all=True, append_images=[photo().rotate(turn) for turn in (90, 180)], **tags)
    with pytest.raises(InputError, match="3 frames"):
        load_picture(path)
    picture = load_picture(path, first_frame=True)
    assert b"Ana" in picture.exif and picture.icc_profile == rgb_profile()
    assert kind == "PNG" or picture.xmp == b"<x:xmpmeta/>"
    out = unchanged(picture).save(tmp_path / f"first.{kind.lower()}")
    left_out = json.loads(out.with_name(f"{out.name}.json").read_text())["left_out"]
    assert left_out == ["what follows the first of its 3 frames is left out"]
    again = load_picture(out)
    assert b"Ana" in again.exif and again.icc_profile == rgb_profile() and again.xmp == picture.xmp


@pytest.mark.parametrize("kind", [0x10001, 0x10002])
def test_nor_are_the_previews_of_cameras(tmp_path, kind):
    (tmp_path / "p.jpg").write_bytes(with_others(jpeg(), (kind, jpeg())))
    assert load_picture(tmp_path / "p.jpg").size == (48, 40)


@pytest.mark.parametrize("kind", [0x20001, 0x20002, 0x20003])
def test_panoramas_pairs_and_angles_are_several(tmp_path, kind):
    (tmp_path / "p.mpo").write_bytes(with_others(jpeg(), (kind, jpeg())))
    with pytest.raises(InputError, match="2 pictures"):
        load_picture(tmp_path / "p.mpo")


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "AVIF", "TIFF"])
def test_one_frame_is_a_picture(tmp_path, kind):
    photo().save(tmp_path / "p", kind, save_all=True)
    assert load_picture(tmp_path / "p").size == (48, 40)


def test_a_pil_image_is_the_frame_that_it_shows():
    buffer = io.BytesIO()
    photo().save(buffer, "TIFF", save_all=True, append_images=[photo(64, 50)])
    with Image.open(buffer) as image:
        image.seek(1)
        assert load_picture(image).size == (64, 50)
