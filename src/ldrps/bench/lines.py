"""From rows to lines of tables: means with intervals, differences, and what became of the pictures."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ldrps.bench.contenders import Contender
from ldrps.bench.data import DataSet
from ldrps.bench.outcomes import Outcomes, outcomes, recorded
from ldrps.bench.store import Row

RESAMPLES = 10_000
METRICS = (
    *("psnr_rgb", "psnr_y", "psnr_mean_matched", "ssim_y", "ssim_rgb", "ciede2000"),
    *("lpips", "featdist-efflite0", "niqe"),
)


@dataclass(frozen=True)
class Interval:
    """A mean over pictures with its bootstrap 95 % interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Line:
    """One contender on one set.

    Attributes:
        scores: metric to mean over pictures of the mean over seeds.
        psnr: RGB PSNR with its interval over pictures; None without a clean side.
        difference: RGB PSNR over that of the reference contender, by pictures; None for the reference itself.
        seed_deviation: standard deviation over seeds of the set's mean PSNR; None with a single seed.
        n, seeds, failed: pictures that count, seeds, and rows that failed.
        per_image: RGB PSNR by picture.
        changes: settings that a sweep changed.
        captions: which ones it was given.
        is_published: whether it is a row of a paper, by its own protocol.
        outcomes: what became of the pictures, against what was given; None where no result has the input's size.
    """

    dataset: str
    label: str
    method: str
    preset: str
    scores: Mapping[str, float]
    psnr: Interval | None
    difference: Interval | None = None
    seed_deviation: float | None = None
    n: int = 0
    seeds: int = 0
    failed: int = 0
    seconds: float = math.nan
    peak_mb: float | None = None
    per_image: Mapping[str, float] = field(default_factory=dict, repr=False)
    changes: Mapping[str, Any] = field(default_factory=dict, repr=False)
    captions: str = "none"
    protocol: Mapping[str, Any] = field(default_factory=dict, repr=False)
    is_published: bool = False
    outcomes: Outcomes | None = None

    def record(self) -> dict[str, Any]:
        """Plain data for JSON; an infinite PSNR is the text "inf", an endless loss "-inf"."""
        interval = {} if self.psnr is None else {"low": self.psnr.low, "high": self.psnr.high}
        facts = {
            "set": self.dataset,
            "method": self.method,
            "preset": self.preset,
            "label": self.label,
            "seeds": self.seeds,
            "n": self.n,
            "failed": self.failed,
            **{name: self.scores.get(name) for name in METRICS},
            **interval,
            "seconds": self.seconds,
            "peak_mb": self.peak_mb,
            "seed_deviation": self.seed_deviation,
            "protocol": dict(self.protocol),
            **recorded(self.outcomes),
        }
        return {name: _plain(value) for name, value in facts.items()}


def summarise(
    rows: Iterable[Row], contenders: Sequence[Contender], sets: Sequence[DataSet], reference: str
) -> list[Line]:
    """A line for each set and contender, in the order given, from the rows of the store that belong to them."""
    by_key: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        by_key.setdefault((row.key.dataset, row.key.contender), []).append(row)
    lines = []
    for dataset in sets:
        of_set = {
            contender: _line(dataset, contender, by_key.get((dataset.name, contender.fingerprint()), []))
            for contender in contenders
        }
        base = next((line.per_image for line in of_set.values() if line.label == reference), None)
        lines += [_compared(line, base, reference) for line in of_set.values()]
    return lines


def published(sets: Sequence[DataSet]) -> list[Line]:
    """The rows that papers print for these sets; whole sets, their own protocol."""
    return [
        Line(
            dataset.name,
            f"{method} (published: {figures['source']})",
            method,
            "",
            figures_of(figures),
            None,
            is_published=True,
        )
        for dataset in sets
        for method, figures in dataset.published.items()
    ]


def figures_of(row: Mapping[str, float | str]) -> dict[str, float]:
    """Metric to value, of a published row."""
    return {name: float(value) for name, value in row.items() if not isinstance(value, str)}


def bootstrap(values: Sequence[float] | NDArray[np.float64]) -> Interval:
    """The mean of values, one a picture, and the 95 % percentile interval of resampled means (Efron 1979)."""
    given = np.asarray(values, dtype=np.float64)
    if not np.isfinite(given).all():
        return Interval(float(given.mean()), float(given.min()), float(given.max()))
    random = np.random.default_rng(0)
    means = given[random.integers(len(given), size=(RESAMPLES, len(given)))].mean(1)
    low, high = np.percentile(means, [2.5, 97.5])
    return Interval(float(given.mean()), float(low), float(high))


def _line(dataset: DataSet, contender: Contender, rows: Sequence[Row]) -> Line:
    good = [row for row in rows if row.error is None]
    by_image: dict[str, list[Row]] = {}
    for row in good:
        by_image.setdefault(row.key.image, []).append(row)

    def over_images(name: str) -> dict[str, float]:
        return {
            image: float(np.mean([row.scores[name] for row in of_image if name in row.scores]))
            for image, of_image in by_image.items()
            if any(name in row.scores for row in of_image)
        }

    measured = {name: over_images(name) for name in METRICS}
    scores = {name: float(np.mean(list(values.values()))) for name, values in measured.items() if values}
    psnr = measured["psnr_rgb"]
    peaks = [row.peak_mb for row in good if row.peak_mb is not None]
    return Line(
        dataset.name,
        contender.label,
        contender.method,
        contender.preset,
        scores,
        bootstrap(list(psnr.values())) if psnr else None,
        None,
        _seed_deviation(good),
        len(by_image),
        len({row.key.seed for row in good}),
        len(rows) - len(good),
        float(np.mean([row.seconds for row in good])) if good else math.nan,
        max(peaks) if peaks else None,
        psnr,
        dict(contender.changes),
        contender.captions,
        good[0].details.get("protocol", {}) if good else {},
        outcomes=outcomes(by_image, dataset.is_clean),
    )


def _seed_deviation(rows: Sequence[Row]) -> float | None:
    by_seed: dict[int, list[float]] = {}
    for row in rows:
        if "psnr_rgb" in row.scores:
            by_seed.setdefault(row.key.seed, []).append(row.scores["psnr_rgb"])
    return float(np.std([np.mean(values) for values in by_seed.values()], ddof=1)) if len(by_seed) > 1 else None


def _compared(line: Line, base: Mapping[str, float] | None, reference: str) -> Line:
    if base is None or line.label == reference:
        return line
    common = [
        line.per_image[image] - base[image]
        for image in line.per_image
        if image in base and math.isfinite(line.per_image[image]) and math.isfinite(base[image])
    ]
    if not common:
        return line
    return replace(line, difference=bootstrap(common))


def _plain(value: Any) -> Any:
    """JSON knows neither infinity nor NaN."""
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else f"{value}"
    return value
