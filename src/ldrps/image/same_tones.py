"""Whether a restored picture is as light and as coloured, place by place, as it was."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ldrps.image.arrays import as_image
from ldrps.image.picture import Picture, to_image

_CELLS, _CELL = 32, 16  # cells on the longer side, and pixels a side at least: noise averages away in them
_APART = 4  # levels of 255 between the means of a cell that no one sees


def keeps_tones(picture: Picture, image: Image.Image | NDArray[Any]) -> bool:
    """Whether the means of all cells of a result, as `write_image` takes it, are those of the picture."""
    result = image if isinstance(image, Image.Image) else as_image(image)
    if result.size != picture.size:
        return False
    before, after = (_means(each) for each in (to_image(picture, picture.rgb), result))
    return int(np.abs(before - after).max()) <= _APART


def _means(image: Image.Image) -> NDArray[np.int_]:
    cell = max(_CELL, -(-max(image.size) // _CELLS))
    return np.asarray(image.convert("RGB").reduce(cell), int)
