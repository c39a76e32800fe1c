"""What a training run leaves to look at: the curves of its log, and what the model makes."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image
from torch import Tensor

from ldrps.errors import how_to_install
from ldrps.image.arrays import to_pil
from ldrps.image.files import replace_file
from ldrps.image.sheet import in_rows
from ldrps.image.write import write_image

logger = logging.getLogger(__name__)


def judged(images: Tensor, probability: Tensor, middle: Tensor, names: Sequence[str], unit: float = 1.0) -> Image.Image:
    """Pictures [B, 3, H, W], each with the likeliest of `names`, of `probability` [B, kinds], and, but for the first
    name, how much of it there is: `middle` [B, kinds - 1] is its logarithm.
    """
    shown = []
    for image, told, logarithm in zip(images, probability, middle, strict=True):
        kind = int(told.argmax())
        amount = f" {unit * float(logarithm[kind - 1].exp()):.1f}" if kind else ""
        shown.append((to_pil(image), f"{names[kind]}{amount}"))
    return in_rows(shown)


def write_pictures(out: Path, pictures: Mapping[str, Image.Image]) -> None:
    """Write pictures as PNG, each under its name, over those of the last time."""
    for name, picture in pictures.items():
        write_image(picture, out / f"{name}.png", overwrite=True)


def write_curves(log: Path, path: Path) -> None:
    """Draw the loss and the figures of validation that a log has, over steps; without matplotlib nothing is done."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        logger.info("no curves: they need matplotlib (%s)", how_to_install("bench"))
        return
    records = _records(log)
    names = list(dict.fromkeys(name for record in records for name in record["validation"] or {}))
    figure = Figure(figsize=(7, 3 * (1 + len(names))), layout="constrained")
    axes = figure.subplots(1 + len(names), sharex=True, squeeze=False)[:, 0]
    losses = [record["loss"] for record in records]
    axes[0].plot([record["step"] for record in records], losses)
    axes[0].set(ylabel="loss, running mean", yscale="log" if min(losses) > 0 else "linear")  # a likelihood has any sign
    for axis, name in zip(axes[1:], names, strict=True):
        points = [(r["step"], r["validation"][name]) for r in records if r["validation"] and name in r["validation"]]
        axis.plot(*zip(*points, strict=True), "o-")
        axis.set(ylabel=name)
    for axis in axes:
        axis.grid(alpha=0.3)
    axes[-1].set(xlabel="step")
    replace_file(path, lambda file: figure.savefig(file, format="png"))


def _records(log: Path) -> list[dict[str, Any]]:
    """The reports of a log, the last of each step: a run that was killed repeats some."""
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    by_step = {line["step"]: line for line in lines if "step" in line}
    return [by_step[step] for step in sorted(by_step)]
