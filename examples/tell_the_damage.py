"""Tell the damage
===============

Who knows what happened to a picture can say so, and nothing is estimated. A part is short: a kind, and its numbers.

``python examples/tell_the_damage.py [FOLDER]`` leaves its picture in the folder, else in ``out/examples``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image

import ldrps
from ldrps.degradation import KINDS

SAMPLES = Path(sys.argv[0]).resolve().parents[1] / "samples"
FOLDER = Path(sys.argv[1] if len(sys.argv) > 1 else "out/examples")
FOLDER.mkdir(parents=True, exist_ok=True)

# %%
# A sample that is out of focus
# -----------------------------
# ``samples/README.md`` says how it was made: a Gaussian of 1.6 pixels, and noise of 1 of 255. The same as a file of
# JSON is what ``--damage`` takes.

picture = Image.open(SAMPLES / "blurred.png").crop((60, 10, 220, 170))
damage = ldrps.Damage.from_plain(
    {
        "blur": {"kind": "gaussian blur", "sigma": 1.6},
        "noise": {"kind": "white noise", "sigma": 1 / 255},
    }
)
told = ldrps.restore(picture, damage=damage, preset="fast")
print("told:", told.words)

# %%
# Wrongly told
# ------------
# What is told is believed: of a blur that is twice as wide rings are left.

wide = {"blur": {"kind": "gaussian blur", "sigma": 3.2}, "noise": {"kind": "white noise", "sigma": 1 / 255}}
wrong = ldrps.restore(picture, damage=ldrps.Damage.from_plain(wide), preset="fast")
print("wrongly told:", wrong.words)

# %%
# As it is, rightly told, wrongly told:

sheet = np.hstack([np.asarray(each.convert("RGB")) for each in (picture, told.image, wrong.image)])
Image.fromarray(sheet).save(FOLDER / "tell_the_damage.png")

# %%
# All kinds
# ---------
# There are more kinds than can be undone; ``ldrps degrade`` makes the others too.

print(", ".join(KINDS))
