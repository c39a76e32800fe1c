"""Results as rows of a file: written when done, found again after any interruption, never computed twice."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ldrps.errors import OutputError

_TABLE = """
CREATE TABLE IF NOT EXISTS results (
    contender TEXT NOT NULL, dataset TEXT NOT NULL, image TEXT NOT NULL, seed INTEGER NOT NULL, inputs TEXT NOT NULL,
    error TEXT, scores TEXT NOT NULL, seconds REAL NOT NULL, peak_mb REAL, details TEXT NOT NULL,
    PRIMARY KEY (contender, dataset, image, seed, inputs)
)
"""


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
    """Rows in an SQLite file that several processes may write at once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with closing(self._open()) as database, database:
                database.execute("PRAGMA journal_mode = WAL")
                database.execute(_TABLE)
        except sqlite3.DatabaseError as error:
            raise OutputError(f"{path} is no store of results ({error}): give another --store") from error

    def add(self, row: Row) -> None:
        """Write a row; when this returns, it survives anything. A row that is there is replaced."""
        key = row.key
        values = (
            *(key.contender, key.dataset, key.image, key.seed, key.inputs),
            *(row.error, json.dumps(dict(row.scores)), row.seconds, row.peak_mb, json.dumps(dict(row.details))),
        )
        with closing(self._open()) as database, database:
            database.execute("INSERT OR REPLACE INTO results VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values)

    def rows(self) -> Iterator[Row]:
        """All rows, in the order of their keys."""
        with closing(self._open()) as database:
            for *key, error, scores, seconds, peak, details in database.execute(
                "SELECT * FROM results ORDER BY contender, dataset, image, seed, inputs"
            ):
                yield Row(Key(*key), json.loads(scores), seconds, peak, error, json.loads(details))

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(self.path, timeout=60)
