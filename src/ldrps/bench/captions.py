"""Captions for the pictures of a set: those that people wrote, those of a neighbour, or the user's own."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from ldrps.bench.data import DataSet, Pair
from ldrps.caption.table import TABLE, read_table

# What a contender is given: nothing; what people wrote for this project; what they wrote for another picture of the
# set; what `captions.tsv` in the set's folder says; what the packaged captioner makes of the damaged picture.
KINDS = ("none", "written", "wrong", "file", "offline")


class Captions:
    """The captions of some pictures of a set, by kind and by name; "" where there is none.

    Args:
        dataset: the set.
        pairs: its pictures.
        roots: the folders of data sets.
    """

    def __init__(self, dataset: DataSet, pairs: Sequence[Pair], *roots: Path) -> None:
        shipped = resources.files("ldrps.bench").joinpath("sets", f"{dataset.name}.tsv")
        written = read_table(shipped)
        names = [pair.name for pair in pairs]
        half = len(names) // 2
        others = dict(zip(names, [*names[half:], *names[:half]], strict=True))
        self._by_kind = {
            "written": written,
            "wrong": {name: written.get(other, "") for name, other in others.items() if name != other},
            "file": read_table(dataset.folder(*roots) / TABLE),
        }

    def __call__(self, kind: str, name: str) -> str:
        """Of the picture of that name; "" for the kinds that are not known before the picture is seen."""
        return self._by_kind.get(kind, {}).get(name, "")
