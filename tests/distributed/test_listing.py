"""The pictures of a folder, wherever it is, and the numbers by which the ledger knows them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from conftest import noisy
from PIL import Image

from ldrps.distributed.listing import Asked, Listed, Listing, listed
from ldrps.distributed.store import Store
from ldrps.errors import InputError

pytest.importorskip("fsspec")
OUT = Store.of("/results")
NAMES = ["a.png", "b.JPG", "c.heic", "c.heic.png", "d.gif", "read.me", ".hidden.png", "a.png.compare.png", "e/f.png"]
NAMES += ["a.xmp", "@eaDir/a.png", "e/__MACOSX/f.png"]


def keys(source: Store, asked: Asked | None = None, out: Store = OUT) -> tuple[list[tuple[str, str]], Listing]:
    listing = Listing()
    return [(each.key, each.target) for each in listed(source, out, asked or Asked(), listing)], listing


def elsewhere(folder: Path, name: str) -> Store:
    store = Store(f"memory://{name}")
    for path in folder.rglob("*"):
        if path.is_file():
            store.put(path.relative_to(folder).as_posix(), path)
    return store


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number, name in enumerate(NAMES):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(noisy(seed=number)).save(path, "PNG")
    return tmp_path / "in"


@pytest.mark.parametrize("asked", [Asked(), Asked(True), Asked(True, ("*.png",), ("e",)), Asked(True, ("e/*",))])
def test_names_decide_alike_here_and_elsewhere(folder: Path, asked: Asked) -> None:
    here, noted = keys(Store.of(str(folder)), asked)
    there, likewise = keys(elsewhere(folder, folder.parent.name), asked)
    assert sorted(here) == sorted(there) and here
    assert (noted.others, len(noted.clashes)) == (likewise.others, len(likewise.clashes))
    assert noted.notes == likewise.notes and any("of caches passed over" in note for note in noted.notes)
    assert ("e/f.png", "e/f.png") in here or asked in (Asked(), Asked(True, ("*.png",), ("e",)))


def test_results_keep_their_places_and_names(folder: Path) -> None:
    found, listing = keys(Store.of(str(folder)), Asked(True))
    assert found == [
        ("a.png", "a.png"),
        ("b.JPG", "b.JPG"),
        ("c.heic.png", "c.heic.png"),
        ("d.gif", "d.gif.png"),
        ("e/f.png", "e/f.png"),
    ]
    assert len(listing.clashes) == 1 and "c.heic" in listing.clashes[0] and listing.others == 1


def test_an_id_is_of_the_file_as_it_is_and_of_the_attempt(folder: Path) -> None:
    def ids() -> list[int]:
        return [each.id() for each in listed(Store.of(str(folder)), OUT, Asked(), Listing())]

    before = ids()
    assert ids() == before and len(set(before)) == len(before) and all(0 <= each < 2**63 for each in before)
    os.utime(folder / "a.png", (1, 1))
    after = ids()
    assert after[0] != before[0] and after[1:] == before[1:]
    picture = Listed("a.png", "a.png", "1")
    assert len({picture.id(attempt) for attempt in range(5)}) == 5


def test_a_name_that_is_no_text(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    try:
        (folder / os.fsdecode(b"\xff.png")).write_bytes(b"")
    except OSError:
        pytest.skip("this disk has no such names")
    (picture,) = listed(Store.of(str(folder)), OUT, Asked(), Listing())
    assert os.fsencode(picture.key) == b"\xff.png" and picture.id() != picture.id(1)


def test_results_are_no_pictures(folder: Path) -> None:
    for name in ("old/.ldrps-ray/run.json", "older/.ldrps.sqlite"):
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_bytes(b"{}")
        Image.fromarray(noisy()).save(folder / name.partition("/")[0] / "x.png")
    for source in (Store.of(str(folder)), elsewhere(folder, f"{folder.parent.name}-2")):
        found, listing = keys(source, Asked(True))
        assert not any("x.png" in key for key, _ in found)
        assert sum("holds results of ldrps" in note for note in listing.notes) == 2
    within = elsewhere(folder, f"{folder.parent.name}-3")
    found, _ = keys(within, Asked(True), Store(f"{within.url}/e"))
    assert not any(key.startswith("e/") for key, _ in found)


def test_folders_that_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is the folder of the pictures themselves"):
        keys(OUT)
    with pytest.raises(InputError, match="none is no folder"):
        keys(Store.of(str(tmp_path / "none")))
    with pytest.raises(InputError, match="memory://none holds nothing, or is not there"):
        keys(Store("memory://none"))
