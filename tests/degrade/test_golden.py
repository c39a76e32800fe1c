"""What `ldrps degrade` wrote before its damage was made by the operators of `degradation/`, to the bit; of kinds that
are newer, what it wrote when they came.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ldrps.degrade import KINDS, apply, parse

HERE = Path(__file__).parent
GOLDEN = json.loads((HERE / "golden.json").read_text())


def picture(name: str) -> Image.Image | np.ndarray:
    if name in ("dark", "hazy", "noisy"):
        return Image.open(HERE.parents[1] / f"samples/{name}.png").convert("RGB")
    y, x = np.mgrid[0:61, 0:83] / 83
    smooth = np.stack([0.5 + 0.5 * np.sin(9 * x + 3 * y), x * y, 1 - x], 2)
    texture = np.random.default_rng(20).random((61, 83, 3))
    made = np.rint(255 * np.clip(0.7 * smooth + 0.3 * texture, 0, 1)).astype(np.uint8)
    made[20:30, 40:60], made[40:50, 5:25] = 255, 0
    return made if name == "bytes" else (made / 255).astype(np.float32)


@pytest.mark.parametrize("name", ["bytes", "floats", "dark", "hazy", "noisy"])
def test_damage_is_what_it_was(name: str) -> None:
    clean = picture(name)
    for words, wanted in GOLDEN[name].items():
        chain, seed = words.rsplit(" ", 1)
        found = apply(clean, chain, int(seed))
        digest = hashlib.sha256(repr(found.size).encode() + found.tobytes()).hexdigest()[:16]
        assert digest == wanted, f"{words} of {name}"


def test_every_kind_is_among_them() -> None:
    named = {part.kind for words in GOLDEN["dark"] for part in parse(words.rsplit(" ", 1)[0]).parts}
    assert named == set(KINDS)
