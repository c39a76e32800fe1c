"""Whether what is told with a probability is so as often as it says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure
from torch import Tensor

_BINS = 10
Point = tuple[float, float, int]  # what was told, how often it was so, and of how many


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
    figure.savefig(path)
