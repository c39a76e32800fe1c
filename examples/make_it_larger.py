"""Make a small picture larger
===========================

With a scale the result is so many times larger each way, with its fine detail restored. What is wrong with the
small picture is undone in the same call.

``python examples/make_it_larger.py [FOLDER]`` leaves its picture in the folder, else in ``out/examples``.
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image

import ldrps

SAMPLES = Path(sys.argv[0]).resolve().parents[1] / "samples"
FOLDER = Path(sys.argv[1] if len(sys.argv) > 1 else "out/examples")
FOLDER.mkdir(parents=True, exist_ok=True)

small = Image.open(SAMPLES / "small" / "tiny.png").convert("RGB").crop((40, 0, 140, 100))
result = ldrps.restore(small, scale=2, preset="fast")
print(small.size, "became", result.image.size)
print(result.words)

# %%
# Each pixel twice, a cubic, and ldrps
# ------------------------------------

size = result.image.size
versions = [small.resize(size, Image.Resampling.NEAREST), small.resize(size, Image.Resampling.BICUBIC), result.image]
sheet = Image.new("RGB", (3 * size[0], size[1]))
for number, version in enumerate(versions):
    sheet.paste(version, (number * size[0], 0))
sheet.save(FOLDER / "make_it_larger.png")
