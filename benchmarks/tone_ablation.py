"""What each ingredient of the judge of tone is worth: judges that learned briefly, from nothing, all but one of them.

    python benchmarks/tone_ablation.py PHOTOS MORE-PHOTOS... -o out/ablation --data SETS [--without local]

`nothing` lacks nothing. `data` learns from the first folder of photographs alone; `damage` from dark, flat and bent
curves in place of damage as it happens (some of them with lights, lit from a side, or a little tinted); `local` has no
field, so that damage is the same everywhere; `unusual` has met nothing that is right as it is but photographs;
`evidence` is the judge that lacks nothing, taken at its curves' word: whatever it holds for likely is undone, whether
"nothing was done" would explain the picture better or not.

Prints for each, by one judge alone: of held-out photographs the mean PSNR in dB over the families of damage, how many
photographs and how many unusual pictures are left alone, and the expected calibration error; of sets the mean PSNR of
tone alone, and of pictures that are right how many are left alone. Judges that were trained before are found in --out.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import fmean

import numpy as np
import torch
from judging import calibration, train_briefly
from stable_tones import judged as undone_tones
from tone_judge import crops, judged
from torch import Tensor

from ldrps.bench.data import data_set, resolved
from ldrps.bench.inputs import prepare
from ldrps.bench.priors.common import psnr_of
from ldrps.estimation.estimators import Estimators, load_estimators, save_estimator
from ldrps.estimation.tone_posterior import TonePosterior
from ldrps.image.arrays import pixels
from ldrps.settings import BlindSettings
from ldrps.train.photos import Photographs
from ldrps.train.tone_task import ToneTask
from ldrps.train.tones import FAMILIES, UNDAMAGED, DamagedTones, damage_tones

SIDE = 192
EVEN_ALONE = ("dark", "flat", "curve")
DAMAGED = ("lol", "hsts", "fivek", "sots_indoor", "revide", "kodak_noise30-gain0.5", "kodak_noise30-haze0.3")
RIGHT = ("leave",)  # a group, or sets, of which nothing is wrong
_AT_THEIR_WORD = 1e-6  # the probability that nothing was done, before a picture is seen


@dataclass(frozen=True)
class Left:
    """What is left out, and what remains: the photographs, the task's settings, the judge's."""

    folders: int | None = None  # of photographs, the first so many
    families: tuple[str, ...] = tuple(FAMILIES)
    unusual: bool = True
    uneven: int = 2


VARIANTS = {
    "nothing": Left(),
    "data": Left(folders=1),
    "damage": Left(families=EVEN_ALONE),
    "local": Left(uneven=0),
    "unusual": Left(unusual=False),
}


def trained(left: Left, given: argparse.Namespace, out: Path) -> TonePosterior:
    """A judge that learned with what is left, or the one that did so before."""
    torch.manual_seed(0)
    judge = TonePosterior(widths=(32, 64, 128, 192), uneven=left.uneven, undamaged=UNDAMAGED, turned=True)
    if not (out / "tone").is_dir():
        task = ToneTask(
            Photographs(given.photos[: left.folders]),
            Photographs(given.photos, held_out=True, min_side=SIDE),
            batch=given.batch,
            families={name: FAMILIES[name] for name in left.families},
            unusual=left.unusual,
        )
        train_briefly(judge, task, given.steps, out / "training")
        save_estimator(out, "tone", judge)
    tone = load_estimators(out).tone
    assert isinstance(tone, TonePosterior)
    return tone


def of_held_out(judges: Estimators, undamaged: float, count: int, photos: Sequence[Path]) -> list[str]:
    """Of held-out photographs: PSNR of the damaged ones, how many others are left alone, the calibration error."""
    each = partial(crops, Photographs(photos, held_out=True, min_side=SIDE), count, SIDE)
    right = (DamagedTones.none(each(1)[0]), damage_tones(*each(2), undamaged=1.0))
    alone = [float((judged(judges, pictures, undamaged).share == 0).float().mean()) for pictures in right]
    damaged = [damage_tones(*each(3), {family: 1.0}, 0.0) for family in FAMILIES]
    families = [float(judged(judges, pictures, undamaged).psnr.mean()) for pictures in damaged]
    mixed = damage_tones(*each(4))
    error, _ = calibration(judged(judges, mixed, UNDAMAGED).probability, mixed.kind > 0)
    return [f"{fmean(families):.2f}", *(f"{share:.0%}" for share in alone), f"{error:.3f}"]


@torch.no_grad()
def of_sets(judges: Estimators, undamaged: float, roots: Sequence[Path]) -> list[str]:
    """Of sets: PSNR in dB of those that are damaged with their tones undone, and how many others are left alone."""
    cells = []
    for name in DAMAGED:
        figures = [psnr_of(undone, truth) for undone, truth, _ in _pictures([name], judges, undamaged, roots)]
        cells.append(f"{fmean(figures):.2f}")
    alone = [not acted for *_, acted in _pictures(resolved(RIGHT, *roots), judges, undamaged, roots)]
    return [*cells, f"{sum(alone)} of {len(alone)}"]


def _pictures(
    names: Sequence[str], judges: Estimators, undamaged: float, roots: Sequence[Path]
) -> list[tuple[Tensor, Tensor, bool]]:
    """Each picture with its tones undone, the truth, and whether there was anything to undo."""
    found = []
    for name in names:
        dataset = data_set(name)
        for pair in dataset.pairs(*roots):
            given, truth = prepare(dataset, pair)
            assert truth is not None
            y, x = (pixels(np.asarray(each.convert("RGB"))) for each in (given, truth))
            undone, acted = undone_tones(y, judges, undamaged)
            found.append((undone.clamp(0, 1), x, acted))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path, nargs="+", help="folders; one photograph in twenty is held out")
    parser.add_argument("-o", "--out", type=Path, required=True)
    parser.add_argument("--data", type=Path, action="append", default=[], help="a folder of sets; none if not given")
    parser.add_argument("--without", choices=[*VARIANTS, "evidence"], action="append", help="all if not given")
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--batch", type=int, default=24)
    parser.add_argument("--count", type=int, default=100, help="held-out pictures of each kind")
    given = parser.parse_args()
    torch.set_num_threads(1)
    packaged, usual = load_estimators(), BlindSettings().undamaged
    columns = ["without", "families", "photographs", "unusual", "error", *(DAMAGED if given.data else ())]
    print(" | ".join([*columns, *(RIGHT if given.data else ())]), flush=True)
    for name in given.without or [*VARIANTS, "evidence"]:
        at_its_word = name == "evidence"
        kept = "nothing" if at_its_word else name
        judges = replace(packaged, tone=trained(VARIANTS[kept], given, given.out / kept))
        undamaged = _AT_THEIR_WORD if at_its_word else usual
        cells = of_held_out(judges, undamaged, given.count, given.photos)
        cells += of_sets(judges, undamaged, given.data) if given.data else []
        print(" | ".join([name, *cells]), flush=True)


if __name__ == "__main__":
    main()
