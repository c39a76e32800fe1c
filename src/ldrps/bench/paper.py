"""`ldrps bench paper`: the tables of the LD-RPS paper, with what was measured here beside what is printed there.

A group of sets and a layout: rows are computed, stored and summed up as those of any other benchmark.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ldrps.bench.command import Benchmark, Plan, found
from ldrps.bench.contenders import OURS, Contender, contenders
from ldrps.bench.data import DataSet, Pair
from ldrps.bench.lines import Line, figures_of, published
from ldrps.bench.tables import head, latex, number, table_of
from ldrps.printable import json_text, printable
from ldrps.rivals.registry import facts_of

GROUP = "paper"
_METRICS = ("psnr_rgb", "ssim_y", "lpips", "pi", "niqe")  # what the paper prints
_LOOP = "ldrps"  # the preset that is the published loop on the embedded prior
_BESIDE = ("default", "identity")  # in every table, whatever the paper has
# The ablations that settings of ours can express, by the setting of a sweep.
_ABLATIONS = {"recurrences": "Number of recurrences", "caption": "Text"}
_ABLATED = (_LOOP, "default")
_PROTOCOL = (
    "Printed: LD-RPS, ICCV 2025, or the source beside it; whole sets, Stable Diffusion 2.1, the mean of three seeds. "
    "Measured: the pictures named below each table, the embedded prior; `ldrps` is the published loop on it, without "
    "constants for each task. So the two halves are not of one protocol: pictures, prior and, where it says so, the "
    "net of LPIPS differ. PI is not computed here."
)


@dataclass(frozen=True)
class Entry:
    """A line of a main table.

    Attributes:
        printed: the name in the paper; "" for a line of ours alone.
        figures: metric to value, as printed.
        source: who printed them.
        method: which of ours stands for it; "" if none does.
    """

    printed: str
    figures: Mapping[str, float]
    source: str
    method: str


@dataclass(frozen=True)
class Cell:
    """What was measured of a contender on a set, maybe nothing, what all of it would be, and the command for that."""

    line: Line
    pictures: int
    seeds: int
    command: str
    hours: float | None = None

    @property
    def is_whole(self) -> bool:
        return (self.line.n, self.line.seeds, self.line.failed) == (self.pictures, self.seeds, 0)


class PaperTables:
    """The tables, from what the store of a plan holds; computes nothing.

    Args:
        plan: where sets, store and weights are, with how many seeds; its sets, methods and sweeps do not count.

    Raises:
        InputError: none of the sets is there, or there is no folder of sets.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = replace(plan, sets=[GROUP], presets=[_LOOP], sweeps=(), reference=None)
        self.sets = found(self.plan)
        self.foreign = {dataset.name: dataset.other_files(*plan.data) for dataset, _ in self.sets}
        self._lines: dict[tuple[str, str, str, str], Line] = {}
        for dataset, pairs in self.sets:
            methods = dict.fromkeys(entry.method for entry in entries(dataset) if entry.method)
            self._measured([(dataset, pairs)], list(methods))
        for axis in self._axes():
            self._measured(self._with(axis), _ABLATED, axis)

    def markdown(self) -> str:
        """All tables, and under them the commands of what has not been measured."""
        marks: dict[str, str] = {}
        parts = [_PROTOCOL]
        for dataset, pairs in self.sets:
            parts += [f"### {dataset.name}: {dataset.title}", self._main(dataset, marks), self._files(dataset, pairs)]
        parts += [f"### {_ABLATIONS[axis]}, PSNR\n\n{self._ablation(axis, marks)}" for axis in self._axes()]
        if marks:
            parts.append("Not measured, or not all of it:")
            parts.append("\n".join(f"- {mark} {command}" for command, mark in marks.items()))
        return "\n\n".join(parts) + "\n"

    def latex(self) -> str:
        """The main tables for LaTeX, as of any other benchmark."""
        return "\n".join(latex([*self._of(d), *published([d])], d) for d, _ in self.sets)

    def json(self) -> str:
        """Each line with what is printed, what was measured and the command that measures it, as a list of objects."""
        records: list[dict[str, Any]] = []
        for dataset, _ in self.sets:
            for entry in entries(dataset):
                facts = {"table": "main", "set": dataset.name, "printed_as": entry.printed, "source": entry.source}
                cell = self._cell(dataset, entry.method)
                records.append({**facts, "printed": dict(entry.figures), **_recorded(cell)})
            for axis in self._axes():
                for value, figure in dataset.ablations.get(axis, {}).items():
                    facts = {"table": axis, "set": dataset.name, "value": value}
                    records += [
                        {**facts, "printed": {"psnr_rgb": figure}, **_recorded(self._cell(dataset, each, axis, value))}
                        for each in _ABLATED
                    ]
        return json_text(records, allow_nan=False) + "\n"

    def _measured(self, sets: Sequence[tuple[DataSet, Sequence[Pair]]], methods: Sequence[str], axis: str = "") -> None:
        sweeps = [self._sweep(axis)] if axis else []
        benchmark = Benchmark(replace(self.plan, methods=methods, sweeps=sweeps), sets)
        for line in benchmark.summary().measured:
            value = line.captions if axis == "caption" else f"{line.changes.get(axis, '')}"
            self._lines[line.dataset, line.preset or line.method, axis, value if axis else ""] = line

    def _main(self, dataset: DataSet, marks: dict[str, str]) -> str:
        rows = [(entry, self._cell(dataset, entry.method)) for entry in entries(dataset)]
        lines = [cell.line for _, cell in rows if cell is not None]
        printed = [name for name in _METRICS if any(name in entry.figures for entry, _ in rows)]
        here = [name for name in _METRICS if any(name in line.scores for line in lines)] or ["psnr_rgb"]
        heads = ["printed", *[head(name, []) for name in printed], "source", "measured here"]
        table = [[*heads, *[head(name, lines) for name in here], "pictures", "seeds", "s"]]
        for entry, cell in rows:
            figures = [number(name, entry.figures.get(name)) for name in printed]
            row = [entry.printed, *figures, entry.source]
            if cell is None:
                table.append([*row, "no method here", *[""] * (len(here) + 3)])
                continue
            line = cell.line
            if not line.n:
                table.append([*row, line.label, _told(cell, marks), *[""] * (len(here) + 2)])
                continue
            values = [number(name, line.scores.get(name)) for name in here]
            seconds = f"{line.seconds:.2f}"
            table.append([*row, line.label, *values, _count(cell, marks), f"{line.seeds} of {cell.seeds}", seconds])
        return table_of(table)

    def _ablation(self, axis: str, marks: dict[str, str]) -> str:
        sets = [dataset for dataset, _ in self._with(axis)]
        heads = [f"{d.name}, {what}" for d in sets for what in ("printed", *[f"`{each}`" for each in _ABLATED])]
        table = [[axis, *heads]]
        for value in dict.fromkeys(value for dataset in sets for value in dataset.ablations[axis]):
            row = [value]
            for dataset in sets:
                row.append(number("psnr_rgb", dataset.ablations[axis].get(value)))
                for each in _ABLATED:
                    cell = self._cell(dataset, each, axis, value)
                    row.append("" if cell is None else _psnr(cell, marks))
            table.append(row)
        return table_of(table)

    def _files(self, dataset: DataSet, pairs: Sequence[Pair]) -> str:
        names = ", ".join(pair.name for pair in pairs)
        whole = f"{len(pairs)} of the {dataset.count} pictures" if dataset.count else f"{len(pairs)} pictures"
        other = self.foreign[dataset.name]
        known = f"; not the published files: {', '.join(other)}" if other else ""
        if dataset.sha256 and not other:
            known = "; of the files whose SHA-256 is known none differs"
        return f"Measured here on {whole}: {names}{known}."

    def _cell(self, dataset: DataSet, method: str, axis: str = "", value: str = "") -> Cell | None:
        """Of a contender, as it is or with a setting changed; None for no method."""
        if not method:
            return None
        line = self._lines[dataset.name, method, axis, value]
        sets = self._with(axis) if axis else self._of_method(method)
        here = next(len(pairs) for each, pairs in sets if each is dataset)
        every = sum(len(pairs) for _, pairs in sets)
        command = self._command([each.name for each, _ in sets], method, axis)
        return Cell(line, here, self._seeds(method), command, self._hours(method, every))

    def _seeds(self, method: str) -> int:
        """How many runs a contender is to have."""
        return self.plan.seeds if _contender(method).is_random else 1

    def _hours(self, method: str, pictures: int) -> float | None:
        """Of one core, by the time of a picture that a rival states; None where it states none."""
        seconds = facts_of(method).seconds if _contender(method).rival else None
        return None if seconds is None else seconds * pictures * self._seeds(method) / 3600

    def _command(self, names: Sequence[str], method: str, axis: str) -> str:
        plan = self.plan
        words = ["ldrps", "bench", *names, "-m", method, "--seeds", f"{plan.seeds}"]
        words += ["--preset", method] * (method == OURS)
        words += ["--sweep", self._sweep(axis)] * bool(axis)
        words += ["--limit", f"{plan.limit}"] if plan.limit else []
        words += [word for root in plan.data for word in ("--data", f"{root}")]
        words += ["--store", f"{plan.store}"] if plan.store != Plan([], []).store else []
        weights = plan.weights or ("WEIGHTS" if _contender(method).rival and facts_of(method).needs else "")
        words += ["--weights", weights] if weights else []
        words += ["--prior", plan.prior] if plan.prior != "embedded" else []
        words += ["--device", plan.device] if plan.device != "cpu" else []
        return printable(shlex.join(words))

    def _axes(self) -> list[str]:
        return [axis for axis in _ABLATIONS if self._with(axis)]

    def _with(self, axis: str) -> list[tuple[DataSet, Sequence[Pair]]]:
        return [(dataset, pairs) for dataset, pairs in self.sets if axis in dataset.ablations]

    def _of_method(self, method: str) -> list[tuple[DataSet, Sequence[Pair]]]:
        """The sets that have a line of it in their main tables."""
        return [(d, pairs) for d, pairs in self.sets if method in [entry.method for entry in entries(d)]]

    def _sweep(self, axis: str) -> str:
        values = dict.fromkeys(value for dataset, _ in self._with(axis) for value in dataset.ablations[axis])
        return f"{axis}={','.join(values)}"

    def _of(self, dataset: DataSet) -> list[Line]:
        methods = dict.fromkeys(entry.method for entry in entries(dataset) if entry.method)
        return [self._lines[dataset.name, method, "", ""] for method in methods]


