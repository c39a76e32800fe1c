"""Lines as tables in Markdown and LaTeX."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ldrps.bench.data import DataSet
from ldrps.bench.lines import Line
from ldrps.bench.outcomes import COUNTS, worst_in_words
from ldrps.printable import printable

# What the tables show, under which head, with how many decimals; the rest is in the JSON.
_COLUMNS = {
    "psnr_rgb": ("PSNR", 2),
    "psnr_y": ("PSNR-Y", 2),
    "psnr_mean_matched": ("PSNR, mean given", 2),
    "ssim_y": ("SSIM-Y", 3),
    "lpips": ("LPIPS", 3),
    "featdist-efflite0": ("featdist", 3),
    "ciede2000": ("dE00", 2),
    "pi": ("PI", 2),  # printed by papers; not computed here
    "niqe": ("NIQE", 2),
}
_LATEX = str.maketrans(
    {character: f"\\{character}" for character in "_%&#${}"}
    | {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
)
_BETTER_IS_LESS = frozenset({"ciede2000", "lpips", "featdist-efflite0", "niqe"})


def grid(lines: Sequence[Line]) -> list[list[str]]:
    """The table of one set as text: heads, then a row a line. A contender with failures says so beside its count."""
    shown = _shown(lines)
    counts = _counted(lines)
    rest = ["95 %", "beside reference", *counts.values(), "s", "MiB", "n"]
    heads = ["", *[head(name, lines) for name in shown], *rest]
    return [heads, *[_cells(line, shown, list(counts)) for line in lines]]


def markdown(lines: Sequence[Line], dataset: DataSet) -> str:
    """The table of one set, and under it the worst pictures of each contender."""
    table = table_of(grid(lines))
    worst = [f"- {printable(words)}" for words in map(worst_words, lines) if words]
    parts = [f"### {printable(f'{dataset.name}: {dataset.title}')}", table, *["\n".join(worst)] * bool(worst)]
    return "\n\n".join(parts) + "\n"


def table_of(cells: Sequence[Sequence[str]]) -> str:
    """Rows of cells, the heads first, as a table in Markdown."""
    heads, *body = cells
    rule = ["---", *["---:"] * (len(heads) - 1)]
    rows = [[printable(cell).replace("|", "\\|") for cell in row] for row in (heads, rule, *body)]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def worst_words(line: Line) -> str:
    """Whose pictures fared worst, and how, in a line; "" where there is nothing to tell."""
    words = "" if line.outcomes is None else worst_in_words(line.outcomes)
    return f"{line.label}: {words}" if words else ""


def latex(lines: Sequence[Line], dataset: DataSet) -> str:
    """The same as a LaTeX tabular with booktabs; the best of what was measured here is bold, oracles apart."""
    shown = _shown(lines)
    best = {name: _best(lines, name) for name in shown}
    rows = []
    for line in lines:
        cells = [number(name, line.scores.get(name)) for name in shown]
        marked = [
            rf"\textbf{{{cell}}}" if cell and not line.is_published and line.scores[name] == best[name] else cell
            for name, cell in zip(shown, cells, strict=True)
        ]
        rows.append(" & ".join([_escaped(line.label), *marked]) + r" \\")
    heads = " & ".join(["", *[_escaped(head(name, lines)) for name in shown]]) + r" \\"
    return "\n".join(
        [
            f"% {printable(dataset.title)}",
            rf"\begin{{tabular}}{{l{'r' * len(shown)}}}",
            *[r"\toprule", heads, r"\midrule", *rows, r"\bottomrule"],
            r"\end{tabular}",
            "",
        ]
    )


def _cells(line: Line, shown: Sequence[str], counts: Sequence[str]) -> list[str]:
    interval, difference = line.psnr, line.difference
    between = "" if interval is None else f"{_two(interval.low)} to {_two(interval.high)}"
    beside = "" if difference is None else f"{difference.mean:+.2f} ({difference.low:+.2f} to {difference.high:+.2f})"
    count = "" if line.is_published else f"{line.n}" + f", {line.failed} failed" * bool(line.failed)
    peak = "" if line.peak_mb is None else f"{line.peak_mb:.0f}"
    seconds = "" if math.isnan(line.seconds) else f"{line.seconds:.2f}"
    values = [number(name, line.scores.get(name)) for name in shown]
    fates = ["" if (fate := _count(line, name)) is None else f"{fate}" for name in counts]
    return [line.label, *values, between, beside, *fates, seconds, peak, count]


def _shown(lines: Sequence[Line]) -> list[str]:
    return [name for name in _COLUMNS if any(name in line.scores for line in lines)]


def _counted(lines: Sequence[Line]) -> dict[str, str]:
    """The counts of pictures that some line has, with their heads."""
    return {name: head for name, head in COUNTS.items() if any(_count(line, name) is not None for line in lines)}


def _count(line: Line, name: str) -> int | None:
    return None if line.outcomes is None else getattr(line.outcomes, name)


def head(name: str, lines: Sequence[Line]) -> str:
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


def number(name: str, value: float | None) -> str:
    """A score as tables show it; "" for none."""
    if value is None:
        return ""
    return "inf" if math.isinf(value) else f"{value:.{_COLUMNS[name][1]}f}"


def _two(value: float) -> str:
    return "inf" if math.isinf(value) else f"{value:.2f}"


def _escaped(text: str) -> str:
    return printable(text).translate(_LATEX)
