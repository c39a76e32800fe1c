"""Results as rows of a file: written when done, found again after any interruption, never computed twice."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ldrps.database import Kind, blaming, connect, prepare, real, strange, text, whole

_PATIENCE = 60.0  # seconds for other processes that write
_KIND = Kind(
    name="store of results",
    mark=0x4C445253,  # "LDRS"
    version=1,
    tables=(
        "CREATE TABLE IF NOT EXISTS results ("
        "contender TEXT NOT NULL, dataset TEXT NOT NULL, image TEXT NOT NULL, seed INTEGER NOT NULL,"
        " inputs TEXT NOT NULL, error TEXT, scores TEXT NOT NULL, seconds REAL NOT NULL, peak_mb REAL,"
        " details TEXT NOT NULL, PRIMARY KEY (contender, dataset, image, seed, inputs))",
    ),
    former=frozenset({"rows"}),
    instead="give another --store",
)


@dataclass(frozen=True)
class Key:
    """What a row is about.

    Attributes:
        contender: a fingerprint: another setting, other weights or other code are another contender.
        dataset, image: names.
        seed: of the contender.
        inputs: a hash of what goes in, see `ldrps.bench.inputs`: another picture under the same name is another row.
    """

    contender: str
    dataset: str
    image: str
    seed: int
    inputs: str


@dataclass(frozen=True)
class Row:
    """One picture restored once by one contender, or its failure.

    Attributes:
        key: which.
        scores: metric to value; empty if it failed.
        error: why it failed.
        seconds: wall time of the restoration, without reading and scoring.
        peak_mb: largest resident memory of the process during it, MiB; None where the system does not tell.
        details: plain data for the report.
    """

    key: Key
    scores: Mapping[str, float]
    seconds: float
    peak_mb: float | None = None
    error: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


class Store:
    """Rows in an SQLite file that several processes may write at once.

    Raises:
        OutputError: the file cannot be written, is none of ours, or of a later ldrps; as for what follows.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._blaming():
            path.parent.mkdir(parents=True, exist_ok=True)
            with closing(self._open()) as database:
                prepare(database, _KIND, _PATIENCE)

    def add(self, row: Row) -> None:
        """Write a row; when this returns, it survives anything. A row that is there is replaced."""
        key = row.key
        values = (
            *(key.contender, key.dataset, key.image, key.seed, key.inputs),
            *(row.error, json.dumps(dict(row.scores)), row.seconds, row.peak_mb, json.dumps(dict(row.details))),
        )
        with self._blaming(), closing(self._open()) as database:
            database.execute("INSERT OR REPLACE INTO results VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values)

    def rows(self) -> list[Row]:
        """All rows, in the order of their keys."""
        with self._blaming(), closing(self._open()) as database:
            found = database.execute("SELECT * FROM results ORDER BY contender, dataset, image, seed, inputs")
            return [_row(*values) for values in found]

    def _open(self) -> sqlite3.Connection:
        return connect(self.path, _PATIENCE)

    def _blaming(self) -> AbstractContextManager[None]:
        return blaming(self.path, _KIND, _PATIENCE)


def _row(*values: object) -> Row:
    """A row as it is in the file, which anybody may have written.

    Raises:
        NotOurs: a value in it is not of the form that is written here.
    """
    contender, dataset, image, seed, inputs, error, scores, seconds, peak, details = values
    return Row(
        Key(
            text(contender, "contender"),
            text(dataset, "dataset"),
            text(image, "image"),
            whole(seed, "seed"),
            text(inputs, "inputs"),
        ),
        {name: _score(value) for name, value in _object(scores, "scores").items()},
        real(seconds, "seconds"),
        None if peak is None else real(peak, "peak_mb"),
        None if error is None else text(error, "error"),
        _details(_object(details, "details")),
    )


def _object(value: object, name: str) -> dict[str, Any]:
    try:
        plain = json.loads(text(value, name))
    except (ValueError, RecursionError):
        plain = None
    if not isinstance(plain, dict):
        raise strange(value, name)
    return plain


def _score(value: object) -> float:
    if not isinstance(value, int | float):  # infinity and NaN are scores, too
        raise strange(value, "scores")
    return value


def _details(plain: dict[str, Any]) -> dict[str, Any]:
    judges, protocol = plain.get("judges", []), plain.get("protocol", {})
    if not isinstance(judges, list) or not all(isinstance(each, str) for each in judges):
        raise strange(judges, "details.judges")
    if not isinstance(protocol, dict) or not isinstance(protocol.get("lpips", {}), dict):
        raise strange(protocol, "details.protocol")
    return plain
