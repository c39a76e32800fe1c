"""What LD-RPS without its scales makes of the development sets, blind, with one setting for all.

    python benchmarks/ldrps_loop.py --data DATA
    python benchmarks/ldrps_loop.py --data DATA --seeds 1 --set chains=1 --set recurrences=0 lol hsts

Prints RGB PSNR in dB, mean over pictures and seeds: of the damaged picture; of it with psi undone; of what the chain
made, a small copy, beside the truth in that size; and of the picture with psi undone and then without its noise, as the
default takes it away, which is the result. Then, of the result, the deviation between seeds, the least correlation of a
channel with the damaged one, which a fold of psi would lower, how many pictures were taken for damaged, and seconds. Of
sets that end in -clean, how near the result stays to the picture, as the mean of at most 60 dB and the number at 36 and
above.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean, stdev
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from ldrps import Damage, Restorer, load_prior, preset
from ldrps.bench.data import Pair, data_set
from ldrps.estimation.estimators import load_estimators
from ldrps.image.arrays import to_pil
from ldrps.image.picture import load_picture
from ldrps.image.sheet import contact_sheet
from ldrps.image.write import write_image
from ldrps.methods.ldrps import Recurred, recur
from ldrps.metrics import psnr
from ldrps.prior.base import Prior
from ldrps.settings import LdrpsSettings, Settings

SETS = ("lol", "hsts", "kodak_noise30", "lol-clean", "hsts-clean", "kodak_noise30-clean")
NEAR, SAME = 36.0, 60.0  # dB to the picture itself


class Row(NamedTuple):
    """Of a picture and a seed: dB before, undone, sampled and restored; the rest as in the table."""

    before: float
    undone: float
    sampled: float
    restored: float
    correlation: float
    damaged: float
    seconds: float


class Trial:
    """One setting, with the last step of the default behind it."""

    def __init__(self, prior: Prior, settings: Settings) -> None:
        self.prior, self.settings = prior, settings
        self.judge = load_estimators().tone
        self.denoise = Restorer(prior, preset("default").with_strengths(skip=["tone"]))

    def recur(self, y: Tensor, seed: int) -> Recurred:
        steps = recur(y, self.prior, self.settings.with_changes(seed=seed), judge=self.judge)
        while True:
            try:
                next(steps)
            except StopIteration as finished:
                return finished.value

    def row(self, pair: Pair, seed: int) -> tuple[Row, Tensor]:
        y = load_picture(pair.source).rgb
        x = y if pair.target is None else load_picture(pair.target).rgb
        began = time.perf_counter()
        found = self.recur(y, seed)
        undone = Damage(found.tone).undo_tone(y)
        restored = load_picture(self.denoise(undone).image).rgb
        seconds = time.perf_counter() - began
        before, after, end = (min(float(psnr(each, x)), SAME) for each in (y, undone, restored))
        beyond = min(float(psnr(found.restored, F.interpolate(x, found.restored.shape[-2:], mode="area"))), SAME)
        return Row(before, after, beyond, end, least_correlation(restored, y), found.damaged, seconds), restored


def least_correlation(restored: Tensor, y: Tensor) -> float:
    """Of the channels [1, 3, H, W] with the same of the damaged picture."""
    pairs = zip(restored[0].flatten(1), y[0].flatten(1), strict=True)
    return min(float(torch.corrcoef(torch.stack(pair))[0, 1].nan_to_num(1.0)) for pair in pairs)


def line(name: str, rows: Sequence[Sequence[Row]]) -> str:
    """A line of the table: rows of each seed."""
    every = [row for seed in rows for row in seed]
    means = [fmean(row.restored for row in seed) for seed in rows]
    cells = [f"{fmean(row[k] for row in every):.2f}" for k in range(4)]
    cells += [f"{stdev(means):.2f}" if len(means) > 1 else "-", f"{min(row.correlation for row in every):.2f}"]
    cells += [f"{sum(row.damaged > 0 for row in rows[0])}", f"{fmean(row.seconds for row in every):.1f}"]
    if name.endswith("-clean"):
        cells.append(f"{sum(row.restored >= NEAR for row in every)} of {len(every)} near")
    return f"| {name} | {len(rows[0])} | " + " | ".join(cells) + " |"


def settings_of(given: Sequence[str]) -> Settings:
    """The preset with some numbers of the settings or of its loop changed, "steps=20"."""
    settings = preset("ldrps")
    method = settings.method
    assert isinstance(method, LdrpsSettings)
    loop = method.loop
    for each in given:
        name, _, value = each.partition("=")
        change = {name: json.loads(value)}
        if hasattr(loop, name):
            loop = dataclasses.replace(loop, **change)
        else:
            settings = settings.with_changes(**change)
    return settings.with_changes(method=dataclasses.replace(method, loop=loop))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", default=SETS)
    parser.add_argument("--data", type=Path, action="append", required=True, help="a folder of the sets")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--limit", type=int, help="the first so many pictures of each set")
    parser.add_argument("--set", action="append", default=[], dest="changes", metavar="NAME=VALUE")
    parser.add_argument("--verbose", action="store_true", help="a line for each picture too")
    parser.add_argument("-o", "--out", type=Path, help="a folder for sheets of what was seen")
    given = parser.parse_args()
    trial = Trial(load_prior(), settings_of(given.changes))
    print("| set | pictures | before | undone | sampled | restored | seeds | correlation | damaged | s |", flush=True)
    for name in given.sets:
        rows: list[list[Row]] = []
        shown = []
        for seed in range(given.seeds):
            rows.append([])
            for pair in data_set(name).pairs(*given.data)[: given.limit]:
                row, restored = trial.row(pair, seed)
                rows[-1].append(row)
                if given.verbose:
                    print(name, pair.name, *(f"{value:.2f}" for value in row), flush=True)
                if seed == 0:
                    shown.append([(to_pil(load_picture(pair.source).rgb[0]), pair.name), (to_pil(restored[0]), "")])
        print(line(name, rows), flush=True)
        if given.out is not None:
            write_image(contact_sheet(shown), given.out / f"{name}.png", overwrite=True)


if __name__ == "__main__":
    main()
