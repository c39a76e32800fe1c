"""What bfloat16 in the prior's network costs in PSNR and saves in time, beside float32, in one run.

    python benchmarks/precision.py PHOTOS... --count 3

Held-out photographs, damaged with a seed and restored by `default` in both, but for their tones, which are as they were
and whose errors would hide all others. Seconds are those of the processor, which
other processes change least; on one thread. Where the processor does not compute in bfloat16, it is slower.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from rich import print
from rich.table import Table

from ldrps import Restorer, load_prior, preset
from ldrps.degrade import parse
from ldrps.metrics import psnr
from ldrps.train.photos import Photographs

KINDS = ("noise=15", "noise=3", "camera=3200", "jpeg=20", "blur=1.6+noise=0.5", "downscale=2", "scratches=10,6")
_SIDE, _REDUCTION = 256, (1.0, 1.6)


def decibels(restorers: list[Restorer], x: np.ndarray, kind: str) -> tuple[list[float], list[float]]:
    """PSNR and seconds of each restorer, of a photograph [H, W, 3] in [0, 1]."""
    chain = parse(kind)
    damaged = chain.apply(x)
    lost = chain.lost(damaged.shape[:2])
    mask = Image.fromarray(lost) if lost.any() else None
    found: list[float] = []
    seconds: list[float] = []
    for restorer in restorers:
        larger = restorer.with_settings(restorer.settings.with_changes(scale=float(chain.reduction)))
        began = time.process_time()
        restored = larger(_image(damaged), mask=mask).image
        seconds.append(time.process_time() - began)
        found.append(float(psnr(restored, _image(chain.crop(x)))))
    return found, seconds


def _image(x: np.ndarray) -> Image.Image:
    return Image.fromarray((255 * x).round().clip(0, 255).astype(np.uint8))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path, nargs="+", help="folders; one photograph in twenty is held out")
    parser.add_argument("--count", type=int, default=3, help="photographs")
    parser.add_argument("--kinds", nargs="+", default=KINDS, help="of `ldrps degrade`")
    given = parser.parse_args()
    torch.set_num_threads(1)
    photos = Photographs(given.photos, held_out=True, min_side=_SIDE)
    crops = photos.crops(np.random.default_rng(0), given.count, _SIDE, _REDUCTION).permute(0, 2, 3, 1).numpy()
    settings = preset("default").with_strengths(skip=["tone"])
    restorers = [Restorer(load_prior(dtype=dtype), settings) for dtype in (torch.float32, torch.bfloat16)]
    decibels(restorers, crops[0], "none")  # what is loaded at first use is nobody's time
    table = Table("", "float32", "bfloat16 less float32: least, mean, most", "times the seconds")
    for kind in given.kinds:
        rows = [decibels(restorers, x, kind) for x in crops]
        found, seconds = (np.array(each) for each in zip(*rows, strict=True))
        less = found[:, 1] - found[:, 0]
        spread = f"{less.min():+.3f}, {less.mean():+.3f}, {less.max():+.3f}"
        times = seconds[:, 1].sum() / seconds[:, 0].sum()
        table.add_row(kind, f"{found[:, 0].mean():.2f}", spread, f"{times:.2f}")
    print(table)


if __name__ == "__main__":
    main()
