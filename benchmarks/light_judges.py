"""How far the judges of haze and of casts can be believed: on photographs that were held out of training.

    python benchmarks/light_judges.py PHOTOS... -o out/light-judges

For each of the two, of pictures that have it and of others: how probable it is held on average, and PSNR in dB before
and after it is undone, as it is told, whether believed or not; the expected calibration error; and, with different
probabilities of it before a picture is seen, how many of either are changed. Leaves a reliability diagram.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from judging import calibration, draw_reliability
from torch import Tensor

from ldrps.bench.priors.common import psnr_of
from ldrps.degradation import Degradation, GaussianBlur
from ldrps.estimation.damage import Estimate
from ldrps.estimation.estimators import load_estimators
from ldrps.estimation.light import cast_of, haze_of
from ldrps.train.cast_task import CastTask
from ldrps.train.haze_task import HazeTask
from ldrps.train.light_task import LightTask
from ldrps.train.photos import Photographs

Asked = Callable[[Tensor, Any], tuple[Tensor, Degradation]]
_THERE = (0.5, 0.3, 0.2, 0.1, 0.05)


@torch.no_grad()
def judged(task: LightTask, judge: Any, ask: Asked, count: int) -> dict[str, Tensor]:
    """What is believed of each held-out picture, the truth, and dB before and after."""
    pictures = task.examples(task.held_out, count, np.random.default_rng(1))
    rows = []
    for clean, seen in zip(pictures.clean.split(1), pictures.seen.split(1), strict=True):
        logit, damage = ask(seen, judge)
        rows.append([float(logit), psnr_of(seen, clean), psnr_of(damage.invert(seen).clamp(0, 1), clean)])
    logits, before, after = torch.tensor(rows).T
    return {"logit": logits, "there": pictures.there, "before": before, "after": after}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path, nargs="+", help="folders; one photograph in twenty is held out")
    parser.add_argument("-o", "--out", type=Path, required=True)
    parser.add_argument("--estimators", default="packaged")
    parser.add_argument("--count", type=int, default=600, help="pictures judged")
    given = parser.parse_args()
    torch.set_num_threads(1)
    photos, judges = Photographs(given.photos, held_out=True), load_estimators(given.estimators)
    given.out.mkdir(parents=True, exist_ok=True)
    lines = {}
    for name, task, judge, ask, seen in (
        ("haze", HazeTask(photos, photos), judges.haze, haze_of, "hazy"),
        ("cast", CastTask(photos, photos), judges.cast, cast_of, "casts"),
    ):
        if judge is None:
            continue
        found = judged(task, judge, ask, given.count)
        there, told = found["there"], torch.sigmoid(found["logit"])
        for label, which in ((name, there), (f"no {name}", ~there)):
            means = "".join(f"{float(found[key][which].mean()):8.2f}" for key in ("before", "after") if which is there)
            print(f"{label:<10}{int(which.sum()):5d}  told {float(told[which].mean()):.2f}{means}")
        error, lines[name] = calibration(told, there)
        print(f"expected calibration error of {name}: {error:.3f}")
        for before in _THERE:
            shift = np.log(before / (1 - before)) - np.log(judge.config[seen] / (1 - judge.config[seen]))
            odds = torch.sigmoid(found["logit"] + shift)
            acted = torch.tensor([Estimate(GaussianBlur(1.0), float(each)).share > 0 for each in odds])
            shares = [100 * float(acted[which].float().mean()) for which in (~there, there)]
            print(f"{name} {before:.2f} before: {shares[0]:.1f} % of those without are changed, {shares[1]:.1f} % with")
    draw_reliability(given.out / "reliability.svg", lines, f"{given.count} held-out pictures")


if __name__ == "__main__":
    main()
