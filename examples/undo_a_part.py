"""Undo a part, or half of it
==========================

What was found need not be undone as a whole: parts can be left out, and each can be undone by half or by more. What
happened is scaled, stops of light here, and no pictures are mixed.

``python examples/undo_a_part.py [FOLDER]`` leaves its picture in the folder, else in ``out/examples``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image

import ldrps

SAMPLES = Path(sys.argv[0]).resolve().parents[1] / "samples"
FOLDER = Path(sys.argv[1] if len(sys.argv) > 1 else "out/examples")
FOLDER.mkdir(parents=True, exist_ok=True)

picture = Image.open(SAMPLES / "dark.png").crop((60, 0, 220, 160))
restorer = ldrps.Restorer(ldrps.load_prior(), ldrps.preset("fast"))  # made once, for all pictures
whole = restorer(picture)
print("found:", whole.words)

# %%
# Given back
# ----------
# The damage that was found can be given back, so that nothing is judged again: as it is, it gives the same picture.

again = restorer(picture, damage=whole.damage)
print("the same:", np.array_equal(again.levels, whole.levels))

# %%
# By half
# -------
# With half of the stops, and with the noise left in. On the command line: ``--strength tone=0.5`` and ``--skip noise``.


def undone(strength: dict[str, float] | None = None, skip: tuple[str, ...] = ()) -> ldrps.Result:
    """The picture with a part of what was found undone."""
    settings = restorer.settings.with_strengths(strength, skip=skip)
    return restorer.with_settings(settings)(picture, damage=whole.damage)


half, grainy = undone({"tone": 0.5}), undone(skip=("noise",))
for name, result in (("all", whole), ("half of the stops", half), ("noise left in", grainy)):
    print(f"{name}: brightness {result.levels.mean() / 255:.2f}")

# %%
# As it is, all undone, half of the stops, noise left in:

pictures = [picture, whole.image, half.image, grainy.image]
sheet = np.hstack([np.asarray(each.convert("RGB")) for each in pictures])
Image.fromarray(sheet).save(FOLDER / "undo_a_part.png")
