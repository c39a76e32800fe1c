"""What a folder holds beside photographs is passed over with a count, and never a failure of the folder."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from ldrps.folders.find import Found, Wanted, find
from ldrps.image.formats import FORMATS
from ldrps.image.header import is_small


def put(path: Path, size: tuple[int, int] = (48, 40), kind: str = "PNG") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (90, 80, 70)).save(path, kind)
    return path


def names(found: Found) -> list[str]:
    return [job.source.name for job in found.jobs]


@pytest.mark.parametrize("size", [(1, 1), (16, 16), (31, 400), (400, 31)])
@pytest.mark.parametrize(("kind", "suffix"), [("PNG", "png"), ("JPEG", "jpg"), ("GIF", "gif"), ("TIFF", "tif")])
def test_icons_are_passed_over_and_counted(tmp_path: Path, size: tuple[int, int], kind: str, suffix: str) -> None:
    put(tmp_path / "in" / f"icon.{suffix}", size, kind)
    put(tmp_path / "in" / "photo.png", (32, 32))
    found = find(Wanted([tmp_path / "in"], tmp_path / "out"))
    assert names(found) == ["photo.png"] and found.clashes == [] and found.others == 0
    assert found.notes == ["1 picture below 32 pixels a side passed over"]


def test_an_icon_that_is_named_is_taken_to_be_told_why_not(tmp_path: Path) -> None:
    icon = put(tmp_path / "in" / "icon.png", (16, 16))
    assert names(find(Wanted([tmp_path / "in", icon], tmp_path / "out"))) == ["icon.png"]


def test_what_cannot_be_opened_is_no_icon(tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    (tmp_path / "text.png").write_text("text")
    assert names(find(Wanted([tmp_path], tmp_path / "out"))) == ["broken.png", "text.png"]
    assert not is_small(tmp_path / "none.png")


def test_an_icon_that_grows_is_a_picture(tmp_path: Path) -> None:
    """As where a folder is watched: what was seen holds for the file as it was."""
    put(tmp_path / "in" / "a.png", (16, 16))
    assert names(find(Wanted([tmp_path / "in"], tmp_path / "out"))) == []
    put(tmp_path / "in" / "a.png", (64, 64))
    assert names(find(Wanted([tmp_path / "in"], tmp_path / "out"))) == ["a.png"]


@pytest.mark.parametrize(
    "cache",
    ["@eaDir", "__MACOSX", "#recycle", "$RECYCLE.BIN", ".thumbnails", ".AppleDouble", "Catalog Previews.lrdata"],
)
def test_caches_are_not_entered(tmp_path: Path, cache: str) -> None:
    put(tmp_path / "in" / "a.png")
    put(tmp_path / "in" / cache / "a.png" / "SYNOPHOTO_THUMB_M.jpg", kind="JPEG")
    put(tmp_path / "in" / "deep" / cache / "b.png")
    found = find(Wanted([tmp_path / "in"], tmp_path / "out", recursive=True))
    assert names(found) == ["a.png"]
    assert found.notes == [f"2 folders of caches passed over ({cache})"]
    named = find(Wanted([tmp_path / "in" / "deep" / cache], tmp_path / "out"))
    assert names(named) == ["b.png"], "one that is named is meant"


def test_a_file_called_like_a_cache_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "lost+found").write_text("no folder")
    assert find(Wanted([tmp_path], tmp_path / "out")).others == 1


def test_hidden_pictures_and_sidecars_are_counted(tmp_path: Path) -> None:
    for name in ("a.jpg", ".b.jpg", "._a.jpg", ".ldrps-partial-1-ab"):
        put(tmp_path / "in" / name, kind="JPEG")
    for name in ("a.xmp", "a.jpg.xmp", "a.JPG.XMP", "read.me", "Thumbs.db"):
        (tmp_path / "in" / name).write_text("<x/>")
    found = find(Wanted([tmp_path / "in"], tmp_path / "out"))
    assert names(found) == ["a.jpg"] and found.others == 2
    assert [note.split(" passed")[0].split(" (.xmp)")[0] for note in found.notes] == ["1 hidden picture", "3 sidecars"]


@pytest.mark.parametrize("suffix", ["jfif", "jpe", "jif", "mpo", "JPE", "avifs", "dib", "apng"])
def test_other_names_of_our_formats_are_kept(tmp_path: Path, suffix: str) -> None:
    from ldrps.image.picture import load_picture, to_levels
    from ldrps.image.write import write_image

    put(tmp_path / f"a.{suffix}", kind=FORMATS[f".{suffix.lower()}"])
    (job,) = find(Wanted([tmp_path], tmp_path / "out")).jobs
    assert job.target == tmp_path / "out" / f"a.{suffix}"
    picture = load_picture(job.source)
    write_image(to_levels(picture, picture.rgb), job.target, like=picture)
    assert Image.open(io.BytesIO(job.target.read_bytes())).format == FORMATS[f".{suffix.lower()}"]


@pytest.mark.parametrize("suffix", ["gif", "heic", "heics", "hif"])
def test_what_is_only_read_becomes_png(tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"a.{suffix}").touch()
    (job,) = find(Wanted([tmp_path], tmp_path / "out")).jobs
    assert job.target.name == f"a.{suffix}.png"


@pytest.mark.parametrize(
    ("one", "other"), [("a.JPG", "a.jpg"), ("\u00c4.png", "\u00e4.png"), ("\u00e4.png", "a\u0308.png")]
)
def test_twins_by_case_clash_where_cases_are_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, one: str, other: str
) -> None:
    """As from a camera's card, copied on Linux, with results on a disk of macOS or Windows."""
    for name in (one, other):
        (tmp_path / "in").mkdir(exist_ok=True)
        (tmp_path / "in" / name).touch()
    wanted = Wanted([tmp_path / "in"], tmp_path / "out")
    assert len(find(wanted).jobs) == 2 and find(wanted).clashes == []
    monkeypatch.setattr("ldrps.image.files.folds_case", lambda folder: True)
    found = find(wanted)
    assert len(found.jobs) == 1
    ((_, reason),) = found.clashes
    assert "would both become" in reason and "rename one" in reason


def test_one_stem_in_two_formats_makes_two_results(tmp_path: Path) -> None:
    for name in ("a.jpg", "a.png", "a.gif", "a.heic"):
        (tmp_path / name).touch()
    found = find(Wanted([tmp_path], tmp_path / "out"))
    assert {job.target.name for job in found.jobs} == {"a.jpg", "a.png", "a.gif.png", "a.heic.png"}
