"""How far the judge of casts can be believed: on photographs that were held out of training.

    python benchmarks/cast_judge.py PHOTOS... -o out/cast-judge

Of pictures with a cast and of others: how probable one is held on average, and PSNR in dB before and after it is undone
as it is told, whether believed or not; the expected calibration error; and, with different probabilities of a cast
before a picture is seen, how many of either are changed. Leaves a reliability diagram.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from judging import calibration, draw_reliability
from torch import Tensor

from ldrps.bench.priors.common import psnr_of
from ldrps.degradation import GaussianBlur
from ldrps.estimation.cast_posterior import CastPosterior
from ldrps.estimation.damage import Damage, Estimate
from ldrps.estimation.estimators import load_estimators
from ldrps.estimation.light import cast_of
from ldrps.estimation.pooling import odds_with_prior
from ldrps.train.cast_task import CastTask
from ldrps.train.photos import Photographs

_BEFORE = (0.5, 0.2, 0.1, 0.05, 0.02, 0.01)


@torch.no_grad()
def judged(task: CastTask, judge: CastPosterior, count: int) -> dict[str, Tensor]:
    """What is believed of each held-out picture, the truth, and dB before and after."""
    pictures, rows = task.examples(task.held_out, count, np.random.default_rng(1)), []
    for clean, seen in zip(pictures.clean.split(1), pictures.seen.split(1), strict=True):
        logit, cast = cast_of(seen, judge)
        rows.append([float(logit), psnr_of(seen, clean), psnr_of(Damage(Estimate(cast)).undo_tone(seen), clean)])
    logits, before, after = torch.tensor(rows).T
    return {"logit": logits, "there": pictures.there, "before": before, "after": after}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path, nargs="+", help="folders; one photograph in twenty is held out")
    parser.add_argument("-o", "--out", type=Path, required=True)
    parser.add_argument("--estimators", default="packaged")
    parser.add_argument("--count", type=int, default=800, help="pictures judged")
    given = parser.parse_args()
    torch.set_num_threads(1)
    photos, judge = Photographs(given.photos, held_out=True), load_estimators(given.estimators).cast
    given.out.mkdir(parents=True, exist_ok=True)
    found = judged(CastTask(photos, photos), judge, given.count)
    there, told, seen = found["there"], torch.sigmoid(found["logit"]), float(judge.config["casts"])
    before, after = (float(found[key][there].mean()) for key in ("before", "after"))
    print(f"{int(there.sum())} with a cast: told {float(told[there].mean()):.2f}, {before:.2f} dB, then {after:.2f}")
    print(f"{int((~there).sum())} without: told {float(told[~there].mean()):.2f}")
    error, points = calibration(told, there)
    print(f"expected calibration error: {error:.3f}")
    for share in _BEFORE:
        believed = [odds_with_prior(logit, share, seen) for logit in found["logit"]]
        acted = torch.tensor([Estimate(GaussianBlur(1.0), each).share > 0 for each in believed])
        without, those = (100 * float(acted[which].float().mean()) for which in (~there, there))
        print(f"{share:.2f} before: {without:.1f} % of those without are changed, {those:.1f} % with")
    draw_reliability(given.out / "reliability.svg", {"cast": points}, f"{given.count} held-out pictures")


if __name__ == "__main__":
    main()
