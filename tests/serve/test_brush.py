from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ldrps.errors import InputError
from ldrps.image.mask import load_mask
from ldrps.serve.brush import Drawing


def sent(image: Image.Image) -> str:
    """As a canvas sends it."""
    file = io.BytesIO()
    image.save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


def test_red_is_lost_and_blue_is_kept(tmp_path: Path) -> None:
    sheet = Image.new("RGBA", (40, 30))
    sheet.paste((224, 36, 36, 255), (0, 0, 10, 30))
    sheet.paste((36, 96, 224, 255), (30, 0, 40, 30))
    drawing = Drawing.parse(sent(sheet))
    assert drawing is not None
    masks = drawing.masks((80, 60), tmp_path)
    assert masks.holes is not None and masks.protected is not None
    lost, kept = (load_mask(path).values[0, 0] for path in (masks.holes, masks.protected))
    assert lost.shape == (60, 80)
    assert lost[:, :20].min() == 1 and lost[:, 20:].max() == 0
    assert kept[:, 60:].min() == 1 and kept[:, :60].max() == 0


def test_nothing_drawn_is_no_mask(tmp_path: Path) -> None:
    assert Drawing.parse("") is None
    assert Drawing.parse(sent(Image.new("RGBA", (40, 30)))) is None
    none = np.zeros((3, 4), bool)
    masks = Drawing(~none, none).masks((4, 3), tmp_path)
    assert masks.holes is not None and masks.protected is None


@pytest.mark.parametrize(
    "text",
    [
        "picture.png",
        "data:image/png;base64,!!!",
        "data:image/png;base64,aGVsbG8=",
        "data:image/gif;base64,R0lGODlhAQABAAAAACw=",
        "data:image/png;base64," + "A" * 9_000_000,
        sent(Image.new("1", (5000, 5000))),
    ],
)
def test_what_is_no_drawing_is_refused_in_words(text: str) -> None:
    with pytest.raises(InputError, match=r"drawn .*: draw it again$"):
        Drawing.parse(text)
