"""Restore, and look at what was found
===================================

One call restores a picture of which nobody says what is wrong with it. What was found is there to be read: in
words, part by part with how likely it is, and as plain data.

``python examples/look_at_what_was_found.py [FOLDER]`` leaves its pictures in the folder, else in ``out/examples``.
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image

import ldrps

SAMPLES = Path(sys.argv[0]).resolve().parents[1] / "samples"
FOLDER = Path(sys.argv[1] if len(sys.argv) > 1 else "out/examples")
FOLDER.mkdir(parents=True, exist_ok=True)

# %%
# In one call
# -----------
# ``preset="fast"`` asks the prior once; leave it out for the default. A part of a photograph is enough to show it.

picture = Image.open(SAMPLES / "dark.png").crop((60, 0, 260, 200))
result = ldrps.restore(picture, preset="fast")
print(result.words)

# %%
# Part by part
# ------------
# ``tone`` is exposure, contrast, haze and colour. Where a part is likelier than 3 to 1 all of it is undone, where
# less likely than 1 to 3 nothing.

damage = result.damage
assert damage is not None  # the paper's presets learn it as a whole, and do not tell
for name in ("tone", "blur", "noise"):
    part = getattr(damage, name)
    told = "nobody looked for it" if part is None else f"{part.probability:.0%} likely, {part.share:.0%} of it undone"
    print(f"{name}: {told}")
print(f"stops: {result.findings.plain()['tones']['stops']:.1f}")
print(f"noise of kind {damage.noise_kind}, {255 * damage.noise_deviation:.0f} of 255")

# %%
# Before and after
# ----------------
# Saved, the record lies beside the picture: settings, seed, findings, timings, versions.

result.save(FOLDER / "found.png", overwrite=True)
sheet = Image.new("RGB", (2 * picture.width, picture.height))
sheet.paste(picture, (0, 0))
sheet.paste(result.image, (picture.width, 0))
sheet.save(FOLDER / "look_at_what_was_found.png")
