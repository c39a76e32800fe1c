"""Pictures side by side on one sheet, for people to look at."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

from ldrps.errors import InputError

_BACKGROUND = (238, 238, 238)  # light and neutral: neither flatters nor tints what lies on it
_INK = (60, 60, 60)
_Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def before_after(
    before: Image.Image, after: Image.Image, captions: tuple[str, str] = ("before", "after")
) -> Image.Image:
    """Two PIL images side by side, each with its caption below, as an RGB image."""
    return contact_sheet([[(before, captions[0]), (after, captions[1])]])


def in_rows(pictures: Sequence[tuple[Image.Image, str]], columns: int = 8) -> Image.Image:
    """(PIL image, caption) pictures on a contact sheet, so many in a row."""
    return contact_sheet([pictures[start : start + columns] for start in range(0, len(pictures), columns)])


def contact_sheet(rows: Sequence[Sequence[tuple[Image.Image, str]]]) -> Image.Image:
    """Rows of (PIL image, caption) in their true sizes, in columns, as an RGB image. Captions may be empty.

    Rows may differ in length. The sheet keeps the colour profile of its pictures if it is one and the same.

    Raises:
        InputError: there is no picture at all.
    """
    rows = [row for row in rows if row]
    if not rows:
        raise InputError("a sheet of no pictures cannot be made: give at least one")
    pictures = [image for row in rows for image, _ in row]
    text = round(min(96, max(12, min(image.width for image in pictures) / 22)))  # pixels
    font = ImageFont.load_default(text)
    gap = text
    columns = [0] * max(map(len, rows))  # widths
    for row in rows:
        for i, (image, caption) in enumerate(row):
            # A caption may widen the column of a tiny picture, up to a dozen letters.
            columns[i] = max(columns[i], image.width, min(round(font.getlength(caption)) + 1, 8 * text))
    heights = [max(image.height for image, _ in row) for row in rows]
    labels = [round(1.6 * text) if any(caption for _, caption in row) else 0 for row in rows]
    width = gap + sum(column + gap for column in columns)
    height = gap + sum(heights) + sum(labels) + gap * len(rows)
    sheet = Image.new("RGB", (width, height), _BACKGROUND)
    draw = ImageDraw.Draw(sheet)
    y = gap
    for row, row_height, label in zip(rows, heights, labels, strict=True):
        x = gap
        for (image, caption), column in zip(row, columns, strict=False):
            _lay(sheet, image, (x + (column - image.width) // 2, y + (row_height - image.height) // 2))
            # The bottom of the row, not of the picture, so that captions stand in line.
            middle = (x + column / 2, y + row_height + label / 2)
            draw.text(middle, _shortened(caption, font, column), _INK, font, anchor="mm")
            x += column + gap
        y += row_height + label + gap
    profile = _common_profile(pictures)
    if profile:
        sheet.info["icc_profile"] = profile
    return sheet


def _lay(sheet: Image.Image, image: Image.Image, corner: tuple[int, int]) -> None:
    if image.has_transparency_data:
        image = image.convert("RGBA")
        sheet.paste(image, corner, image)  # the sheet shows through
    else:
        sheet.paste(image.convert("RGB"), corner)


def _shortened(caption: str, font: _Font, width: int) -> str:
    if font.getlength(caption) <= width:
        return caption
    while caption and font.getlength(caption + "...") > width:
        caption = caption[:-1]
    return caption + "..."


def _common_profile(pictures: Sequence[Image.Image]) -> bytes | None:
    profiles = {image.info.get("icc_profile") for image in pictures}
    profile = profiles.pop()
    # Bytes 16 to 20 name the space; a sheet is RGB even if its pictures are grey.
    return profile if not profiles and profile and profile[16:20] == b"RGB " else None
