"""Captions for the pictures of a set: those that people wrote, those of a neighbour, or the user's own."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from ldrps.bench.data import DataSet, Pair

# What a contender is given: nothing; what people wrote for this project; what they wrote for another picture of the
# set; what `captions.tsv` in the set's folder says; what the packaged captioner makes of the damaged picture.
KINDS = ("none", "written", "wrong", "file", "offline")
FILE = "captions.tsv"  # in a set's folder: name, tab, caption


class Captions:
    """The captions of some pictures of a set, by kind and by name; "" where there is none.

    Args:
        dataset: the set.
        pairs: its pictures.
        root: the folder of data sets.
    """

    def __init__(self, dataset: DataSet, pairs: Sequence[Pair], root: Path | None = None) -> None:
        shipped = resources.files("ldrps.bench").joinpath("sets", f"{dataset.name}.tsv")
        written = _read(shipped.read_text(encoding="utf-8")) if shipped.is_file() else {}
        file = dataset.folder(root) / FILE
        names = [pair.name for pair in pairs]
        half = len(names) // 2
        others = dict(zip(names, [*names[half:], *names[:half]], strict=True))
        self._by_kind = {
            "written": written,
            "wrong": {name: written.get(other, "") for name, other in others.items() if name != other},
            "file": _read(file.read_text(encoding="utf-8")) if file.is_file() else {},
        }

    def __call__(self, kind: str, name: str) -> str:
        """Of the picture of that name; "" for the kinds that are not known before the picture is seen."""
        return self._by_kind.get(kind, {}).get(name, "")


def _read(text: str) -> dict[str, str]:
    lines = (line.partition("\t") for line in text.splitlines())
    return {name: caption.strip() for name, tab, caption in lines if tab}
