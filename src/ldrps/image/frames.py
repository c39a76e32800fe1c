"""Files of several pictures: animations, pages, pairs. Free of torch."""

from __future__ import annotations

from typing import BinaryIO, NamedTuple

from PIL import Image

from ldrps.errors import InputError
from ldrps.image.cargo import look_behind
from ldrps.image.tiff_pages import count_pages


class Several(NamedTuple):
    """What is in a file beside its first picture.

    Attributes:
        words: what there is that somebody may want to see, such as "3 pages"; "" for nothing.
        previews: whether there are copies of the picture in small.
    """

    words: str = ""
    previews: bool = False


def find_several(image: Image.Image | None, file: BinaryIO) -> Several:
    """What is in an open file beside its first picture, which is `image`; None for a TIFF that Pillow does not know.

    Raises:
        Exception: whatever damaged data leads to.
    """
    if image is None or image.format == "TIFF":
        pages, reduced = count_pages(file)
        return Several(f"{pages} pages" if pages > 1 else "", reduced)
    if image.format == "MPO":
        file.seek(0)
        behind = look_behind(file.read(), image)
        return Several(f"{behind.pictures + 1} pictures" if behind.pictures else "", behind.previews > 0)
    try:
        if not getattr(image, "is_animated", False):  # GIF parses the second frame to know
            return Several()
    except Exception:  # a damaged second frame is one, too
        return Several("several frames")
    if image.format == "GIF":
        return Several("several frames")  # it would parse all of them to count them
    return Several(f"{getattr(image, 'n_frames', 2)} {'pictures' if image.format == 'HEIF' else 'frames'}")


def refuse_several(several: Several, name: str) -> None:
    """Refuse a file of several pictures, of which all but the first would be lost.

    Raises:
        InputError: it is one.
    """
    if several.words:
        found = f"{name} holds {several.words}, of which only the first would be restored, and the others lost: "
        raise InputError(
            f"{found}take it apart, or ask for the first alone with first_frame=True",
            on_command_line=f"{found}take it apart, or ask for the first alone with --first-frame",
        )
