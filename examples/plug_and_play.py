"""A denoiser in a loop of one's own
=================================

The denoiser of the embedded prior in a plug-and-play loop: half of the pixels of a photograph are lost. Nothing of
ldrps knows of lost pixels here. Levels of noise fall; a data step, after which the known pixels are as they are
known, then the denoiser.

``python examples/plug_and_play.py [FOLDER]`` leaves its picture in the folder, else in ``out/examples``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image

import ldrps

SAMPLES = Path(sys.argv[0]).resolve().parents[1] / "samples"
FOLDER = Path(sys.argv[1] if len(sys.argv) > 1 else "out/examples")
FOLDER.mkdir(parents=True, exist_ok=True)

levels = np.asarray(Image.open(SAMPLES / "hazy.png").convert("RGB"), dtype=np.float32)[40:168, 80:208]
clean = torch.from_numpy(levels).permute(2, 0, 1)[None] / 255
known = torch.rand(1, 1, 128, 128, generator=torch.Generator().manual_seed(0)) < 0.5
y = known * clean

denoiser = ldrps.Denoiser(shifts=1)
x = torch.where(known, y, y.sum() / (3 * known.sum()))
for sigma in np.geomspace(0.3, 0.01, 20):
    x = torch.where(known, y, x)  # the data step: what is known is known exactly
    x = denoiser(x, sigma)
x = torch.where(known, y, x).clamp(0, 1)


def psnr(image: torch.Tensor) -> float:
    """In dB to the photograph."""
    return float(-10 * (image - clean).pow(2).mean().log10())


print(f"half of the pixels: {psnr(y):.2f} dB, filled in: {psnr(x):.2f} dB")
sheet = torch.cat([y, x, clean], -1)[0]
Image.fromarray((255 * sheet).round().byte().permute(1, 2, 0).numpy()).save(FOLDER / "plug_and_play.png")
