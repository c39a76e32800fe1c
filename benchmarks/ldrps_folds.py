"""Whether LD-RPS without its scales folds: tones that come out in another order than they went in.

    python benchmarks/ldrps_folds.py PICTURE

Damages a clean picture, reduced to 128 pixels, in twenty ways, and restores each with five seeds. Prints for each way
the least correlation of a channel of what comes out with the same of what went in, over channels and seeds: pixel by
pixel, where much noise that was taken away leaves little, and of means over blocks of 8 pixels.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch.nn.functional as F
from ldrps_loop import Trial, least_correlation, settings_of
from torch import Tensor

from ldrps import Damage, load_prior
from ldrps.degrade import apply
from ldrps.image.arrays import to_pil
from ldrps.image.picture import load_picture
from ldrps.image.transfer import reduced

WAYS = (
    "none", "dark=0.5", "dark=0.2", "dark=0.1", "dark=0.05", "dark=0.1+noise=10", "haze=0.7", "haze=0.5", "haze=0.3",
    "fade=0.5", "cast", "exposure=-2", "exposure=1", "noise=15", "noise=40", "haze=0.5+noise=15", "blur=2", "jpeg=20",
    "rain", "dark=0.3+jpeg=30",
)  # fmt: skip
SIDE, BLOCK = 128, 8
SEEDS = 5


def block_means(x: Tensor) -> Tensor:
    return F.avg_pool2d(x, BLOCK)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--set", action="append", default=[], dest="changes", metavar="NAME=VALUE")
    given = parser.parse_args()
    trial = Trial(load_prior(), settings_of(given.changes))
    clean = to_pil(reduced(load_picture(given.picture).rgb, SIDE)[0])
    print("| | pixels | blocks |")
    for way in WAYS:
        y = load_picture(apply(clean, way, seed=1)).rgb
        pixels, blocks = [], []
        for seed in range(given.seeds):
            undone = Damage(trial.recur(y, seed).tone).undo_tone(y)
            restored = load_picture(trial.denoise(undone).image).rgb
            pixels.append(least_correlation(restored, y))
            blocks.append(least_correlation(block_means(restored), block_means(y)))
        print(f"| {way} | {min(pixels):.2f} | {min(blocks):.2f} |", flush=True)


if __name__ == "__main__":
    main()
