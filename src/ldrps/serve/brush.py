"""What visitors draw over a picture, as masks of it."""

from __future__ import annotations

import base64
import binascii
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ldrps.errors import InputError
from ldrps.masks import Masks

_BEGINNING = "data:image/png;base64,"
_LONGEST = 8 * 2**20  # characters; a drawing of the largest size that is shown has some ten thousands
_LARGEST = 4096 * 4096  # pixels
_AGAIN = "draw it again"


@dataclass(frozen=True, eq=False)
class Drawing:
    """What was drawn over the copy of a picture that is shown.

    Attributes:
        lost: bool [h, w], what is to be filled.
        kept: bool [h, w], what is to stay as it is.
    """

    lost: NDArray[np.bool_]
    kept: NDArray[np.bool_]

    @classmethod
    def parse(cls, text: str) -> Drawing | None:
        """The drawing that the page sends, a PNG as an address of data: red is lost, blue is kept; None for nothing.

        Raises:
            InputError: it is no such thing.
        """
        if not text:
            return None
        if not text.startswith(_BEGINNING) or len(text) > _LONGEST:
            raise InputError(f"what was drawn over the picture did not arrive: {_AGAIN}")
        try:
            data = base64.b64decode(text.removeprefix(_BEGINNING), validate=True)
            with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
                if image.width * image.height > _LARGEST:
                    raise InputError(f"what was drawn has {image.width} x {image.height} pixels: {_AGAIN}")
                levels = np.asarray(image.convert("RGBA"))
        except (binascii.Error, OSError, ValueError, SyntaxError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(f"what was drawn over the picture cannot be read: {_AGAIN}") from error
        there = levels[..., 3] >= 128
        blue = levels[..., 2] > levels[..., 0]
        drawing = cls(there & ~blue, there & blue)
        return drawing if there.any() else None

    def masks(self, size: tuple[int, int], folder: Path) -> Masks:
        """As files of the (width, height) of the picture, in a folder."""
        return Masks(
            *(
                str(_saved(drawn, size, folder / name)) if drawn.any() else None
                for drawn, name in ((self.lost, ".lost.png"), (self.kept, ".kept.png"))
            )
        )


def _saved(drawn: NDArray[np.bool_], size: tuple[int, int], path: Path) -> Path:
    Image.fromarray(drawn).convert("L").resize(size, Image.Resampling.NEAREST).save(path)
    return path
