"""`ldrps bench`: contenders on sets, stored row by row, shown as tables, JSON and a page."""

from __future__ import annotations

import itertools
import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ldrps.bench.captions import KINDS, Captions
from ldrps.bench.contenders import OURS, Contender, contenders
from ldrps.bench.data import DataSet, Pair, data_set, data_sets, groups, resolved, tell_parts
from ldrps.bench.judges import Judges
from ldrps.bench.lines import Line, published, summarise
from ldrps.bench.report import Shown, write_report
from ldrps.bench.runner import BenchTask, run, tasks, unsettled
from ldrps.bench.store import Row, Store
from ldrps.bench.tables import latex, markdown
from ldrps.errors import InputError
from ldrps.presets import PRESETS
from ldrps.printable import json_text
from ldrps.prior import prior_folder
from ldrps.prior.hub import HUB_ID
from ldrps.settings import changed

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Plan:
    """A benchmark as the command line describes it."""

    sets: Sequence[str]
    methods: Sequence[str]
    presets: Sequence[str] = ("default",)
    seeds: int = 3
    limit: int | None = None
    sweeps: Sequence[str] = ()
    data: Sequence[Path] = ()
    store: Path = Path("out/bench")
    prior: str = "embedded"
    device: str = "cpu"
    weights: str = ""
    workers: int = 1
    retry: bool = False
    reference: str | None = None
    judges: Judges = field(default_factory=Judges)


class Benchmark:
    """A plan with its pictures found and its contenders made.

    Args:
        plan: what the command line asks for.
        sets: its sets with their pictures, if they have been found already.

    Raises:
        InputError: a set, a method or weights do not exist, its pictures are not there, two sets have one name, or
            nobody has a use for the weights.
    """

    def __init__(self, plan: Plan, sets: Sequence[tuple[DataSet, Sequence[Pair]]] | None = None) -> None:
        self.plan = plan
        self.sets = found(plan) if sets is None else sets
        captions = {dataset.name: Captions(dataset, pairs, *plan.data) for dataset, pairs in self.sets}
        bases = [
            base
            for name in plan.methods
            for base in contenders(name, plan.presets, prior=plan.prior, device=plan.device, weights=plan.weights)
        ]
        # A method that was named twice, alone and with its group, is one.
        self.contenders = list(dict.fromkeys(entry for base in bases for entry in swept(base, plan.sweeps)))
        _check_weights(plan.weights, self.contenders)
        self.reference = plan.reference or self.contenders[0].label
        if self.reference not in (labels := [entry.label for entry in self.contenders]):
            raise InputError(f"reference is {self.reference!r}; it must be one of {', '.join(labels)}")
        self.store = Store(plan.store / "rows.sqlite")
        self.pictures = plan.store / "pictures"
        self.tasks: list[BenchTask] = tasks(self.contenders, self.sets, plan.seeds, self.pictures, captions)

    def missing(self) -> list[BenchTask]:
        """What is not stored yet."""
        return unsettled(self.tasks, self.store, self.plan.judges, self.plan.retry)

    def run(self) -> Iterator[Row]:
        """Compute what is not stored yet; yields each new row."""
        return run(self.missing(), self.store, self.plan.judges, workers=self.plan.workers)

    def rows(self) -> list[Row]:
        """The stored rows that this benchmark is about."""
        wanted = {task.key for task in self.tasks}
        return [row for row in self.store.rows() if row.key in wanted]

    def summary(self) -> Summary:
        """What the stored rows say now; the first contender is the reference unless the plan names one."""
        sets = [dataset for dataset, _ in self.sets]
        measured = summarise(self.rows(), self.contenders, sets, self.reference)
        return Summary(sets, measured, published(sets))

    def write_html(self, folder: Path, command: str) -> Path:
        """The page with pictures and plots."""
        rows = {(row.key.contender, row.key.dataset, row.key.image): row for row in self.rows() if row.key.seed == 0}
        lines = self.summary().lines
        return write_report(Shown(self.contenders, self.sets, rows, lines, self.pictures, command), folder)


@dataclass(frozen=True)
class Summary:
    """The tables' lines: measured here, and published."""

    sets: Sequence[DataSet]
    measured: Sequence[Line]
    published: Sequence[Line]

    @property
    def lines(self) -> list[Line]:
        """All, set by set, published ones last."""
        return [line for dataset in self.sets for line in self._of(dataset)]

    def markdown(self) -> str:
        """A table for each set."""
        return "\n".join(markdown(self._of(dataset), dataset) for dataset in self.sets)

    def latex(self) -> str:
        """The same for LaTeX."""
        return "\n".join(latex(self._of(dataset), dataset) for dataset in self.sets)

    def json(self) -> str:
        """The measured lines as a list of objects."""
        return json_text([line.record() for line in self.measured], allow_nan=False) + "\n"

    def _of(self, dataset: DataSet) -> list[Line]:
        return [line for line in [*self.measured, *self.published] if line.dataset == dataset.name]


