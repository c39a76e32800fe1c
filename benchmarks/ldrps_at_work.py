"""LD-RPS at work on one picture: what the chain believes at each step, psi's curve, the residual, the rounds.

    python benchmarks/ldrps_at_work.py samples/dark.png -o docs/ldrps

Writes steps.jpg, rounds.jpg, result.jpg and psi.svg into the folder. docs/ldrps.md shows those of samples/dark.png.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import cast

import matplotlib
import torch
from matplotlib.figure import Figure
from PIL import Image
from torch import Tensor

from ldrps import Prior, Restorer, load_prior, preset
from ldrps.degradation import Curve
from ldrps.estimation.estimators import load_estimators
from ldrps.image.arrays import to_pil
from ldrps.image.picture import load_picture
from ldrps.image.sheet import contact_sheet
from ldrps.image.write import write_image
from ldrps.methods.ldrps import Recurred, recur
from ldrps.sampling.chains import Step
from ldrps.sampling.schedule import Schedule

SHOWN = 10  # steps on the sheet
QUALITY = 88


def followed(y: Tensor, prior: Prior, seed: int) -> tuple[list[Step], Recurred]:
    """All steps over the picture's small copy, and what came of them."""
    steps, chain = [], recur(y, prior, preset("ldrps").with_changes(seed=seed), judge=load_estimators().tone)
    while True:
        try:
            steps.append(next(chain))
        except StopIteration as finished:
            return steps, cast(Recurred, finished.value)


def picture(x: Tensor) -> Image.Image:
    return to_pil(x[0].clamp(0, 1).cpu())


@torch.no_grad()
def sheet_of_steps(steps: list[Step], prior: Prior, first: int) -> Image.Image:
    """f(z0) at even steps of the first round, with the noise level, and at the end of each round."""
    schedule = Schedule(prior.alphas_cumprod)
    shown = [round(k * (first - 1) / (SHOWN - 1)) for k in range(SHOWN)]
    cells = [(picture(prior.decode(steps[k].z0[:1])), f"sigma {schedule.sigma(steps[k].t):.2g}") for k in shown]
    return contact_sheet([cells[: SHOWN // 2], cells[SHOWN // 2 :]])


@torch.no_grad()
def sheet_of_rounds(found: Recurred, steps: list[Step], prior: Prior, ends: list[int]) -> Image.Image:
    """The small copy, the end of each round, psi of that, and what psi leaves unexplained."""
    made = [(picture(found.small), "y")]
    made += [(picture(prior.decode(steps[k].z0[:1])), f"round {number}") for number, k in enumerate(ends)]
    explained = found.psi(found.restored.clamp(0, 1))
    residual = 0.5 + 4 * (found.small - explained)
    return contact_sheet([[*made, (picture(explained), "psi(x)"), (picture(residual), "4 (y - psi(x))")]])


def plot_of(psi: Curve, path: Path) -> None:
    """psi's curve of each channel: what becomes of a clean value."""
    matplotlib.rcParams["svg.hashsalt"] = "ldrps"
    figure = Figure(figsize=(4, 4), layout="constrained")
    axes = figure.subplots()
    levels = torch.linspace(0, 1, psi.values.shape[-1]).tolist()
    for values, colour in zip(psi.values.tolist(), ("tab:red", "tab:green", "tab:blue"), strict=True):
        axes.plot(levels, values, color=colour)
    axes.plot([0, 1], [0, 1], color="0.8", linestyle="--")
    axes.set(xlabel="clean", ylabel="degraded", title="psi", xlim=(0, 1), ylim=(0, 1))
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("picture", type=Path)
    parser.add_argument("-o", "--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    prior, y = load_prior(), load_picture(given.picture).rgb
    steps, found = followed(y, prior, given.seed)
    ends = [k for k in range(len(steps)) if k + 1 == len(steps) or steps[k + 1].t > steps[k].t]
    given.out.mkdir(parents=True, exist_ok=True)
    for name, sheet in (
        ("steps", sheet_of_steps(steps, prior, ends[0] + 1)),
        ("rounds", sheet_of_rounds(found, steps, prior, ends)),
    ):
        write_image(sheet, given.out / f"{name}.jpg", overwrite=True, quality=QUALITY)
    plot_of(found.psi, given.out / "psi.svg")
    result = Restorer(prior, preset("ldrps").with_changes(seed=given.seed))(y)
    before_after = contact_sheet([[(picture(y), "before"), (result.image, "after")]])
    write_image(before_after, given.out / "result.jpg", overwrite=True, quality=QUALITY)
    print(f"w = {found.damaged:.2f}; {result.words}")


if __name__ == "__main__":
    main()
