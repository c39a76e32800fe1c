"""What people draw on the command line: masks of what is lost of a picture, and of what stays as it is."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

from ldrps.cli.grouped import Group, option
from ldrps.image.formats import ALPHA
from ldrps.masks import Masks
from ldrps.settings import Panel


@dataclass(frozen=True)
class MaskOptions(Group):
    """What is filled, and what is left."""

    of_ldrps: ClassVar[bool] = True

    mask: Annotated[
        str | None,
        option(
            "Fill what is white in this picture, in part where it is grey: of the size of IN, turned as IN is shown. "
            f"Or a folder with one for each IN, of its name, or '{ALPHA}': fill what is transparent, for good.",
            Panel.WHAT,
            metavar="FILE",
        ),
    ] = None
    protect: Annotated[
        str | None,
        option("Leave what is white in this picture as it is, to the bit; else as --mask.", Panel.WHAT, metavar="FILE"),
    ] = None

    def read(self, sources: Sequence[Path], max_pixels: int) -> Masks:
        """What the options say, checked as far as names and headers tell.

        Raises:
            InputError: a mask is not there or cannot be read, is of another size, or is one for several pictures.
        """
        masks = Masks(self.mask, self.protect)
        folder = any(os.path.isdir(source) for source in sources)
        masks.check(None if folder else len(sources))
        if masks and not folder:
            from ldrps.image.header import read_size

            for source in sources:
                masks.check_sizes(source, read_size(source, max_pixels, first_frame=True), max_pixels)
        return masks
