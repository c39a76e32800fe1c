"""What it costs and saves that the steps of a chain share the offsets of the prior's grid among them.

    python benchmarks/offsets.py PHOTOS... --count 12 [--weights DIR]

Held-out photographs of 256 pixels with white noise, of a level that is told, restored by `default` and `best` in both
ways: PSNR, LPIPS where its weights are at hand, and seconds of the processor, on one thread.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from rich import print
from rich.table import Table

from ldrps import Restorer, Settings, load_prior, preset
from ldrps.bench.judges import Judges
from ldrps.image.arrays import to_pil
from ldrps.metrics import psnr
from ldrps.metrics.lpips import LPIPS
from ldrps.prior import EMBEDDED, precision_of
from ldrps.settings import BlindSettings
from ldrps.train.photos import Photographs
from ldrps.weights import read_weights

_SIDE, _REDUCTION = 256, (1.0, 1.6)


def contenders() -> dict[str, Settings]:
    """By name: `default` and `best`, and each with all offsets in every step, as they were before."""
    found = {}
    for name, shifts in (("default", 4), ("best", 8)):
        settings = preset(name).with_strengths(skip=["tone", "blur"])
        assert isinstance(settings.method, BlindSettings)
        apart = replace(settings.method, share_shifts=False, shifts=shifts)
        found[f"{name}, all offsets in each step"] = replace(settings, method=apart)
        found[name] = settings
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path, nargs="+", help="folders; one photograph in twenty is held out")
    parser.add_argument("--count", type=int, default=12, help="photographs")
    parser.add_argument("--levels", type=float, nargs="+", default=[8, 12, 20, 30, 50], help="of noise, of 255")
    parser.add_argument("--weights", type=Path, help="where those of LPIPS are")
    parser.add_argument("--dtype", default="auto", help="precision of the prior")
    given = parser.parse_args()
    torch.set_num_threads(1)
    judges = Judges.at_hand(given.weights)
    lpips = None
    if judges.lpips_backbone and judges.lpips_heads:
        lpips = LPIPS(judges.lpips_net, read_weights(judges.lpips_backbone), read_weights(judges.lpips_heads))
    photos = Photographs(given.photos, held_out=True, min_side=_SIDE)
    crops = photos.crops(np.random.default_rng(0), given.count, _SIDE, _REDUCTION)
    prior = load_prior(dtype=precision_of(EMBEDDED, given.dtype, "cpu"))
    table = Table("noise", *contenders())
    for level in given.levels:
        cells = []
        for settings in contenders().values():
            restorer = Restorer(prior, settings.with_changes(noise=level))
            scores = []
            for number, x in enumerate(crops.split(1)):
                noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(number))
                y, clean = to_pil(x[0] + level / 255 * noise[0]), to_pil(x[0])
                began = time.process_time()
                restored = restorer(y).image
                seconds = time.process_time() - began
                distance = np.nan if lpips is None else float(lpips(restored, clean))
                scores.append((float(psnr(restored, clean)), distance, seconds))
            decibels, distance, seconds = np.mean(scores, 0)
            cells.append(f"{decibels:.3f} / {distance:.4f} / {seconds:.2f} s")
        table.add_row(f"{level:g}", *cells)
    print(table)


if __name__ == "__main__":
    main()
