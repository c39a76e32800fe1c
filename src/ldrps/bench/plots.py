"""The plots of the report."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ldrps.bench.data import natural
from ldrps.bench.lines import Line
from ldrps.errors import InputError, how_to_install

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def psnr_against_seconds(lines: Sequence[Line], folder: Path, name: str) -> Path | None:
    """Mean PSNR with its interval over the seconds that a picture takes; None if there is nothing to plot."""
    drawn = [line for line in lines if line.psnr is not None and math.isfinite(line.psnr.mean) and line.seconds > 0]
    if not drawn:
        return None
    figure, axes = _axes()
    for line in drawn:
        assert line.psnr is not None
        error = [[line.psnr.mean - line.psnr.low], [line.psnr.high - line.psnr.mean]]
        axes.errorbar(line.seconds, line.psnr.mean, yerr=error, fmt="o", capsize=3, label=line.label)
    axes.set(xscale="log", xlabel="seconds a picture", ylabel="PSNR, dB", title=name)
    _legend_beside(axes)
    return _saved(figure, folder / f"{name}_seconds.svg")


def psnr_by_image(lines: Sequence[Line], folder: Path, name: str) -> Path | None:
    """PSNR of each picture by each contender; None if there is nothing to plot."""
    drawn = [line for line in lines if line.per_image and all(map(math.isfinite, line.per_image.values()))]
    if not drawn:
        return None
    images = sorted({image for line in drawn for image in line.per_image}, key=natural)
    figure, axes = _axes()
    for line in drawn:
        axes.plot(images, [line.per_image.get(image, math.nan) for image in images], "o-", label=line.label, alpha=0.8)
    axes.set(ylabel="PSNR, dB", title=name)
    axes.tick_params(axis="x", rotation=60, labelsize=8)
    _legend_beside(axes)
    return _saved(figure, folder / f"{name}_pictures.svg")


def psnr_by_setting(lines: Sequence[Line], folder: Path, name: str) -> list[Path]:
    """Mean PSNR with its interval over each setting that a sweep gave several numbers; one plot a setting."""
    swept = [line for line in lines if line.changes and line.psnr is not None and math.isfinite(line.psnr.mean)]
    plots = []
    for setting in dict.fromkeys(key for line in swept for key in line.changes):
        curves: dict[str, list[Line]] = {}
        for line in swept:
            if isinstance(line.changes.get(setting), int | float):
                curves.setdefault(_curve_label(line, setting), []).append(line)
        if any(len(curve) > 1 for curve in curves.values()):
            plots.append(_setting_plot(curves, setting, folder / f"{name}_{setting}.svg", name))
    return plots


def _curve_label(line: Line, setting: str) -> str:
    """What the points of a curve over a setting have in common."""
    others = [f"{key} {value}" for key, value in line.changes.items() if key != setting]
    others += [f"caption {line.captions}"] * (line.captions != "none")
    return f"{line.preset} {', '.join(others)}".strip()


def _setting_plot(curves: Mapping[str, Sequence[Line]], setting: str, path: Path, name: str) -> Path:
    figure, axes = _axes()
    for label, curve in curves.items():
        measured = [(line.changes[setting], line.psnr) for line in curve if line.psnr is not None]
        points = sorted(measured, key=lambda point: point[0])
        values, intervals = [value for value, _ in points], [interval for _, interval in points]
        errors = [[i.mean - i.low for i in intervals], [i.high - i.mean for i in intervals]]
        axes.errorbar(values, [i.mean for i in intervals], yerr=errors, fmt="o-", capsize=3, label=label)
    axes.set(xlabel=setting, ylabel="PSNR, dB", title=name)
    axes.legend(fontsize=7)
    return _saved(figure, path)


def _legend_beside(axes: Axes) -> None:
    """Not over the points."""
    axes.legend(fontsize=7, loc="upper left", bbox_to_anchor=(1, 1))


def _axes() -> tuple[Any, Axes]:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise InputError(f"plots need matplotlib: {how_to_install('bench')}") from error
    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.add_subplot()
    axes.grid(alpha=0.3)
    return figure, axes


def _saved(figure: Any, path: Path) -> Path:
    figure.savefig(path)
    return path
