"""The tables of a run, as Parquet beside its results: the manifest, what became of each picture, and what failed."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset as arrow_dataset
import pyarrow.fs as arrow_fs
import pyarrow.parquet as parquet

from ldrps.distributed.listing import Listed
from ldrps.distributed.store import Store
from ldrps.folders.names import CLUSTER

MANIFEST, DONE, OUTCOMES = (f"{CLUSTER}/{name}" for name in ("manifest", "done", "outcomes"))
FAILURES = f"{CLUSTER}/failures.parquet"
ID = "id"
# Names of files are bytes: not all of them are UTF-8.
LISTED = pa.schema([(ID, pa.int64()), ("key", pa.binary()), ("target", pa.binary())])
ROWS = pa.schema(
    [
        *((ID, pa.int64()), ("key", pa.binary()), ("target", pa.binary()), ("number", pa.int64())),
        *((name, pa.string()) for name in ("state", "reason", "words")),
        *(("unchanged", pa.bool_()), ("seconds", pa.float64()), ("size", pa.int64())),
        *((name, pa.string()) for name in ("digest", "machine")),
    ]
)
_SHARD = 100_000  # rows of a shard of the manifest


def arrow_files(store: Store) -> arrow_fs.FileSystem:
    """What Arrow, and Ray with it, reads and writes there with."""
    if store.path is not None:
        return arrow_fs.LocalFileSystem()
    arrow = getattr(store.files, "fs", None)  # of what fsspec wraps
    if isinstance(arrow, arrow_fs.FileSystem):
        return arrow
    return arrow_fs.PyFileSystem(arrow_fs.FSSpecHandler(store.files))


def write_manifest(out: Store, pictures: Iterable[Listed], failed: set[int], scratch: Path) -> int:
    """Write down the pictures of a pass, in shards, in place of those of the last; how many they are.

    `failed`: ids of attempts that failed in earlier passes; each gets the id of the next attempt.

    Raises:
        InputError, OutputError: the pictures cannot be listed, or the manifest not be written.
    """
    out.remove(MANIFEST)
    total, rest = 0, iter(pictures)
    for number in count():
        shard = list(islice(rest, _SHARD))
        if not shard:
            break
        rows = {
            ID: [_next_id(each, failed) for each in shard],
            "key": [os.fsencode(each.key) for each in shard],
            "target": [os.fsencode(each.target) for each in shard],
        }
        _write(out, f"{MANIFEST}/part-{number:05}.parquet", pa.table(rows, schema=LISTED), scratch)
        total += len(shard)
    return total


def _next_id(picture: Listed, failed: set[int]) -> int:
    attempt = 0
    while (id_ := picture.id(attempt)) in failed:
        attempt += 1
    return id_


def _write(out: Store, key: str, table: pa.Table, scratch: Path) -> None:
    path = scratch / "table.parquet"
    parquet.write_table(table, path)
    out.put(key, path)
    path.unlink()


@dataclass(frozen=True)
class Sum:
    """What became of the pictures of a pass.

    Attributes:
        done, unchanged, failed: how many; of the done, those that came back as they were.
        seconds: that restoring the done took, of one worker.
        machines: with which instructions the done were computed.
    """

    done: int = 0
    unchanged: int = 0
    failed: int = 0
    seconds: float = 0.0
    machines: frozenset[str] = frozenset()


def sum_up(out: Store, number: int) -> Sum:
    """What became of the pictures of a pass so far, over all commands."""
    done = unchanged = failed = 0
    seconds, machines = 0.0, set[str]()
    columns = ["state", "unchanged", "seconds", "machine"]
    for batch in _scan(out, columns, arrow_dataset.field("number") == number):
        for row in batch.to_pylist():
            if row["state"] == "done":
                done, unchanged, seconds = done + 1, unchanged + row["unchanged"], seconds + row["seconds"]
                machines.add(row["machine"])
            else:
                failed += 1
    return Sum(done, unchanged, failed, seconds, frozenset(machines))


def failed_ids(out: Store) -> set[int]:
    """The ids of all attempts that failed, in all passes."""
    failed = arrow_dataset.field("state") == "failed"
    return {id_ for batch in _scan(out, [ID], failed) for id_ in batch[ID].to_pylist()}


def write_failures(out: Store, number: int, scratch: Path) -> list[str]:
    """Write down what failed in a pass, if anything, in a table of its own; why, of the first of them."""
    field = arrow_dataset.field
    failed = (field("number") == number) & (field("state") == "failed")
    tables = list(_scan(out, ROWS.names, failed))
    table = pa.Table.from_batches(tables, schema=ROWS).sort_by("key")
    _write(out, FAILURES, table.select(["key", "reason", "seconds", "machine"]), scratch)
    return [str(each) for each in table["reason"].slice(0, 20).to_pylist()]


def _scan(out: Store, columns: list[str], wanted: Any) -> Iterator[pa.RecordBatch]:
    files = arrow_files(out)
    found = files.get_file_info(arrow_fs.FileSelector(out.at(OUTCOMES), allow_not_found=True))
    paths = [each.path for each in found if each.is_file and each.path.endswith(".parquet")]
    if paths:
        table = arrow_dataset.dataset(paths, schema=ROWS, filesystem=files, format="parquet")
        yield from table.to_batches(columns=columns, filter=wanted)
