"""Files of a folder that comes from anywhere: what may be read of it, and what is refused before it is opened."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from ldrps.errors import PriorError
from ldrps.prior.files import MOST_JSON, MOST_LISTS, names_in, read_file, read_json, require_file

NAME = "unet/config.json"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one file in a folder, and another beside it."""
    folder = tmp_path / "prior"
    (folder / "unet").mkdir(parents=True)
    (folder / NAME).write_text('{"in": 1}')
    (tmp_path / "outside.json").write_text('{"out": 1}')
    return folder


def _socket(path: Path) -> None:
    here = Path.cwd()
    os.chdir(path.parent)  # its name must be short
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path.name)
    finally:
        os.chdir(here)


def _link(target: str) -> Callable[[Path], None]:
    return lambda path: path.symlink_to(target)


# What is put in the place of a file, and what the message must say of it.
ODD: dict[str, tuple[Callable[[Path], object], str]] = {
    "nothing": (lambda path: None, "found no such file, expected a file; .*fetch the folder again"),
    "a pipe": (os.mkfifo, "found a pipe, expected a regular file; put the file itself there"),
    "a socket": (_socket, "found a socket, expected a regular file"),
    "a folder": (Path.mkdir, "found a folder, expected a regular file"),
    "a device": (_link("/dev/zero"), "found a device, expected a regular file"),
    "a link to a pipe": (
        lambda path: (os.mkfifo(path.parent / "pipe"), path.symlink_to("pipe")),
        "found a pipe, expected a regular file",
    ),
    "a link to nothing": (_link("nowhere.json"), "found a link to nothing, expected a file"),
    "a link to itself": (_link("config.json"), "found what cannot be opened"),
    "a link out": (_link("../../outside.json"), "found a link that leads out of the folder, to .*outside.json"),
    "an absolute link out": (
        lambda path: path.symlink_to(path.parents[2] / "outside.json"),
        "found a link that leads out of the folder",
    ),
    "a link to a folder beside": (
        lambda path: ((path.parents[2] / "prior-2").mkdir(), (path.parents[2] / "prior-2/a.json").write_text("{}"),
                      path.symlink_to("../../prior-2/a.json")),
        "found a link that leads out of the folder",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", ODD)
def test_what_is_no_file_of_the_folder_is_refused_unopened(folder: Path, case: str) -> None:
    put, message = ODD[case]
    (folder / NAME).unlink()
    put(folder / NAME)
    for read in (require_file, read_file, read_json):
        with pytest.raises(PriorError, match=f"{NAME}: {message}"):
            read(folder, NAME)


def test_a_folder_behind_a_link_that_leads_out_is_not_of_the_folder(folder: Path) -> None:
    (folder.parent / "other").mkdir()
    (folder.parent / "other/config.json").write_text("{}")
    (folder / "vae").symlink_to("../other")
    with pytest.raises(PriorError, match=r"vae/config\.json: found a link that leads out of the folder"):
        read_json(folder, "vae/config.json")


def test_links_inside_the_folder_are_followed(folder: Path) -> None:
    (folder / "same.json").symlink_to(NAME)
    (folder / "vae").symlink_to("unet")
    assert read_json(folder, "same.json") == read_json(folder, "vae/config.json") == {"in": 1}


def test_a_folder_may_itself_be_a_link(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "same.json").symlink_to(folder / NAME)  # absolute, by its true name
    link = folder.parent / "link"
    link.symlink_to("prior")
    assert read_json(link, NAME) == read_json(link, "same.json") == {"in": 1}
    monkeypatch.chdir(folder.parent)
    assert read_json(Path("link"), NAME) == read_json(Path("link/unet/.."), NAME) == {"in": 1}


def _cached(cache: Path, blob: str) -> Path:
    """A snapshot in a cache of the hub's client, whose one file is a link to that place in the cache."""
    snapshot = cache / "models--some--one/snapshots/0123"
    (snapshot / "unet").mkdir(parents=True)
    (cache / blob).parent.mkdir(parents=True, exist_ok=True)
    (cache / blob).write_text('{"in": 1}')
    (snapshot / NAME).symlink_to(f"../../../../{blob}")
    return snapshot


def test_a_snapshot_of_the_hub_has_its_files_elsewhere(tmp_path: Path) -> None:
    assert read_json(_cached(tmp_path, "models--some--one/blobs/89ab"), NAME) == {"in": 1}
    (tmp_path / "by-link").symlink_to("models--some--one/snapshots/0123")
    assert read_json(tmp_path / "by-link", NAME) == {"in": 1}


def test_models_may_share_blobs(tmp_path: Path) -> None:
    """As the hub's client of 2026 lays them out: a blob of the model is a link to one of the cache."""
    snapshot = _cached(tmp_path, "blobs/89/89ab")
    (tmp_path / "models--some--one/blobs").mkdir()
    (tmp_path / "models--some--one/blobs/0f").symlink_to("../../blobs/89/89ab")
    (snapshot / "model_index.json").symlink_to("../../blobs/0f")
    assert read_json(snapshot, NAME) == read_json(snapshot, "model_index.json") == {"in": 1}


@pytest.mark.parametrize("place", ["models--other--one/snapshots/45/config.json", "models--other--one/blobs/89", "89"])
def test_nothing_else_of_the_cache_is_of_a_snapshot(tmp_path: Path, place: str) -> None:
    with pytest.raises(PriorError, match="found a link that leads out of the folder"):
        read_json(_cached(tmp_path, place), NAME)


def test_files_have_a_limit(folder: Path) -> None:
    (folder / NAME).write_bytes(b" " * (MOST_JSON - 2) + b"{}")
    assert read_json(folder, NAME) == {}
    os.truncate(folder / NAME, 1 << 40)  # of which nothing is on the disk
    with pytest.raises(PriorError, match=rf"{NAME}: found a file of {1 << 40} bytes, expected at most {MOST_JSON}; "):
        read_json(folder, NAME)
    with pytest.raises(PriorError, match="expected at most 8; "):
        read_file(folder, NAME, 8)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs files that grow as they are read")
def test_the_size_that_a_file_claims_is_not_believed() -> None:
    assert os.stat("/proc/self/status").st_size == 0
    with pytest.raises(PriorError, match=r"self/status: found a file of 9 bytes, expected at most 8"):
        read_file(Path("/proc/self"), "status", 8)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "broken JSON"),
        (b"\xff\xfe{}", "broken JSON"),
        (b"[]", "a JSON list, expected a JSON object"),
        (b"null", "a JSON NoneType"),
        (b'{"a": NaN}', r"broken JSON \(NaN is no number\)"),
        (b'{"a": [-Infinity]}', r"broken JSON \(-Infinity is no number\)"),
        (b'{"a": 1e999}', r"broken JSON \(1e999 is beyond any number\)"),
        (b'{"a": ' + b"9" * 9999 + b"}", "broken JSON"),
        (b'{"a": 1, "b": 2, "a": 1}', r"broken JSON \(a is there twice\)"),
        (b'{"c": {"\\u001b": 1, "\\u001b": 2}}', r"broken JSON \('\\x1b' is there twice\)"),
        (b'{"a": ' + b"[" * 40 + b"]" * 40 + b"}", r"broken JSON \(more than 32 levels\)"),
        (b"[" * 100_000, r"broken JSON \(more than 32 levels\)"),
        (b'{"a": [' + b"[]," * MOST_LISTS + b"1]}", rf"broken JSON \(more than {MOST_LISTS} lists and objects\)"),
    ],
)
def test_broken_json(folder: Path, text: bytes, message: str) -> None:
    (folder / NAME).write_bytes(text)
    with pytest.raises(PriorError, match=f"{NAME}: found {message}"):
        read_json(folder, NAME)


def test_names_are_told_so_that_they_can_be_printed(folder: Path) -> None:
    for name in (b"\x1b[31m", b"\xff", b"plain"):
        Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).touch()
    assert names_in(folder) == [r"'\udcff'", r"'\x1b[31m'", "plain", "unet"]
    assert names_in(folder / "nowhere") == []
