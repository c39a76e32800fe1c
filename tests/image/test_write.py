"""write_image: formats, metadata, and never half a file."""

from __future__ import annotations

import errno
import logging
import os

import numpy as np
import pytest
from PIL import ExifTags, Image

from ldrps.errors import OutputError
from ldrps.image.picture import load_picture, to_image
from ldrps.image.write import check_output, write_image

SUFFIXES = [".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp"]


def partials(folder):
    return [name for name in os.listdir(folder) if "partial" in name]


@pytest.mark.parametrize("suffix", [*SUFFIXES, ".PNG", ".JpG"])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_format_by_suffix(tmp_path, photo, suffix, mode):
    path = tmp_path / f"out{suffix}"
    image = photo(mode=mode).resize((192, 160), Image.Resampling.BICUBIC)  # smooth: lossy formats stay near
    write_image(image, path)
    with Image.open(path) as back:
        kind = suffix.lower()[1:].replace("jpg", "jpeg").replace("tiff", "tif").replace("tif", "tiff")
        assert back.format == kind.upper()
        assert back.mode == ("RGB" if kind == "webp" else mode)
        error = np.abs(np.asarray(back.convert(mode), int) - np.asarray(image)).mean()
    assert error < {"webp": 9, "jpeg": 3}.get(kind, 1e-9)
    assert os.listdir(tmp_path) == [path.name]


def test_jpeg_is_not_subsampled(tmp_path, photo):
    write_image(photo(), tmp_path / "p.jpg")
    with Image.open(tmp_path / "p.jpg") as back:
        assert [layer[1:3] for layer in back.layer] == [(1, 1)] * 3
        assert max(back.quantization[0]) <= 12  # quality 95


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
@pytest.mark.parametrize("suffix", [".png", ".webp", ".tif"])
def test_alpha_is_written(tmp_path, photo, mode, suffix):
    source = photo(mode=mode)
    write_image(source, tmp_path / f"p{suffix}")
    with Image.open(tmp_path / f"p{suffix}") as back:
        assert back.mode == ("RGBA" if suffix == ".webp" else mode)
        assert back.getchannel("A").tobytes() == source.getchannel("A").tobytes()


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
@pytest.mark.parametrize("suffix", [".jpg", ".jpeg", ".bmp"])
def test_alpha_where_there_is_no_room(tmp_path, photo, mode, suffix):
    with pytest.raises(OutputError, match=r"no room for the picture's alpha: use \.png"):
        write_image(photo(mode=mode), tmp_path / "new" / f"p{suffix}")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("name", ["p.gif", "p.txt", "p", "p.png.bak", ".png"])
def test_other_suffixes(tmp_path, photo, name):
    with pytest.raises(OutputError, match=r"not one of \.png \.jpg \.jpeg \.webp \.avif \.tif \.tiff \.bmp"):
        write_image(photo(), tmp_path / name)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("mode", ["P", "CMYK", "I;16", "F"])
def test_other_modes(tmp_path, photo, mode):
    image = Image.new(mode, (40, 40))
    with pytest.raises(OutputError, match=f"mode {mode}: convert it to RGB"):
        write_image(image, tmp_path / "p.png")


def test_too_wide_for_webp(tmp_path):
    with pytest.raises(OutputError, match=r"as WEBP \(.*16383.*\): use \.png"):
        write_image(Image.new("L", (16384, 32)), tmp_path / "p.webp")
    assert os.listdir(tmp_path) == []


# Metadata


@pytest.fixture
def dressed(tmp_path, photo):
    from PIL import ImageCms

    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    exif[ExifTags.Base.Artist] = "Ana"
    exif[ExifTags.IFD.Exif] = {ExifTags.Base.DateTimeOriginal: "2026:11:23 10:11:12"}
    exif[ExifTags.IFD.GPSInfo] = {1: "N", 2: (48.0, 8.0, 14.0)}
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    path = tmp_path / "source.jpg"
    photo().save(path, exif=exif, icc_profile=profile)
    return load_picture(path)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif"])
def test_exif_and_profile_are_carried_over(tmp_path, dressed, suffix):
    path = tmp_path / f"out{suffix}"
    write_image(to_image(dressed, dressed.rgb), path, like=dressed)
    with Image.open(path) as back:
        back.load()
        assert back.info["icc_profile"] == dressed.icc_profile
        exif = back.getexif()
        assert exif.get(ExifTags.Base.Orientation, 1) == 1
        assert exif[ExifTags.Base.Artist] == "Ana"
        assert exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] == "2026:11:23 10:11:12"
        assert exif.get_ifd(ExifTags.IFD.GPSInfo)[2] == (48.0, 8.0, 14.0)
        assert back.size == (40, 48)  # turned once, and no tag to turn it again
    again = load_picture(path)
    assert again.size == dressed.size
    assert again.icc_profile == dressed.icc_profile