def entries(dataset: DataSet) -> list[Entry]:
    """The lines of a set's main table: those printed that name a method of ours, "" too, then ours alone."""
    rows = []
    for printed, row in dataset.published.items():
        if "here" not in row:
            continue
        for i, method in enumerate(f"{row['here']}".split() or [""]):
            # Printed once, also where two of ours stand for it.
            rows.append(Entry(printed, {} if i else figures_of(row), "" if i else f"{row['source']}", method))
    return [*rows, *[Entry("", {}, "", method) for method in _BESIDE]]


def _contender(method: str) -> Contender:
    return contenders(method, [_LOOP])[0]


def _count(cell: Cell, marks: dict[str, str]) -> str:
    """How many pictures were measured; if not all with all seeds, by which command the others would be."""
    line = cell.line
    return f"{line.n} of {cell.pictures}" + ("" if cell.is_whole else f" {_mark(cell, marks)}")


def _told(cell: Cell, marks: dict[str, str]) -> str:
    failed = f"; {cell.line.failed} failed" * bool(cell.line.failed)
    return f"not measured {_mark(cell, marks)}{failed}"


def _psnr(cell: Cell, marks: dict[str, str]) -> str:
    if not cell.line.n:
        return _told(cell, marks)
    value = number("psnr_rgb", cell.line.scores.get("psnr_rgb"))
    return value if cell.is_whole else f"{value} ({_count(cell, marks)})"


def _mark(cell: Cell, marks: dict[str, str]) -> str:
    """The number of a command in the list below the tables."""
    hours = "" if cell.hours is None else f", about {_hours_in_words(cell.hours)} of a core for what is here"
    return marks.setdefault(f"`{cell.command}`{hours}", f"[{len(marks) + 1}]")


def _hours_in_words(hours: float) -> str:
    minutes = max(1, round(60 * hours))
    if minutes >= 90:
        return f"{hours:.1f} hours"
    return f"{minutes} minutes" if minutes > 1 else "a minute"


def _recorded(cell: Cell | None) -> dict[str, Any]:
    if cell is None:
        return {"measured": None, "command": None}
    return {"measured": cell.line.record() if cell.line.n else None, "command": cell.command}
