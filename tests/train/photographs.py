"""Small "photographs": waves, an edge and grain."""

from __future__ import annotations

import numpy as np
from PIL import Image

NAMES = [f"photo-{number}.png" for number in range(30)]
HELD_OUT = ["photo-29.png"]  # by the hash of its name


def invented(seed: int, width: int = 160, height: int = 160) -> Image.Image:
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width][..., None] / 160
    waves = np.sin(x * random.uniform(2, 20, 3) + y * random.uniform(2, 20, 3) + random.uniform(0, 6, 3))
    edge = (x * random.uniform(-1, 1) + y > random.uniform(0, 1)) * random.uniform(-0.4, 0.4, 3)
    grain = random.normal(0, 0.02, (height, width, 1))
    return Image.fromarray(((0.5 + 0.2 * waves + edge + grain).clip(0, 1) * 255).astype(np.uint8))
