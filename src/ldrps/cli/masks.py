"""What people draw on the command line: masks of what is lost of a picture, and of what stays as it is."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from ldrps.image.formats import ALPHA
from ldrps.masks import Masks

MaskOption = Annotated[
    str | None,
    typer.Option(
        metavar="FILE",
        help="Fill what is white in this picture, in part where it is grey: of the size of IN, turned as IN is shown. "
        f"Or a folder with one for each IN, of its name, or '{ALPHA}': fill what is transparent, for good.",
    ),
]
ProtectOption = Annotated[
    str | None,
    typer.Option(metavar="FILE", help="Leave what is white in this picture as it is, to the bit; else as --mask."),
]


def masks_of(mask: str | None, protect: str | None, sources: Sequence[Path], max_pixels: int) -> Masks:
    """What the options say, checked as far as names and headers tell.

    Raises:
        InputError: a mask is not there or cannot be read, is of another size, or is one for several pictures.
    """
    masks = Masks(mask, protect)
    folder = any(os.path.isdir(source) for source in sources)
    masks.check(None if folder else len(sources))
    if masks and not folder:
        from ldrps.image.header import read_size

        for source in sources:
            masks.check_sizes(source, read_size(source, max_pixels, first_frame=True), max_pixels)
    return masks