def test_without_like_only_the_images_profile_is_kept(tmp_path, dressed):
    image = to_image(dressed, dressed.rgb)
    for name in ("a.png", "a.jpg", "a.webp", "a.tif"):
        write_image(image, tmp_path / name)
        with Image.open(tmp_path / name) as back:
            assert back.info["icc_profile"] == dressed.icc_profile
            assert ExifTags.Base.Artist not in back.getexif()


def test_profile_of_like_wins(tmp_path, dressed, photo):
    image = photo()
    image.info["icc_profile"] = b"another"
    plain = load_picture(photo())
    for name in ("a.png", "a.jpg", "a.webp", "a.tif"):
        write_image(image, tmp_path / name, like=plain)
        with Image.open(tmp_path / name) as back:
            assert not back.info.get("icc_profile")


def test_exif_that_no_jpeg_can_hold_is_left_out_with_a_warning(tmp_path, photo, caplog):
    source = photo()
    exif = Image.Exif()
    exif[ExifTags.Base.ImageDescription] = "x" * 70_000
    source.info["exif"] = exif.tobytes()
    picture = load_picture(source)
    with caplog.at_level(logging.WARNING, "ldrps"):
        write_image(source, tmp_path / "p.jpg", like=picture)
    assert "EXIF data are left out" in caplog.text
    assert load_picture(tmp_path / "p.jpg").size == (48, 40)
    write_image(source, tmp_path / "p.png", like=picture)
    assert len(load_picture(tmp_path / "p.png").exif) > 70_000


# Places


def test_existing_file_is_kept_before_any_work(tmp_path, photo, monkeypatch):
    path = tmp_path / "p.png"
    path.write_bytes(b"precious")
    monkeypatch.setattr(Image.Image, "save", lambda *a, **k: pytest.fail("encoded in vain"))
    with pytest.raises(OutputError, match=r"p\.png exists: give overwrite=True to replace it"):
        write_image(photo(), path)
    assert path.read_bytes() == b"precious"
    assert os.listdir(tmp_path) == ["p.png"]


def test_overwrite(tmp_path, photo):
    path = tmp_path / "p.png"
    path.write_bytes(b"precious")
    write_image(photo(), path, overwrite=True)
    assert load_picture(path).size == (48, 40)
    assert os.listdir(tmp_path) == ["p.png"]


def test_file_that_appears_during_the_work_is_kept(tmp_path, photo, monkeypatch):
    path = tmp_path / "p.png"
    save = Image.Image.save

    def slow_save(self, *args, **options):
        save(self, *args, **options)
        path.write_bytes(b"another process was quicker")

    monkeypatch.setattr(Image.Image, "save", slow_save)
    with pytest.raises(OutputError, match="exists"):
        write_image(photo(), path)
    assert path.read_bytes() == b"another process was quicker"
    assert partials(tmp_path) == []


def test_missing_folders_are_made(tmp_path, photo):
    write_image(photo(), tmp_path / "a" / "b c" / "p.png")
    assert load_picture(tmp_path / "a" / "b c" / "p.png").size == (48, 40)


def test_folder_that_cannot_be(tmp_path, photo, monkeypatch):
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match="cannot write"):
        write_image(photo(), tmp_path / "file" / "p.png")
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(OutputError, match="is a folder: name a file in it"):
        write_image(photo(), tmp_path / "folder.png", overwrite=True)
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere" / "at all")
    with pytest.raises(OutputError, match="cannot make the folder"):
        write_image(photo(), tmp_path / "dangling" / "p.png")
    monkeypatch.setattr(os, "access", lambda *a: False)  # root may write anywhere, so a mode would not do
    with pytest.raises(OutputError, match="not a folder that may be written"):
        check_output(tmp_path / "p.png")


@pytest.mark.parametrize("name", ["n" * 252 + ".png", "null\0.png"])
def test_impossible_names(tmp_path, photo, name):
    with pytest.raises(OutputError, match="choose another name"):
        write_image(photo(), tmp_path / name)


@pytest.mark.parametrize(
    "name", ["with space.png", "🐻‍❄️ 写真.png", "a.b.c.png", "-.png", "n" * 251 + ".png", "é" * 125 + ".png"]
)
def test_names(tmp_path, photo, name):
    write_image(photo(), tmp_path / name)
    assert os.listdir(tmp_path) == [name]
    assert load_picture(tmp_path / name).size == (48, 40)
    write_image(photo(), tmp_path / name, overwrite=True)


def test_relative_path(tmp_path, photo, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_image(photo(), "p.png")
    write_image(photo(), "new/p.png")
    assert load_picture("new/p.png").size == (48, 40)


def test_check_output_touches_nothing(tmp_path):
    check_output(tmp_path / "a" / "b" / "p.png")
    check_output(str(tmp_path / "p.jpg"))
    assert os.listdir(tmp_path) == []


def test_full_disk(tmp_path, photo, monkeypatch):
    path = tmp_path / "p.png"
    path.write_bytes(b"precious")

    def full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match=r"cannot write .*p\.png: No space left on device"):
        write_image(photo(), path, overwrite=True)
    assert path.read_bytes() == b"precious"
    assert os.listdir(tmp_path) == ["p.png"]
