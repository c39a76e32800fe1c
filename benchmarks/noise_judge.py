"""How far the judge of noise can be believed: on photographs that were held out of training, kind by kind.

    python benchmarks/noise_judge.py PHOTOS... -o out/noise-judge
    python benchmarks/noise_judge.py PHOTOS... -o out/without-grain --leave-out grain --steps 1500

Prints, for none, each kind and each family of camera noise: how probable noise is held on average, how often the kind
is right, how far off the deviation is, and how often the truth lies within the 50 and 90 % that the belief gives it;
and the expected calibration error of "there is noise" and of each kind. Leaves a reliability diagram. With --leave-out
a judge is trained first that never meets that family.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from judging import WITHIN, calibration, draw_reliability, train_briefly, without
from torch import Tensor

from ldrps.estimation.estimators import load_estimators
from ldrps.estimation.noise_posterior import NoisePosterior
from ldrps.prior.base import NOISES
from ldrps.train.noise import FAMILIES
from ldrps.train.noise_task import NONE, NoiseTask
from ldrps.train.photos import Photographs

_TOGETHER = 50


@torch.no_grad()
def judged(judge: NoisePosterior, task: NoiseTask, count: int, side: int) -> dict[str, Tensor]:
    """What is believed of held-out pictures, and the truth."""
    random, rows = np.random.default_rng(1), []
    for _ in range(count // _TOGETHER):
        noisy, kind = task.examples(task.held_out, _TOGETHER, side, random)
        belief = judge(noisy.seen)
        of = (kind - 1).clamp_min(0)[:, None]
        middle, spread = (each.gather(1, of)[:, 0] for each in (belief.middle, belief.spread))
        rows.append((belief.probability, kind, noisy.level, middle, spread))
    names = ("probability", "kind", "level", "middle", "spread")
    return dict(zip(names, map(torch.cat, zip(*rows, strict=True)), strict=True))


def line(name: str, found: dict[str, Tensor], which: Tensor) -> str:
    """A row of the table, of the pictures that are meant."""
    probability, kind = found["probability"][which], found["kind"][which]
    right = (probability.argmax(1) == kind).float().mean()
    text = f"{name:<22}{which.sum():5d}{1 - probability[:, 0].mean():8.2f}{100 * right:8.0f} %"
    there = which & (found["kind"] > 0)
    if bool(there.any()):
        error = found["level"][there].log() - found["middle"][there]
        text += f"{error.square().mean().sqrt().exp():8.2f}"
        for deviations in WITHIN.values():
            text += f"{100 * (error.abs() < deviations * found['spread'][there]).float().mean():6.0f} %"
    return text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path, nargs="+", help="folders; one photograph in twenty is held out")
    parser.add_argument("-o", "--out", type=Path, required=True)
    parser.add_argument("--estimators", default="packaged")
    parser.add_argument("--count", type=int, default=2000, help="pictures judged")
    parser.add_argument("--side", type=int, default=128, help="of a picture, in pixels")
    parser.add_argument("--leave-out", choices=[*FAMILIES], help="a family that a judge trained here never meets")
    parser.add_argument("--steps", type=int, default=1500, help="of that training")
    given = parser.parse_args()
    torch.set_num_threads(1)
    held_out = Photographs(given.photos, held_out=True)
    judge = load_estimators(given.estimators).noise
    if given.leave_out:
        torch.manual_seed(0)
        judge = NoisePosterior(none=NONE)
        task = NoiseTask(Photographs(given.photos), held_out, families=without(FAMILIES, given.leave_out))
        train_briefly(judge, task, given.steps, given.out / "training")
    given.out.mkdir(parents=True, exist_ok=True)
    print(f"{'':22}{'':>5}{'noise':>8}{'kind':>10}{'factor':>8}" + "".join(f"{name:>8}" for name in WITHIN))
    found = judged(judge, NoiseTask(held_out, held_out), given.count, given.side)
    for index, name in enumerate(("none", *NOISES)):
        print(line(name, found, found["kind"] == index))
    for family in FAMILIES:
        only = judged(judge, NoiseTask(held_out, held_out, families={family: 1.0}), given.count // 2, given.side)
        print(line(f"camera: {family}", only, only["kind"] == 1 + NOISES.index("camera")))
    lines = {}
    for name, told, happened in (
        ("noise", 1 - found["probability"][:, 0], found["kind"] > 0),
        *((kind, found["probability"][:, 1 + k], found["kind"] == 1 + k) for k, kind in enumerate(NOISES)),
    ):
        error, lines[name] = calibration(told, happened)
        print(f"expected calibration error of {name}: {error:.3f}")
    draw_reliability(given.out / "reliability.svg", lines, f"{given.count} held-out pictures")


if __name__ == "__main__":
    main()
