"""The pictures of README and docs/ are of the samples, are small enough, and each is shown."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from documents import ROOT, documents, text_of
from PIL import Image

from samples.make_pictures import SAMPLES, SIDE, TILES, Tile, place, square

PICTURES = ROOT / "docs" / "pictures"
README_LIMIT, LIMIT = 400_000, 900_000  # bytes, of what README shows, and of all that docs/ show


def shown(document: Path) -> set[Path]:
    """The pictures that a document shows."""
    found = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", text_of(document))
    return {(ROOT / document.parent / each).resolve() for each in found}


def test_all_kinds_are_on_the_sheet() -> None:
    kept = {path.relative_to(SAMPLES).as_posix() for path in SAMPLES.rglob("*") if path.suffix in (".png", ".jpg")}
    masks = {path for path in kept if path.endswith("_mask.png")}
    assert {tile.source for tile in TILES} == kept - masks
    assert {path.replace("_mask.png", ".png") for path in masks} < kept


def test_a_mask_covers_all_that_is_hidden() -> None:
    """No pixel of which nothing is left is outside it, and most of the picture is known."""
    written, mask = (Image.open(SAMPLES / "hidden" / name) for name in ("written.png", "written_mask.png"))
    assert written.size == mask.size
    white = (np.asarray(written) == 255).all(2)
    hidden = np.asarray(mask) > 0
    assert 0.02 < hidden.mean() < 0.2
    assert hidden[white].all()


@pytest.mark.parametrize("tile", TILES, ids=lambda tile: tile.name)
def test_a_source_is_there_and_its_author_is_named(tile: Tile) -> None:
    assert (SAMPLES / tile.source).is_file()
    line = next(line for line in (SAMPLES / "README.md").read_text().splitlines() if f"`{tile.source}`" in line)
    assert re.search(r"CC0|public domain", line)


@pytest.mark.parametrize("tile", TILES, ids=lambda tile: tile.name)
def test_the_sheet_shows_that_source_and_something_else_after_it(tile: Tile) -> None:
    sheet = Image.open(PICTURES / "samples.jpg").convert("RGB")
    before, after = (
        np.asarray(sheet.crop((left, top, left + SIDE, top + SIDE)), dtype=float)
        for left, top in (place(TILES.index(tile), row) for row in (0, 1))
    )
    source = np.asarray(square(Image.open(SAMPLES / tile.source), tile, tile.scale), dtype=float)
    assert np.abs(before - source).mean() < 12, "as good as a JPEG of noise is"
    assert np.abs(after - source).mean() > 1
    assert np.abs(before - after).mean() > 1


def test_readme_shows_the_sheet_and_stays_small() -> None:
    pictures = shown(Path("README.md"))
    assert PICTURES / "samples.jpg" in pictures
    assert sum(path.stat().st_size for path in pictures) < README_LIMIT


def test_each_picture_is_shown_and_all_are_small() -> None:
    pictures = set(PICTURES.iterdir())
    everywhere = {path for document in documents() for path in shown(document)}
    assert pictures <= everywhere
    assert sum(path.stat().st_size for path in pictures) < LIMIT
