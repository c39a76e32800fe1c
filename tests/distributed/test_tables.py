"""The tables beside results."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest

pytest.importorskip("pyarrow", reason="needs Arrow: pip install '.[ray]'")
import pyarrow as pa
import pyarrow.parquet as parquet

from ldrps.distributed import tables
from ldrps.distributed.listing import Listed
from ldrps.distributed.store import Store
from ldrps.distributed.worker import Row


@pytest.fixture
def out(tmp_path: Path) -> Store:
    return Store.of(str(tmp_path / "out"))


def add(out: Store, scratch: Path, *rows: Row) -> None:
    """As Ray writes them."""
    path = scratch / "rows.parquet"
    parquet.write_table(pa.Table.from_pylist([asdict(row) for row in rows], schema=tables.ROWS), path)
    out.put(f"{tables.OUTCOMES}/{rows[0].id}.parquet", path)


def test_a_manifest_in_shards(out: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "_SHARD", 2)
    pictures = [Listed(f"{number}.gif", f"{number}.gif.png", "1") for number in range(4)] + [
        Listed("\udcff.png", "\udcff.png", "1")
    ]
    failed = {pictures[1].id(), pictures[1].id(1), 17}
    assert tables.write_manifest(out, pictures * 2, set(), tmp_path) == 10
    assert tables.write_manifest(out, iter(pictures), failed, tmp_path) == 5
    shards = sorted(Path(out.at(tables.MANIFEST)).iterdir())
    assert [shard.name for shard in shards] == [f"part-0000{number}.parquet" for number in range(3)], "none of the last"
    rows = [row for shard in shards for row in parquet.read_table(shard).to_pylist()]
    assert [row["key"] for row in rows] == [b"0.gif", b"1.gif", b"2.gif", b"3.gif", b"\xff.png"]
    assert [row["target"] for row in rows][:2] == [b"0.gif.png", b"1.gif.png"]
    wanted = [picture.id(2 if number == 1 else 0) for number, picture in enumerate(pictures)]
    assert [row["id"] for row in rows] == wanted, "what failed twice gets the id of a third attempt"


def test_what_became_of_them(out: Store, tmp_path: Path) -> None:
    assert tables.sum_up(out, 1) == tables.Sum() and tables.failed_ids(out) == set()
    done = Row(1, b"a", b"a", 1, "done", unchanged=True, seconds=2.0, machine="AVX2, float32")
    add(out, tmp_path, done, Row(2, b"b", b"b", 1, "failed", "why b"))
    add(out, tmp_path, Row(3, b"c", b"c", 1, "done", seconds=1.0, machine="AVX512, float32"))
    add(out, tmp_path, Row(4, b"b", b"b", 2, "failed", "why again"), Row(5, b"a", b"a", 2, "failed", "why a"))
    assert tables.sum_up(out, 1) == tables.Sum(2, 1, 1, 3.0, frozenset({"AVX2, float32", "AVX512, float32"}))
    assert tables.sum_up(out, 2) == tables.Sum(failed=2)
    assert tables.failed_ids(out) == {2, 4, 5}
    assert tables.write_failures(out, 2, tmp_path) == ["why a", "why again"]
    found = parquet.read_table(out.at(tables.FAILURES)).to_pylist()
    assert [(row["key"], row["reason"]) for row in found] == [(b"a", "why a"), (b"b", "why again")]
