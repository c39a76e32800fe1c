"""How often a program's change of tones is told from the levels that it left, and undone where it was for the worse.

    python benchmarks/tone_traces.py PHOTOS... --count 40

Photographs that were held out are rounded to 8 bits, changed and rounded again. "Right" is a curve that leaves the
photograph within 2 of 255 once it is undone. Then photographs that are damaged, as others are in training, are changed
by the line that brings them nearest to what they were: that is not to be undone. And as they are, no curve is to be
found.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from rich import print
from rich.table import Table
from torch import Tensor

from ldrps.degradation import Degradation, Exposure, Tone, WhiteBalance
from ldrps.estimation import PACKAGED
from ldrps.estimation.estimators import load_estimators
from ldrps.estimation.light import estimate_light
from ldrps.estimation.tone_traces import traced_tone
from ldrps.train.photos import Photographs
from ldrps.train.tones import damage_tones

_SIDE, _REDUCTION = 320, (1.0, 1.3)
_RIGHT = 2 / 255
_UNDAMAGED = 0.8


def _flatter(random: np.random.Generator) -> Degradation:
    gain = random.uniform(0.4, 0.88)
    return Tone(gain, (1 - gain) * random.uniform(0, 1))


def _steeper(random: np.random.Generator) -> Degradation:
    gain = random.uniform(1.12, 1.5)
    return Tone(gain, (1 - gain) * random.uniform(0.3, 0.6))


def _cast(random: np.random.Generator) -> Degradation:
    warm, cool = random.uniform(1.1, 1.3), random.uniform(0.6, 0.88)
    red, blue = (warm, cool) if random.random() < 0.5 else (cool, warm)
    return WhiteBalance(torch.tensor([red, 1.0, blue]).float(), domain="srgb")


CHANGES: dict[str, Callable[[np.random.Generator], Degradation]] = {
    "gain 0.25 to 0.5": lambda random: Tone(random.uniform(0.25, 0.5)),
    "gain 0.5 to 0.88": lambda random: Tone(random.uniform(0.5, 0.88)),
    "gain 1.12 to 1.6": lambda random: Tone(random.uniform(1.12, 1.6)),
    "gamma 1.15 to 2.5": lambda random: Tone(gamma=random.uniform(1.15, 2.5)),
    "gamma 0.45 to 0.88": lambda random: Tone(gamma=random.uniform(0.45, 0.88)),
    "0.4 to 2 stops darker": lambda random: Exposure(random.uniform(-2, -0.4)),
    "0.4 to 1.2 stops lighter": lambda random: Exposure(random.uniform(0.4, 1.2)),
    "less contrast": _flatter,
    "more contrast": _steeper,
    "cast": _cast,
}


def rounded(x: Tensor) -> Tensor:
    """To 8 bits."""
    return (255 * x.clamp(0, 1)).round() / 255


def psnr(x: Tensor, clean: Tensor) -> float:
    """In dB, no more than 60."""
    return -10 * float((x - clean).square().mean().clamp_min(1e-6).log10())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path, nargs="+", help="folders; one photograph in twenty is held out")
    parser.add_argument("--count", type=int, default=40, help="photographs for each change")
    parser.add_argument("--estimators", default=PACKAGED, help="a folder of judges")
    given = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    judges, random = load_estimators(given.estimators), np.random.default_rng(0)
    photos = Photographs(given.photos, held_out=True, min_side=_SIDE)

    def undone(y: Tensor, traced: bool) -> tuple[Tensor, float]:
        damage = estimate_light(y, judges, _UNDAMAGED, traced_tone(y) if traced else None)
        assert damage.tone is not None
        return damage.of_size(*y.shape[-2:]).undo_tone(y), damage.tone.share

    table = Table("change", "curve found", "right", "dB before", "judges alone", "traces too")
    for name, change in CHANGES.items():
        found = right = 0
        figures = []
        for x in map(rounded, photos.crops(random, given.count, _SIDE, _REDUCTION).split(1)):
            y = rounded(change(random)(x))
            traced = traced_tone(y)
            if traced is not None:
                found += 1
                kept = y < 1  # what was cut off is gone
                right += float(((traced.invert(y).clamp(0, 1) - x) * kept).abs().mean()) < _RIGHT
            figures.append((psnr(y, x), psnr(undone(y, False)[0], x), psnr(undone(y, True)[0], x)))
        means = np.mean(figures, 0)
        table.add_row(name, str(found), str(right), *(f"{value:.2f}" for value in means))
    for family in ("dark", "flat", "cast", "curve", "veil"):
        pictures = damage_tones(photos.crops(random, given.count, _SIDE, _REDUCTION), random, {family: 1.0}, 0.0)
        found, figures = 0, []
        for seen, clean in zip(map(rounded, pictures.seen.split(1)), pictures.clean.split(1), strict=True):
            gain = float(((seen - seen.mean()) * (clean - clean.mean())).mean() / seen.var().clamp_min(1e-4))
            y = rounded(clean.mean() + gain * (seen - seen.mean()))
            found += traced_tone(y) is not None
            figures.append((psnr(y, clean), psnr(undone(y, False)[0], clean), psnr(undone(y, True)[0], clean)))
        means = np.mean(figures, 0)
        table.add_row(f"{family}, mended by a line", str(found), "", *(f"{value:.2f}" for value in means))
    print(table)
    pieces = photos.crops(random, 10 * given.count, _SIDE, _REDUCTION).split(1)
    print(
        f"as they are: a curve is found of {sum(traced_tone(rounded(x)) is not None for x in pieces)} of {len(pieces)}"
    )


if __name__ == "__main__":
    main()
