"""How far the judge of blur can be believed: on photographs that were held out of training, kind by kind.

    python benchmarks/blur_judge.py PHOTOS... -o out/blur-judge

Prints, for what is sharp and for each kind of blur: how probable blur is held on average, how often the kind is right,
how far off the size is, and how often the truth lies within the 50 and 90 % that the belief gives it; and the expected
calibration error of "it is blurred" and of each kind. Then, of sharp pictures as the default judges them, with
different probabilities of blur before a picture is seen: how many are left alone; and how many blurred ones are found.
Leaves a reliability diagram.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from judging import WITHIN, calibration, draw_reliability
from torch import Tensor

from ldrps.degradation import GaussianBlur
from ldrps.estimation.blur_posterior import BLURS, BlurPosterior
from ldrps.estimation.damage import Estimate
from ldrps.estimation.estimators import load_estimators
from ldrps.train.blur_task import BlurTask
from ldrps.train.photos import Photographs

_TOGETHER = 25
_SHARP = (0.5, 0.7, 0.8, 0.9, 0.95)


@torch.no_grad()
def judged(judge: BlurPosterior, task: BlurTask, count: int, side: int) -> dict[str, Tensor]:
    """What is believed of held-out pictures, and the truth."""
    random, rows = np.random.default_rng(1), []
    for _ in range(count // _TOGETHER):
        blurred = task.examples(task.held_out, _TOGETHER, side, random)
        belief = judge(blurred.seen)
        of = (blurred.kind - 1).clamp_min(0)[:, None]
        middle, spread = (each.gather(1, of)[:, 0] for each in (belief.middle, belief.spread))
        rows.append((belief.probability, blurred.kind, blurred.size, middle, spread))
    names = ("probability", "kind", "size", "middle", "spread")
    return dict(zip(names, map(torch.cat, zip(*rows, strict=True)), strict=True))


def line(name: str, found: dict[str, Tensor], which: Tensor) -> str:
    """A row of the table, of the pictures that are meant."""
    probability, kind = found["probability"][which], found["kind"][which]
    right = (probability.argmax(1) == kind).float().mean()
    text = f"{name:<12}{which.sum():5d}{1 - probability[:, 0].mean():8.2f}{100 * right:8.0f} %"
    there = which & (found["kind"] > 0)
    if bool(there.any()):
        error = found["size"][there].log() - found["middle"][there]
        text += f"{error.square().mean().sqrt().exp():8.2f}"
        for deviations in WITHIN.values():
            text += f"{100 * (error.abs() < deviations * found['spread'][there]).float().mean():6.0f} %"
    return text


def touched(found: dict[str, Tensor], sharp: float, none: float) -> str:
    """How many sharp pictures are changed, and how many blurred ones, with a probability of none that is told."""
    odds = sharp / none * found["probability"][:, 0]
    blurred = 1 - odds / (odds + (1 - sharp) / (1 - none) * (1 - found["probability"][:, 0]))
    acted = torch.tensor([Estimate(GaussianBlur(1.0), float(each)).share > 0 for each in blurred])
    there = found["kind"] > 0
    shares = (100 * float(acted[which].float().mean()) for which in (~there, there))
    return f"sharp {sharp:.2f}: {{:.1f}} % of the sharp are changed, {{:.1f}} % of the blurred".format(*shares)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path, nargs="+", help="folders; one photograph in twenty is held out")
    parser.add_argument("-o", "--out", type=Path, required=True)
    parser.add_argument("--estimators", default="packaged")
    parser.add_argument("--count", type=int, default=1000, help="pictures judged")
    parser.add_argument("--side", type=int, default=160, help="of a picture, in pixels")
    given = parser.parse_args()
    torch.set_num_threads(1)
    held_out = Photographs(given.photos, held_out=True, min_side=200)
    judge = load_estimators(given.estimators).blur
    given.out.mkdir(parents=True, exist_ok=True)
    print(f"{'':12}{'':>5}{'blur':>8}{'kind':>10}{'factor':>8}" + "".join(f"{name:>8}" for name in WITHIN))
    found = judged(judge, BlurTask(held_out, held_out), given.count, given.side)
    for index, name in enumerate(("sharp", *BLURS)):
        print(line(name, found, found["kind"] == index))
    lines = {}
    for name, told, happened in (
        ("blur", 1 - found["probability"][:, 0], found["kind"] > 0),
        *((kind, found["probability"][:, 1 + k], found["kind"] == 1 + k) for k, kind in enumerate(BLURS)),
    ):
        error, lines[name] = calibration(told, happened)
        print(f"expected calibration error of {name}: {error:.3f}")
    for sharp in _SHARP:
        print(touched(found, sharp, judge.config["none"]))
    draw_reliability(given.out / "reliability.svg", lines, f"{given.count} held-out pictures")


if __name__ == "__main__":
    main()
