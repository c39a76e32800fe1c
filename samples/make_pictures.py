"""Make the pictures of the documents: the samples before and after, from what `make demo` leaves.

    python samples/make_pictures.py [RESTORED] [FOLDER]    # else out/demo and docs/pictures
    python samples/make_pictures.py --sheet RESTORED FILE  # that sheet alone, as `make demo` leaves it

`samples.jpg` is a sheet of all kinds of damage, a square of each at 100 or 200 %; beside it there is one picture
for each kind, whole and at 100 %.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

SAMPLES = Path(__file__).resolve().parent
ROOT = SAMPLES.parent

SIDE = 200  # of a square of the sheet, pixels
GAP = 10
LABEL = 44  # height of a line of labels
COLUMNS = 5  # of a band, which is a line of labels and the two rows below it
BESIDE = 40  # width of the words "before" and "after", which stand upright
PAPER, INK = (255, 255, 255), (60, 60, 60)
QUALITY, SHEET_QUALITY = 80, 85  # of the JPEGs; colour is not subsampled, which would take noise away


@dataclass(frozen=True)
class Tile:
    """A sample on the sheet.

    Attributes:
        label: the damage, in a word or two.
        source: the damaged picture, in the folder of samples.
        corner: left and top of the square that is shown, in pixels of the result.
        zoom: by how much it is enlarged, each pixel repeated; what is fine would not be seen else.
        scale: how many times larger the result is than the sample.
    """

    label: str
    source: str
    corner: tuple[int, int]
    zoom: int = 1
    scale: int = 1

    @property
    def name(self) -> str:
        """The file of the whole picture, without its ending."""
        return Path(self.source).stem


TILES = (
    Tile("dark", "dark.png", (60, 0)),
    Tile("hazy", "hazy.png", (44, 10)),
    Tile("noisy", "noisy.png", (60, 0)),
    Tile("out of focus", "blurred.png", (85, 20), zoom=2),
    Tile("shaken", "shaken.png", (85, 20), zoom=2),
    Tile("coarse JPEG", "compressed.jpg", (105, 105), zoom=2),
    Tile("scratched", "prints/scratched.png", (40, 10)),
    Tile("written on", "hidden/written.png", (50, 0)),
    Tile("small", "small/tiny.png", (140, 90), zoom=2, scale=2),
    Tile("grey", "grey/grey.png", (60, 0)),
)


def square(picture: Image.Image, tile: Tile, scale: int = 1) -> Image.Image:
    """The part of a picture that the sheet shows, `SIDE` pixels a side; `scale` is how much smaller the picture is."""
    shown = SIDE // tile.zoom // scale
    left, top = (edge // scale for edge in tile.corner)
    box = (left, top, left + shown, top + shown)
    return picture.convert("RGB").crop(box).resize((SIDE, SIDE), Image.Resampling.NEAREST)


def place(number: int, row: int = 0) -> tuple[int, int]:
    """Left and top of a sample's square on the sheet, in the upper or the lower row of its band."""
    band, column = divmod(number, COLUMNS)
    return BESIDE + column * (SIDE + GAP), LABEL + band * (LABEL + 2 * (SIDE + GAP)) + row * (SIDE + GAP)


def sheet(restored: Path) -> Image.Image:
    """All samples, before in the upper row of a band and after in the lower."""
    bands = -(-len(TILES) // COLUMNS)
    size = (BESIDE + COLUMNS * (SIDE + GAP), place(bands * COLUMNS)[1] - LABEL)
    page = Image.new("RGB", size, PAPER)
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(28)
    for band in range(bands):
        for row, word in enumerate(("before", "after")):
            upright = Image.new("RGB", (SIDE, BESIDE), PAPER)
            ImageDraw.Draw(upright).text((SIDE / 2, BESIDE / 2), word, INK, font, anchor="mm")
            page.paste(upright.rotate(90, expand=True), (0, place(band * COLUMNS, row)[1]))
    for number, tile in enumerate(TILES):
        left, top = place(number)
        draw.text((left + SIDE / 2, top - LABEL / 2), tile.label, INK, font, anchor="mm")
        page.paste(square(Image.open(SAMPLES / tile.source), tile, tile.scale), (left, top))
        page.paste(square(Image.open(restored / Path(tile.source).name), tile), place(number, 1))
    return page


def main() -> None:
    given = sys.argv[1:]
    alone = given[:1] == ["--sheet"]
    if alone and len(given) != 3:
        sys.exit("--sheet takes two: the folder of what was restored, and the file to write")
    words = given[1:] if alone else (*given, *("out/demo", "docs/pictures")[len(given) :])
    restored, place = map(Path, words)
    missing = [name for tile in TILES if not (restored / (name := Path(tile.source).name)).is_file()]
    if missing:
        sys.exit(f"{restored} has no {', '.join(missing)}: `make demo` restores the samples")
    if alone:
        sheet(restored).save(place)
        return
    place.mkdir(parents=True, exist_ok=True)
    sheet(restored).save(place / "samples.jpg", quality=SHEET_QUALITY, subsampling=0, optimize=True)
    for tile in TILES:
        with Image.open(restored / f"{Path(tile.source).name}.compare.png") as pair:
            pair.convert("RGB").save(place / f"{tile.name}.jpg", quality=QUALITY, subsampling=0, optimize=True)


if __name__ == "__main__":
    main()
