"""What LD-RPS without its scales makes of photographs that it was not trained on, damaged as for the judge of tones.

    python benchmarks/ldrps_photos.py --photos PHOTOS
    python benchmarks/ldrps_photos.py --photos PHOTOS --count 60 --samples 9

Its numbers were chosen by this. Prints, of photographs made dark, made pale (veiled or flat) and left as they were, RGB
PSNR in dB: of what was seen, and of it with psi undone, which leaves the noise that half of them have; how many were
taken for damaged; and, of undamaged ones, how many have 36 dB to themselves. With --samples, how many of the truth's
means over blocks of 32 pixels lie between the least and the greatest of so many samples, of 9 80 % if samples were as
likely as the truth; the same of what was taken for damaged; and how wide that is.
"""

from __future__ import annotations

import argparse
import math
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from ldrps_loop import NEAR, SAME, Trial, settings_of
from torch import Tensor

from ldrps import Damage, load_prior
from ldrps.metrics import psnr
from ldrps.train.photos import Photographs
from ldrps.train.tones import damage_tones

SIDE, BLOCK = 256, 32
DARK = 0.75  # of the light that there was
UNTOLD = 20.0  # dB: who comes nearer was hardly damaged, and is left out


def kind_of(clean: Tensor, exact: Tensor) -> str:
    """What was done to a photograph [1, 3, H, W]; "" where it hardly shows."""
    if torch.equal(clean, exact):
        return "undamaged"
    if float(psnr(exact, clean)) > UNTOLD:
        return ""
    return "dark" if float(exact.mean()) < DARK * float(clean.mean()) else "pale"


def coverage(truth: Tensor, samples: list[Tensor]) -> tuple[float, float]:
    """The share of the blocks of the truth [1, 3, H, W] that are within those of the samples, and their width."""
    drawn = torch.stack([F.avg_pool2d(each, BLOCK) for each in samples])
    low, high, there = drawn.amin(0), drawn.amax(0), F.avg_pool2d(truth, BLOCK)
    inside = (there >= low - 0.5 / 255) & (there <= high + 0.5 / 255)
    return float(inside.float().mean()), float((high - low).mean())


class Row(NamedTuple):
    """Of a photograph: dB before and after, the gate, and what `coverage` says."""

    before: float
    after: float
    damaged: float
    covered: float
    width: float


def line(name: str, rows: list[Row]) -> str:
    told = [row for row in rows if row.damaged > 0]
    near = f"{sum(row.after >= NEAR for row in rows)}" if name == "undamaged" else "-"
    cells = [f"{len(rows)}", f"{mean(rows, 'before'):.2f}", f"{mean(rows, 'after'):.2f}", f"{len(told)}", near]
    cells += [f"{mean(rows, 'covered'):.2f}", f"{mean(told, 'covered'):.2f}", f"{mean(told, 'width'):.2f}"]
    return f"| {name} | " + " | ".join(cells) + " |"


def mean(rows: list[Row], name: str) -> float:
    return fmean(getattr(row, name) for row in rows) if rows else math.nan


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, required=True, help="the folder of `ldrps train`")
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--samples", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0, help="of crops and damage")
    parser.add_argument("--set", action="append", default=[], dest="changes", metavar="NAME=VALUE")
    given = parser.parse_args()
    settings, random = settings_of(given.changes), np.random.default_rng(given.seed)
    trial = Trial(load_prior(), settings)
    drawing = Trial(trial.prior, replace(settings, method=settings.method.sampled()))
    photographs = Photographs([given.photos], held_out=True, min_side=SIDE)
    made = damage_tones(photographs.crops(random, given.count, SIDE, (1.0, 3.0)), random)
    rows: defaultdict[str, list[Row]] = defaultdict(list)
    for x, exact, y in zip(made.clean.split(1), made.exact.split(1), made.seen.split(1), strict=True):
        kind = kind_of(x, exact)
        if not kind or (given.samples and kind == "undamaged"):
            continue
        found = trial.recur(y, 0)
        after = Damage(found.tone).undo_tone(y)
        drawn = [Damage(drawing.recur(y, seed).tone).undo_tone(y) for seed in range(given.samples)]
        covered, width = coverage(x, drawn) if drawn else (math.nan, math.nan)
        before, near = (min(float(psnr(each, x)), SAME) for each in (y, after))
        rows[kind].append(Row(before, near, found.damaged, covered, width))
    print("| kind | pictures | before | undone | damaged | near | covered | of the damaged | width |")
    for kind, found_rows in sorted(rows.items()):
        print(line(kind, found_rows), flush=True)


if __name__ == "__main__":
    main()