def listing() -> str:
    """All data sets and methods, a line each, for people."""
    from ldrps.rivals.registry import all_facts
    from ldrps.tools import BASELINES, ORACLES, Baseline, Oracle

    sets = [f"{name:16} {dataset.title} ({dataset.licence})" for name, dataset in data_sets().items()]
    ours = [f"{OURS:20} this program; --preset {', '.join(PRESETS)}"]
    known: list[Baseline | Oracle] = [*BASELINES.values(), *ORACLES.values()]
    rivals = [f"{each.name:20} {each.what}" + f" ({each.source})" * bool(each.source) for each in all_facts()]
    others = [f"{each.name:20} {each.what}" + f" ({each.source})" * bool(each.source) for each in known]
    more = [
        f"{'A+B':20} plain tools, one after the other; chains stands for all pairs of a tone tool and a denoiser",
        f"{'files:FOLDER':20} pictures that lie in FOLDER beside the inputs' folder",
    ]
    together = [f"{name:16} {', '.join(members)}" for name, members in groups().items()]
    return "\n".join(["Data sets", *sets, "", "Groups", *together, "", "Methods", *ours, *rivals, *others, *more])


def swept(base: Contender, sweeps: Sequence[str]) -> list[Contender]:
    """A contender in all combinations of the sweeps, each `NAME=VALUE,VALUE`; only ldrps has settings to sweep.

    Raises:
        InputError: a sweep is malformed, or there is no such kind of captions.
        SettingsError: there is no such setting, or a value is out of range.
    """
    if not base.preset or not sweeps:
        return [base]
    axes = [[(name, value) for value in values] for name, values in map(_sweep, sweeps)]
    entries = []
    for combination in itertools.product(*axes):
        entry = replace(base, changes=tuple((name, value) for name, value in combination if name != "caption"))
        for name, value in combination:
            if name == "caption":
                entry = replace(entry, captions=value)
        changed(base.settings, dict(entry.changes))  # a wrong name or value is told now, not in each row
        entries.append(entry)
    return entries


def found(plan: Plan) -> list[tuple[DataSet, Sequence[Pair]]]:
    """The sets of a plan with their pictures; what is known to be amiss with them is logged."""
    whole: dict[str, tuple[DataSet, Sequence[Pair]]] = {}
    for name in resolved(plan.sets, *plan.data):
        dataset = data_set(name)
        if dataset.name in whole:
            raise InputError(f"two sets are called {dataset.name!r}: rename a folder, or measure one at a time")
        if damaged := dataset.other_files(*plan.data):
            logger.warning("%s: not the published files, so not comparable: %s", name, ", ".join(damaged))
        whole[dataset.name] = dataset, dataset.pairs(*plan.data)
    tell_parts((dataset, len(pairs)) for dataset, pairs in whole.values())
    return [(dataset, pairs[: plan.limit]) for dataset, pairs in whole.values()]


def _check_weights(given: str, entries: Sequence[Contender]) -> None:
    """A folder may serve the judges; a file, a hub id or the name of what comes with ldrps serves rivals alone."""
    if not given or Path(given).expanduser().is_dir():
        return
    if not any(entry.takes_weights for entry in entries):
        raise InputError(
            f"weights is {given!r}, which is not a folder, and no method here takes it: give a folder with the weights "
            "of LPIPS and NIQE, or a method that takes weights (`ldrps methods`)"
        )
    if not (prior_folder(given).exists() or HUB_ID.fullmatch(given)):
        raise InputError(f"weights is {given!r}: there is no such file or folder, nor can it be a hub id")


def _sweep(text: str) -> tuple[str, list[Any]]:
    name, equals, values = text.partition("=")
    if not name or not equals or not values:
        raise InputError(f"sweep is {text!r}; it must be NAME=VALUE,VALUE such as recurrences=0,1,2")
    if name == "caption":
        if wrong := set(values.split(",")) - set(KINDS):
            raise InputError(f"caption is {', '.join(sorted(wrong))}; there are {', '.join(KINDS)}")
        return name, values.split(",")
    return name, [_value(value) for value in values.split(",")]


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text
