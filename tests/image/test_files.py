"""replace_file: whole or absent, whatever fails and whoever else writes."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

import pytest

from ldrps.errors import OutputError
from ldrps.image.files import check_output, folds_case, is_there, key_of_places, replace_file


@pytest.fixture(params=["links", "no links"])
def any_disk(request, monkeypatch):
    """Also a disk such as a memory card's, on which hard links are not to be had."""
    if request.param == "no links":

        def link(*args, **options):
            raise PermissionError(errno.EPERM, "Operation not permitted")

        monkeypatch.setattr(os, "link", link)


def failing(code):
    def write(file):
        file.write(b"half a pic")
        raise OSError(code, os.strerror(code))

    return write


@pytest.mark.parametrize("overwrite", [True, False])
def test_new_file(tmp_path, any_disk, overwrite):
    replace_file(tmp_path / "f", lambda file: file.write(b"new"), overwrite=overwrite)
    assert (tmp_path / "f").read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["f"]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EDQUOT])
@pytest.mark.parametrize("overwrite", [True, False])
def test_failing_write_leaves_everything_as_it_was(tmp_path, any_disk, code, overwrite):
    path = tmp_path / "f"
    path.write_bytes(b"old")
    with pytest.raises(OutputError, match=f"cannot write .*f: {os.strerror(code)}"):
        replace_file(path, failing(code), overwrite=overwrite)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["f"]
    with pytest.raises(OutputError):
        replace_file(tmp_path / "g", failing(code), overwrite=overwrite)
    assert os.listdir(tmp_path) == ["f"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_any_other_error_passes_through_and_leaves_nothing(tmp_path, error):
    def write(file):
        file.write(b"half")
        raise error

    with pytest.raises(error):
        replace_file(tmp_path / "f", write)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_failing_step_leaves_the_old_file(tmp_path, monkeypatch, step):
    path = tmp_path / "f"
    path.write_bytes(b"old")

    def fail(*args):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(*((os, "fsync") if step == "fsync" else (Path, "replace")), fail)
    with pytest.raises(OutputError, match="Input/output error"):
        replace_file(path, lambda file: file.write(b"new"))
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["f"]


def test_failing_rename_where_there_are_no_links_leaves_no_empty_file(tmp_path, monkeypatch):
    def fail(*args, **options):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "link", fail)
    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OutputError, match="Input/output error"):
        replace_file(tmp_path / "f", lambda file: file.write(b"new"), overwrite=False)
    assert os.listdir(tmp_path) == []


def test_no_overwrite(tmp_path, any_disk):
    path = tmp_path / "f"
    path.write_bytes(b"old")
    with pytest.raises(OutputError, match=r"f exists: give overwrite=True to replace it"):
        replace_file(path, lambda file: file.write(b"new"), overwrite=False)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["f"]


def test_of_many_writers_one_wins(tmp_path, any_disk):
    path = tmp_path / "f"
    start = threading.Barrier(8)
    won, lost = [], []

    def writer(number):
        start.wait()
        try:
            replace_file(path, lambda file: file.write(bytes([number]) * 5000), overwrite=False)
            won.append(number)
        except OutputError:
            lost.append(number)

    threads = [threading.Thread(target=writer, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert len(lost) == 7
    assert path.read_bytes() == bytes(won) * 5000
    assert os.listdir(tmp_path) == ["f"]


def test_missing_folder(tmp_path):
    with pytest.raises(OutputError, match="No such file or directory"):
        replace_file(tmp_path / "no" / "f", lambda file: None)


@pytest.mark.parametrize("length", [254, 255])
@pytest.mark.parametrize("overwrite", [True, False])
def test_longest_names(tmp_path, any_disk, length, overwrite):
    replace_file(tmp_path / ("n" * length), lambda file: file.write(b"x"), overwrite=overwrite)
    assert os.listdir(tmp_path) == ["n" * length]


@pytest.mark.parametrize("overwrite", [True, False])
def test_name_too_long(tmp_path, any_disk, overwrite):
    with pytest.raises(OutputError, match="name too long"):
        replace_file(tmp_path / ("n" * 256), lambda file: file.write(b"x"), overwrite=overwrite)
    assert os.listdir(tmp_path) == []


def test_overwriting_a_link_spares_its_target(tmp_path):
    (tmp_path / "original").write_bytes(b"old")
    (tmp_path / "link").symlink_to(tmp_path / "original")
    replace_file(tmp_path / "link", lambda file: file.write(b"new"))
    assert (tmp_path / "original").read_bytes() == b"old"
    assert (tmp_path / "link").read_bytes() == b"new"


# Names


@pytest.mark.parametrize("there", [True, False])
def test_a_name_that_is_too_long_is_told_before_the_work(tmp_path, there):
    """Also in a folder that is yet to be made, of which the system tells nothing."""
    folder = tmp_path if there else tmp_path / "out" / "in"
    for name in ("a" * 251 + ".png", "ä" * 125 + ".png"):
        check_output(folder / name)
        assert not is_there(folder / name)
    for name in ("a" * 252 + ".png", "ä" * 126 + ".png"):
        with pytest.raises(OutputError, match=r"its name is of 25\d bytes, and 255 are the limit"):
            check_output(folder / name)


def test_the_longest_name_is_written(tmp_path):
    path = tmp_path / ("a" * 251 + ".png")
    replace_file(path, lambda file: file.write(b"whole"))
    assert path.read_bytes() == b"whole"


def test_a_path_that_is_too_long_is_told(tmp_path):
    with pytest.raises(OutputError, match="choose another name"):
        check_output(tmp_path.joinpath(*["a" * 200] * 30, "p.png"))


def test_whether_cases_are_one_is_told_without_writing(tmp_path):
    (tmp_path / "Out").mkdir()
    before = sorted(tmp_path.iterdir())
    assert not folds_case(tmp_path / "Out") and not folds_case(tmp_path / "Out" / "new" / "newer")
    (tmp_path / "oUT").symlink_to("Out")  # as such a disk would show it
    assert folds_case(tmp_path / "Out") and folds_case(tmp_path / "Out" / "new")
    key = key_of_places(tmp_path / "Out")
    assert key(Path("A/b.JPG")) == key(Path("a/B.jpg")) != key(Path("a/c.jpg"))
    assert key_of_places(tmp_path)(Path("A")) == "A" and len(before) == 1
