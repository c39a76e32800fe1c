"""How far the judge of tone can be believed: on photographs that were held out of training, family by family.

    python benchmarks/tone_judge.py PHOTOS... -o out/tone-judge
    python benchmarks/tone_judge.py PHOTOS... -o out/without-veil --leave-out veil --steps 1500

Prints, for photographs as they are, for what is unusual and right as it is, and for each family of damage: how probable
damage is held on average, how many are left as they are, of how many of them it is said that they may be damaged, PSNR
in dB of what is undone beside nothing and beside a stretch of contrast, and how often the error lies within the 50 and
90 % that the belief gives it; and the expected calibration error of "there is damage". Leaves a reliability diagram.
With --leave-out a judge is trained first that never meets that family.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from judging import calibration, draw_reliability, train_briefly, without
from torch import Tensor

from ldrps.bench.priors.common import psnr_of
from ldrps.estimation.estimators import Estimators, load_estimators
from ldrps.estimation.light import estimate_light
from ldrps.estimation.tone import newest
from ldrps.estimation.tone_posterior import TonePosterior
from ldrps.estimation.words import possible_change
from ldrps.image.tones import stretch
from ldrps.settings import BlindSettings
from ldrps.train.photos import Photographs
from ldrps.train.tone_task import ToneTask
from ldrps.train.tones import FAMILIES, UNDAMAGED, DamagedTones, damage_tones

_BEST = 50.0  # dB; what is left as it is has no more
_REDUCTION = (1.0, 1.3)
_WITHIN = (0.5, 0.9)
_MIXED = 5  # times as many pictures for the reliability diagram as of each family
_HEAD = " " * 14 + "damage      same       may    <32 dB   before  stretch    after    50 %    90 %"


@dataclass(frozen=True)
class Judged:
    """What was believed of pictures, each [N], and what became of them, in dB."""

    probability: Tensor
    share: Tensor
    doubt: Tensor
    psnr: Tensor
    before: Tensor
    stretched: Tensor
    within: Tensor


@torch.no_grad()
def judged(judges: Estimators, pictures: DamagedTones, undamaged: float) -> Judged:
    """Each picture by itself, as a restoration asks."""
    rows = []
    for clean, seen in zip(pictures.clean.split(1), pictures.seen.split(1), strict=True):
        damage = estimate_light(seen, judges, undamaged)
        undone, found = damage.undo_tone(seen), damage.tone
        assert found is not None
        plain = torch.from_numpy(stretch(seen[0].permute(1, 2, 0).numpy())).permute(2, 0, 1)[None]
        figures = [min(_BEST, psnr_of(each, clean)) for each in (undone, seen, plain)]
        doubt = bool(possible_change(damage, seen).faults())
        rows.append([found.probability, found.share, doubt, *figures, _quantile(newest(judges.tone), seen, clean)])
    return Judged(*torch.tensor(rows).T)


def _quantile(judge: TonePosterior, seen: Tensor, clean: Tensor) -> float:
    """Where the error of the likeliest curve lies in the exponential distribution that it announces."""
    belief = judge(seen)
    best = 1 + int(belief.weights[0, 1:].argmax())
    error = float((belief.undone(seen)[:, best].clamp(0, 1) - clean).square().mean().sqrt())
    return 1 - float(torch.exp(-error / belief.scales[0, best - 1]))


def crops(held_out: Photographs, count: int, side: int, seed: int) -> tuple[Tensor, np.random.Generator]:
    """Parts of held-out photographs, and what draws their damage."""
    random = np.random.default_rng(seed)
    return held_out.crops(random, count, side, _REDUCTION), random


def line(name: str, found: Judged) -> str:
    """A row of the table."""
    same = 100 * (found.share == 0).float().mean()
    may = 100 * found.doubt.mean()
    low = 100 * (found.psnr < 32).float().mean()
    within = "".join(f"{100 * (found.within < level).float().mean():6.0f} %" for level in _WITHIN)
    return (
        f"{name:<12}{found.probability.mean():8.2f}{same:8.0f} %{may:8.0f} %{low:8.0f} %"
        f"{found.before.mean():9.2f}{found.stretched.mean():9.2f}{found.psnr.mean():9.2f}{within}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path, nargs="+", help="folders; one photograph in twenty is held out")
    parser.add_argument("-o", "--out", type=Path, required=True)
    parser.add_argument("--estimators", default="packaged")
    parser.add_argument("--count", type=int, default=200, help="pictures of each family")
    parser.add_argument("--side", type=int, default=192, help="of a picture, in pixels")
    parser.add_argument("--undamaged", type=float, default=BlindSettings().undamaged, help="before a picture is seen")
    parser.add_argument("--leave-out", choices=[*FAMILIES], help="a family that a judge trained here never meets")
    parser.add_argument("--steps", type=int, default=1500, help="of that training")
    given = parser.parse_args()
    torch.set_num_threads(1)
    held_out = Photographs(given.photos, held_out=True, min_side=given.side)
    judges = load_estimators(given.estimators)
    if given.leave_out:
        torch.manual_seed(0)
        judge = TonePosterior(undamaged=UNDAMAGED)
        task = ToneTask(Photographs(given.photos), held_out, families=without(FAMILIES, given.leave_out))
        train_briefly(judge, task, given.steps, given.out / "training")
        judges = replace(judges, tone=judge)
    given.out.mkdir(parents=True, exist_ok=True)

    print(_HEAD)
    each = partial(crops, held_out, given.count, given.side)
    photos = DamagedTones.none(each(1)[0])
    print(line("photographs", judged(judges, photos, given.undamaged)), flush=True)
    print(line("unusual", judged(judges, damage_tones(*each(2), undamaged=1.0), given.undamaged)), flush=True)
    for family in FAMILIES:
        found = judged(judges, damage_tones(*each(3), {family: 1.0}, 0.0), given.undamaged)
        print(line(family, found), flush=True)
    mixed = damage_tones(*crops(held_out, _MIXED * given.count, given.side, 4))
    told = judged(judges, mixed, float(newest(judges.tone).config["undamaged"])).probability
    error, points = calibration(told, mixed.kind > 0)
    print(f"expected calibration error of damage: {error:.3f}")
    draw_reliability(given.out / "reliability.svg", {"damage": points}, f"{len(told)} held-out pictures")


if __name__ == "__main__":
    main()
