"""What happens, counted: the text that Prometheus reads. A few lines, for which no library is needed."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Mapping
from typing import Literal

MEDIA = "text/plain; version=0.0.4; charset=utf-8"
BUCKETS = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)  # seconds

Labels = Mapping[str, str]


class _Family:
    """The values of one name, by their labels."""

    def __init__(self, name: str, about: str, kind: Literal["counter", "histogram"]) -> None:
        self.name, self.about, self.kind = name, about, kind
        self.values: dict[tuple[tuple[str, str], ...], list[float]] = {}


class Metrics:
    """Counters and histograms, by name and labels. For several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._families: dict[str, _Family] = {}

    def count(self, name: str, about: str, **labels: str) -> None:
        """One more of something."""
        with self._lock:
            self._values(name, about, "counter", labels, 1)[0] += 1

    def observe(self, name: str, about: str, seconds: float, **labels: str) -> None:
        """So many seconds were taken by something."""
        with self._lock:
            values = self._values(name, about, "histogram", labels, len(BUCKETS) + 3)
            values[bisect_left(BUCKETS, seconds)] += 1
            values[-2] += 1
            values[-1] += seconds

    def text(self, gauges: Mapping[str, tuple[str, float]]) -> str:
        """All of it, with what is so at the moment, by name: what it is, and how much."""
        lines: list[str] = []
        with self._lock:
            for family in self._families.values():
                lines += [f"# HELP {family.name} {family.about}", f"# TYPE {family.name} {family.kind}"]
                for labels, values in family.values.items():
                    lines += (
                        _histogram(family.name, labels, values)
                        if family.kind == "histogram"
                        else [f"{family.name}{_shown(labels)} {values[0]:.15g}"]
                    )
        for name, (about, value) in gauges.items():
            lines += [f"# HELP {name} {about}", f"# TYPE {name} gauge", f"{name} {value:.10g}"]
        return "\n".join(lines) + "\n"

    def _values(
        self, name: str, about: str, kind: Literal["counter", "histogram"], labels: Labels, length: int
    ) -> list[float]:
        family = self._families.setdefault(name, _Family(name, about, kind))
        return family.values.setdefault(tuple(sorted(labels.items())), [0.0] * length)


def _histogram(name: str, labels: tuple[tuple[str, str], ...], values: list[float]) -> list[str]:
    lines, so_far = [], 0.0
    for bound, value in zip([*(f"{bound:g}" for bound in BUCKETS), "+Inf"], values, strict=False):
        so_far += value
        lines.append(f"{name}_bucket{_shown((*labels, ('le', bound)))} {so_far:.15g}")
    return [*lines, f"{name}_sum{_shown(labels)} {values[-1]:.10g}", f"{name}_count{_shown(labels)} {values[-2]:.15g}"]


def _shown(labels: tuple[tuple[str, str], ...]) -> str:
    inside = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels)
    return f"{{{inside}}}" if inside else ""


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
