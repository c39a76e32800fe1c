"""What the benchmarks of the judges share: training without a family, and whether what is told is so as often."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from matplotlib import rc_context
from matplotlib.figure import Figure
from torch import Tensor, nn

from ldrps.prior.device import native_precision
from ldrps.train.loop import TrainingPlan, TrainingTask, train

WITHIN = {"50 %": 0.6745, "90 %": 1.6449}  # deviations of a normal distribution
_BINS = 10
Point = tuple[float, float, int]  # what was told, how often it was so, and of how many


def train_briefly(judge: nn.Module, task: TrainingTask, steps: int, out: Path) -> None:
    """Train a judge, in place, and say how it goes."""
    bfloat16 = native_precision("cpu") is torch.bfloat16
    plan = TrainingPlan(steps, decay=0.5, ema=0.995, validate_every=steps, bfloat16=bfloat16)
    for progress in train(judge, task, plan, out):
        print(f"step {progress.step}  loss {progress.loss:.3f}", flush=True)


def without(families: Mapping[str, float], left_out: str) -> dict[str, float]:
    """All families but one, with their shares."""
    return {name: share for name, share in families.items() if name != left_out}


def calibration(told: Tensor, happened: Tensor) -> tuple[float, list[Point]]:
    """The expected calibration error (Naeini et al. 2015) of probabilities [N], and a point for each bin."""
    place = (told * _BINS).long().clamp(0, _BINS - 1)
    bins = [(told[place == k], happened[place == k].float()) for k in range(_BINS)]
    points = [(float(p.mean()), float(h.mean()), len(p)) for p, h in bins if len(p)]
    return sum(abs(p - h) * n for p, h, n in points) / len(told), points


def draw_reliability(path: Path, lines: Mapping[str, Sequence[Point]], title: str) -> None:
    """A reliability diagram, a line for each label."""
    figure = Figure(figsize=(5, 5), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="0.8")
    for label, points in lines.items():
        axes.plot(*zip(*[(p, h) for p, h, _ in points], strict=True), "o-", label=label)
    axes.set(xlabel="probability told", ylabel="how often it was so", title=title)
    axes.legend()
    with rc_context({"svg.fonttype": "none"}):  # letters, not their outlines: a quarter of the bytes
        figure.savefig(path)
