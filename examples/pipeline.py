"""A restorer in a pipeline
========================

A restorer as a module of a torch pipeline: a batch of the sample photographs restored, then reduced. The pictures
go in and come out as floats, [B, 3, H, W] in [0, 1]; in the place of the reduction a network of your own may stand.

``python examples/pipeline.py [FOLDER]`` leaves its picture in the folder, else in ``out/examples``.
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


def read(name: str) -> torch.Tensor:
    """A photograph as [3, 192, 192] in [0, 1]."""
    levels = np.asarray(Image.open(SAMPLES / f"{name}.png").convert("RGB"), dtype=np.float32)[4:196, 50:242]
    return torch.from_numpy(levels).permute(2, 0, 1) / 255


names = ["dark", "hazy", "noisy"]
y = torch.stack([read(name) for name in names])
pipeline = torch.nn.Sequential(ldrps.RestorerModule(preset="fast"), torch.nn.AvgPool2d(2)).eval()
x = pipeline(y)

for name, before, after in zip(names, y, x, strict=True):
    brightness, contrast = (f"{value(before):.2f} -> {value(after):.2f}" for value in (torch.mean, torch.std))
    print(f"{name}: brightness {brightness}, contrast {contrast}")
sheet = torch.cat([torch.cat([*torch.nn.functional.avg_pool2d(y, 2)], -1), torch.cat([*x], -1)], -2)
Image.fromarray((255 * sheet).round().byte().permute(1, 2, 0).numpy()).save(FOLDER / "pipeline.png")
