"""Folders of this machine and of others, behind one face."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from conftest import Run

from ldrps.distributed.store import Store, is_url
from ldrps.errors import InputError, OutputError

fsspec = pytest.importorskip("fsspec")


def test_what_is_a_url() -> None:
    assert is_url("s3://bucket/photos") and is_url("FILE:///photos") and is_url("sftp://host/photos")
    assert not any(map(is_url, ("photos", "/photos", "C:\\photos", "C:/photos", "a:b", "s3:/bucket")))


def test_a_path_and_a_url_of_it_are_one_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "my photos #1"
    store = Store.of("my photos #1")
    assert store == Store.of(str(folder)) == Store.of(folder.as_uri())
    assert store.path == folder and store.url_of("a/b.png") == str(folder / "a" / "b.png")
    assert Store.of("s3://bucket/photos/") == Store("s3://bucket/photos") and Store("s3://bucket/photos").path is None
    assert Store("s3://bucket/photos").url_of("a.png") == "s3://bucket/photos/a.png"


def test_addresses_that_are_refused() -> None:
    with pytest.raises(InputError, match=r"ftp:// is none of file://, s3://, gs://, sftp://: copy"):
        Store.of("ftp://host/photos")
    with pytest.raises(InputError, match="host has a password in it") as raised:
        Store.of("sftp://me:secret@host/photos")
    assert "secret" not in str(raised.value)


def test_what_a_kind_of_address_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(url: str, **options: object) -> None:
        raise ImportError("Install paramiko")

    monkeypatch.setattr(fsspec, "url_to_fs", missing)
    with pytest.raises(
        InputError, match=r"sftp:// needs what is not installed \(Install paramiko\): pip install fsspec"
    ):
        _ = Store("sftp://host/photos").files


@pytest.mark.parametrize("kind", ["file", "memory"])
def test_files_come_and_go(kind: str, tmp_path: Path) -> None:
    store = Store.of(str(tmp_path / "there")) if kind == "file" else Store(f"memory://{tmp_path.name}")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    assert store.entries() == [] and store.read("deep/a.txt") is None
    store.write("deep/a.txt", b"one", scratch)
    store.write("deep/a.txt", b"two", scratch)
    assert store.read("deep/a.txt") == b"two" and not list(scratch.iterdir())
    assert [(each["name"].rpartition("/")[2], each["type"]) for each in store.entries()] == [("deep", "directory")]
    assert [(each["size"], each["type"]) for each in store.entries("deep")] == [(3, "file")], "and nothing half written"
    store.get("deep/a.txt", scratch / "b.txt")
    assert (scratch / "b.txt").read_bytes() == b"two"
    with pytest.raises(InputError, match=r"deep/none.txt cannot be read \(FileNotFoundError"):
        store.get("deep/none.txt", scratch / "c.txt")
    store.remove("deep")
    store.remove("deep")
    assert store.read("deep/a.txt") is None


def test_a_file_that_cannot_be_written_is_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store.of(str(tmp_path / "there"))
    store.write("a.txt", b"one", tmp_path)

    def full(source: str, target: str) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OutputError, match=r"cannot write .*a\.txt: No space left"):
        store.write("a.txt", b"two", tmp_path)
    assert store.read("a.txt") == b"one" and os.listdir(tmp_path / "there") == ["a.txt"]


def test_elsewhere_a_failure_tells_the_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store("memory://full")

    def full(*words: object, **options: object) -> None:
        raise RuntimeError("quota\nexceeded")

    monkeypatch.setattr(type(store.files), "pipe_file", full)
    with pytest.raises(OutputError, match=r"cannot write memory://full/a\.txt \(RuntimeError: quota exceeded\)"):
        store.write("a.txt", b"one", tmp_path)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["s3://bucket/in", "-o", "out"], "s3://bucket/in is no folder of this machine: give --ray"),
        (["in", "-o", "s3://bucket/out"], "s3://bucket/out is no folder of this machine: give --ray"),
        (["in", "-o", "out", "--threads", "2"], "--threads: of --ray"),
        (["in", "-o", "out", "--ray", "local", "--watch"], "--watch: cannot be had with --ray"),
        (["in", "-o", "out", "--ray", "local", "--mask", "m"], "--mask: cannot be had with --ray"),
        (["in", "-o", "out", "--ray", "local", "--trace"], "--trace: cannot be had with --ray"),
        (["in", "in2", "-o", "out", "--ray", "local"], "2 pictures or folders are given: give one folder"),
        (["in", "-o", "out", "--ray", "local", "--method", "zero-dce"], "zero-dce: --ray restores by ldrps alone"),
    ],
)
def test_what_does_not_go_together(command: Run, words: list[str], said: str) -> None:
    code, _, err = command("restore", *words)
    assert code == 2 and said in " ".join(err.split())


def test_without_ray(command: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    code, _, err = command("restore", "in", "-o", "out", "--ray", "local")
    assert code == 2 and "--ray needs ray and pyarrow and fsspec, not installed here: pip install '.[ray]'" in err
