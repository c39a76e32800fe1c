"""From rows to means with intervals, and to tables in Markdown, LaTeX and JSON."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ldrps.bench.contenders import Contender
from ldrps.bench.data import DataSet
from ldrps.bench.store import Row
from ldrps.printable import printable

RESAMPLES = 10_000
METRICS = (
    *("psnr_rgb", "psnr_y", "psnr_mean_matched", "ssim_y", "ssim_rgb", "ciede2000"),
    *("lpips", "featdist-efflite0", "niqe"),
)
# What the tables show, under which head, with how many decimals; the rest is in the JSON.
_COLUMNS = {
    "psnr_rgb": ("PSNR", 2),
    "psnr_mean_matched": ("PSNR, mean given", 2),
    "ssim_y": ("SSIM-Y", 3),
    "lpips": ("LPIPS", 3),
    "featdist-efflite0": ("featdist", 3),
    "ciede2000": ("dE00", 2),
    "niqe": ("NIQE", 2),
}
_LATEX = str.maketrans(
    {character: f"\\{character}" for character in "_%&#${}"}
    | {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
)
_BETTER_IS_LESS = frozenset({"ciede2000", "lpips", "featdist-efflite0", "niqe"})


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

    def record(self) -> dict[str, Any]:
        """Plain data for JSON; an infinite PSNR is the text "inf"."""
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
            {name: float(value) for name, value in figures.items() if name != "source"},
            None,
            is_published=True,
        )
        for dataset in sets
        for method, figures in dataset.published.items()
    ]


def bootstrap(values: Sequence[float] | NDArray[np.float64]) -> Interval:
    """The mean of values, one a picture, and the 95 % percentile interval of resampled means (Efron 1979)."""
    given = np.asarray(values, dtype=np.float64)
    if not np.isfinite(given).all():
        return Interval(float(given.mean()), float(given.min()), float(given.max()))
    random = np.random.default_rng(0)
    means = given[random.integers(len(given), size=(RESAMPLES, len(given)))].mean(1)
    low, high = np.percentile(means, [2.5, 97.5])
    return Interval(float(given.mean()), float(low), float(high))


def grid(lines: Sequence[Line]) -> list[list[str]]:
    """The table of one set as text: heads, then a row a line. A contender with failures says so beside its count."""
    shown = _shown(lines)
    heads = ["", *[_head(name, lines) for name in shown], "95 %", "beside reference", "s", "MiB", "n"]
    return [heads, *[_cells(line, shown) for line in lines]]


def markdown(lines: Sequence[Line], dataset: DataSet) -> str:
    """The table of one set."""
    heads, *body = grid(lines)
    rule = ["---", *["---:"] * (len(heads) - 1)]
    rows = [[printable(cell).replace("|", "\\|") for cell in cells] for cells in (heads, rule, *body)]
    table = "\n".join("| " + " | ".join(cells) + " |" for cells in rows)
    return f"### {printable(f'{dataset.name}: {dataset.title}')}\n\n{table}\n"


def latex(lines: Sequence[Line], dataset: DataSet) -> str:
    """The same as a LaTeX tabular with booktabs; the best of what was measured here is bold, oracles apart."""
    shown = _shown(lines)
    best = {name: _best(lines, name) for name in shown}
    rows = []
    for line in lines:
        cells = [_number(name, line.scores.get(name)) for name in shown]
        marked = [
            rf"\textbf{{{cell}}}" if not line.is_published and line.scores.get(name) == best[name] else cell
            for name, cell in zip(shown, cells, strict=True)
        ]
        rows.append(" & ".join([_escaped(line.label), *marked]) + r" \\")
    heads = " & ".join(["", *[_escaped(_head(name, lines)) for name in shown]]) + r" \\"
    return "\n".join(
        [
            f"% {printable(dataset.title)}",
            rf"\begin{{tabular}}{{l{'r' * len(shown)}}}",
            *[r"\toprule", heads, r"\midrule", *rows, r"\bottomrule"],
            r"\end{tabular}",
            "",
        ]
    )


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


def _cells(line: Line, shown: Sequence[str]) -> list[str]:
    interval, difference = line.psnr, line.difference
    between = "" if interval is None else f"{_two(interval.low)} to {_two(interval.high)}"
    beside = "" if difference is None else f"{difference.mean:+.2f} ({difference.low:+.2f} to {difference.high:+.2f})"
    count = "" if line.is_published else f"{line.n}" + f", {line.failed} failed" * bool(line.failed)
    peak = "" if line.peak_mb is None else f"{line.peak_mb:.0f}"
    seconds = "" if math.isnan(line.seconds) else f"{line.seconds:.2f}"
    values = [_number(name, line.scores.get(name)) for name in shown]
    return [line.label, *values, between, beside, seconds, peak, count]


def _shown(lines: Sequence[Line]) -> list[str]:
    return [name for name in _COLUMNS if any(name in line.scores for line in lines)]


def _head(name: str, lines: Sequence[Line]) -> str:
    """The name of a column; LPIPS of another net than the papers', AlexNet, says so."""
    head = _COLUMNS[name][0]
    nets = (
        {str(line.protocol["lpips"].get("net", "")) for line in lines if "lpips" in line.protocol}
        if name == "lpips"
        else set()
    )
    return f"{head} ({', '.join(sorted(nets))}; published: alex)" if nets - {"alex"} else head


def _best(lines: Sequence[Line], name: str) -> float | None:
    values = [
        line.scores[name]
        for line in lines
        if name in line.scores and not line.is_published and not line.method.startswith("oracle-")
    ]
    if not values:
        return None
    return min(values) if name in _BETTER_IS_LESS else max(values)


def _number(name: str, value: float | None) -> str:
    if value is None:
        return ""
    return "inf" if math.isinf(value) else f"{value:.{_COLUMNS[name][1]}f}"


def _plain(value: Any) -> Any:
    """JSON knows neither infinity nor NaN."""
    if isinstance(value, float) and not math.isfinite(value):
        return "inf" if value > 0 else None
    return value


def _two(value: float) -> str:
    return "inf" if math.isinf(value) else f"{value:.2f}"


def _escaped(text: str) -> str:
    return printable(text).translate(_LATEX)
