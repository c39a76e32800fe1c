"""What is taken from folders, what is not, and where the results go."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from ldrps.errors import InputError
from ldrps.folders.find import Found, Wanted, find
from ldrps.folders.looking import parted
from ldrps.folders.names import MANIFEST
from ldrps.run.job import Job


def fill(folder: Path, names: Sequence[str]) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return folder


def targets(found: Found, out: Path) -> list[str]:
    return [job.target.relative_to(out).as_posix() for job in found.jobs]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def test_the_tree_is_mirrored(tmp_path: Path, out: Path) -> None:
    folder = fill(tmp_path / "in", ["b.jpg", "a.PNG", "z/y/c.tif", "z/d.gif", "read.me", "noext", "A/e.webp"])
    flat = find(Wanted([folder], out))
    assert targets(flat, out) == ["a.PNG", "b.jpg"] and flat.others == 2
    deep = find(Wanted([folder], out, recursive=True))
    assert targets(deep, out) == ["a.PNG", "b.jpg", "A/e.webp", "z/d.gif.png", "z/y/c.tif"]
    assert [job.source for job in deep.jobs][-1] == folder / "z/y/c.tif"
    assert deep.notes == [] and deep.clashes == []


def test_patterns(tmp_path: Path, out: Path) -> None:
    folder = fill(tmp_path / "in", ["a.jpg", "b.JPG", "c.png", "raw.dat", "thumbs/t.jpg", "y/24/d.jpg"])

    def names(include: Sequence[str] = (), exclude: Sequence[str] = ()) -> list[str]:
        return targets(find(Wanted([folder], out, True, include, exclude)), out)

    assert names(include=["*.jpg"], exclude=["thumbs"]) == ["a.jpg", "b.JPG", "y/24/d.jpg"]
    assert names(include=["y/*", "c.*"]) == ["c.png", "y/24/d.jpg"]
    assert names(include=["raw.*"]) == ["raw.dat.png"], "a pattern counts more than a suffix"
    assert names(exclude=["*.jpg", "y/24"]) == ["c.png"]


STRANGE = ["-rf.png", "a b  .png", "a.b.c.png", "ein \N{CAMERA} bild.png", "new\nline.png", "%41&?#.png", ":smile:.png"]


def test_strange_names(tmp_path: Path, out: Path) -> None:
    folder = fill(tmp_path / "in", STRANGE)
    (folder / os.fsdecode(b"not\xfftext.png")).touch()
    found = find(Wanted([folder], out))
    assert sorted(targets(found, out)) == sorted([*STRANGE, os.fsdecode(b"not\xfftext.png")])


def test_hidden_files_and_our_own_are_not_taken(tmp_path: Path) -> None:
    names = ["a.png", "a.png.compare.png", "a.sample1.png", "a.sample2.png", "a.png.spread.png", "a.png.json"]
    others = ["b.sample1.png", "c.compare.png", ".ldrps-partial-12", "._a.png", ".hidden/d.png", "done/e.png"]
    folder = fill(tmp_path / "in", [*names, *others, f"done/{MANIFEST}", "out/f.png"])
    found = find(Wanted([folder], folder / "out", recursive=True))
    assert targets(found, folder / "out") == ["a.png", "b.sample1.png", "c.compare.png"]
    assert len(found.notes) == 1 and "done" in found.notes[0] and "results of ldrps" in found.notes[0]
    fill(folder, [".b.png", ".c.jpg", ".d.txt"])
    assert find(Wanted([folder], folder / "out", exclude=["done"])).notes == [
        "2 hidden pictures passed over: name those that are meant"
    ]


def test_folders_that_are_not_gone_into_are_counted(tmp_path: Path, out: Path) -> None:
    folder = fill(tmp_path / "in", ["a.png", "y/b.png", "z/y/c.png", "out/d.png", ".git/e.png"])
    assert find(Wanted([folder], folder / "out")).notes == ["2 folders within passed over: --recursive takes them"]
    assert find(Wanted([folder], folder / "out", exclude=["z"])).notes == [
        "1 folder within passed over: --recursive takes them"
    ]
    assert find(Wanted([folder], folder / "out", recursive=True)).notes == []


def test_links(tmp_path: Path, out: Path) -> None:
    outside = fill(tmp_path / "outside", ["secret.png"])
    folder = fill(tmp_path / "in", ["a.png", "deep/b.png"])
    (folder / "ring").symlink_to(folder)
    (folder / "deep/up").symlink_to("..")
    (folder / "within.png").symlink_to("deep/b.png")
    (folder / "escape.png").symlink_to(outside / "secret.png")
    (folder / "nowhere.png").symlink_to("gone.png")
    (folder / "away").symlink_to(outside)
    found = find(Wanted([folder], out, recursive=True))
    assert targets(found, out) == ["a.png", "within.png", "deep/b.png"]
    told = "\n".join(found.notes)
    assert all(name in told for name in ("ring", "up", "escape.png", "nowhere.png", "away")) and len(found.notes) == 5
    assert "leads out of the folder" in told and "leads nowhere" in told
    named = tmp_path / "named"
    named.symlink_to(folder)  # a link that is named itself is meant
    assert targets(find(Wanted([named], out)), out) == ["a.png", "within.png"]


def test_two_of_one_name(tmp_path: Path, out: Path) -> None:
    folder = fill(tmp_path / "in", ["a.gif", "a.gif.png", "a.jpg", "a.png"])
    found = find(Wanted([folder], out))
    assert targets(found, out) == ["a.gif.png", "a.jpg", "a.png"]
    ((job, reason),) = found.clashes
    assert job.source.name == "a.gif" and "a.gif.png" in reason and "rename one" in reason
    other = fill(tmp_path / "other", ["a.jpg"])
    found = find(Wanted([folder, other], out))
    assert [job.source for job, _ in found.clashes] == [folder / "a.gif", other / "a.jpg"]


def test_places_that_cannot_be(tmp_path: Path, out: Path) -> None:
    folder = fill(tmp_path / "in", ["a.png", "in/a.png"])
    with pytest.raises(InputError, match="the folder of the pictures themselves"):
        find(Wanted([folder], folder / ".." / "in"))
    with pytest.raises(InputError, match="one file"):
        find(Wanted([folder], tmp_path / "all.png"))
    with pytest.raises(InputError, match="does not exist"):
        find(Wanted([folder, tmp_path / "none"], out))
    above = find(Wanted([folder], tmp_path, recursive=True))  # in/in/a.png would become in/a.png, itself a source
    assert [job.source for job, _ in above.clashes] == [folder / "in/a.png"]
    assert "another picture to restore" in above.clashes[0][1]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="for root there are no locked folders")
def test_a_folder_that_is_locked_is_told(tmp_path: Path, out: Path) -> None:
    folder = fill(tmp_path / "in", ["a.png", "locked/b.png"])
    (folder / "locked").chmod(0)
    try:
        found = find(Wanted([folder], out, recursive=True))
    finally:
        (folder / "locked").chmod(0o700)
    assert targets(found, out) == ["a.png"] and "locked" in found.notes[0]


def test_a_name_like_that_of_a_file_is_a_folder_only_with_a_slash(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.png").touch()
    wanted = Wanted([tmp_path / "in"], tmp_path / "x.gif")
    with pytest.raises(InputError, match=r"a folder of pictures cannot go into one file, .*x\.gif: .* end it with /"):
        find(wanted)
    (job,) = find(replace(wanted, as_folder=True)).jobs
    assert job.target == tmp_path / "x.gif" / "a.png"


def test_what_is_kept_stays_in_its_order_where_names_clash() -> None:
    jobs = [Job(Path(name), Path(target)) for name, target in zip("abc", ("c", "b", "c"), strict=True)]
    (first, none), (second, others) = parted(jobs, lambda job: job.target.name)
    assert (first, second, none) == (jobs[1], jobs[2], [])
    assert others == [(jobs[0], "a and c would both become c: rename one")]
