"""What ten million pictures would take on a cluster: computed from what a few take on this machine.

    python benchmarks/ray_paper.py --price 0.04 --overhead 0.1

Measured here: seconds of a processor and memory of a worker, which restores the samples as it would on a cluster; bytes
and seconds of the tables that a run keeps, by a million made-up rows. Told: the price of an hour of a core, what Ray
adds (`ray_run.py` measures it), and after how many hours a machine is lost. Linux; needs Arrow: pip install '.[ray]'.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet
from PIL import Image
from ray_run import MARK, Spent

import ldrps
from ldrps.distributed.listing import Listed
from ldrps.distributed.running import IN_FLIGHT, MOST_ROWS, TOGETHER
from ldrps.distributed.state import Pinned
from ldrps.distributed.store import Store
from ldrps.distributed.tables import DONE, ID, MANIFEST, OUTCOMES, ROWS, sum_up, write_manifest
from ldrps.distributed.worker import Errand, Worker, versions
from ldrps.memory import peak_mib
from ldrps.run.job import Output
from ldrps.run.recipe import OwnMethod, Recipe

_SAMPLES = Path(__file__).parents[1] / "samples"
_FILES = 100  # of outcomes, that are written and read


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=Path, default=_SAMPLES, help="PNG files that are restored")
    parser.add_argument("--preset", default="default")
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--times", type=float, default=1e7, help="pictures of the run on paper")
    parser.add_argument("--rows", type=int, default=1_000_000, help="of the manifest that is written")
    parser.add_argument("--cores", type=int, default=1000, help="of the cluster")
    parser.add_argument("--machine", type=int, default=16, help="cores of each machine")
    parser.add_argument("--lost", type=float, default=100.0, help="hours after which a machine is lost")
    parser.add_argument("--overhead", type=float, default=0.0, help="that Ray adds, as a share")
    parser.add_argument("--price", type=float, default=0.04, help="of an hour of a core")
    given = parser.parse_args()
    os.environ[MARK] = str(os.getpid())
    with TemporaryDirectory() as name:
        out = Store.of(name)
        rows, seconds, restorer = restore(given, out)
        total = tables(given, out, rows[0])
    hours = given.times * seconds * (1 + given.overhead) / 3600
    lost = hours / given.machine / given.lost
    again = lost * given.machine * TOGETHER * IN_FLIGHT
    print(
        f"a worker: {restorer:.0f} MiB in the process that restores, {peak_mib() or 0:.0f} MiB in its own",
        f"tables: {total / 2**30:.1f} GiB; all ids, which Ray has in memory, {8 * given.times / 2**20:.0f} MiB",
        f"{hours:,.0f} core-hours with {given.overhead:.0%} for Ray, {hours / given.cores:.0f} h on {given.cores}",
        f"{lost:.0f} machines of {given.machine} cores lost: {again:,.0f} pictures again, {again / given.times:.2%}",
        f"{hours * given.price:,.0f} at {given.price:g} an hour of a core",
        sep="\n",
    )


def restore(given: argparse.Namespace, out: Store) -> tuple[list[dict[str, Any]], float, float]:
    """Restore the pictures as a worker of a cluster does; their rows, the seconds of a processor that each takes, and
    the MiB of the process that restores.
    """
    paths = sorted(given.pictures.glob("*.png"))
    here = versions()
    recipe = Recipe(OwnMethod(ldrps.preset(given.preset), dtype=given.dtype), Output())
    pinned = Pinned(given.dtype, 1, 2**31, here["ldrps"], here["torch"])
    spent = Spent(os.environ[MARK])
    with closing(Worker(Errand(recipe, pinned, Store.of(str(given.pictures)), out, 1))) as worker:
        keys = [os.fsencode(path.name) for path in paths]
        worker([(0, keys[0], b"first.png")])  # which waits for what is loaded
        before, own = spent(), time.process_time()
        rows = worker((number, key, key) for number, key in enumerate(keys))
        seconds = (sum(spent().values()) - sum(before.values()) + time.process_time() - own) / len(rows)
        largest = max(spent.peaks())
    sizes = [Image.open(path).size for path in paths]
    pixels = sum(width * height for width, height in sizes) / len(sizes)
    print(
        f"{len(rows)} pictures of {pixels / 1e6:.3f} megapixels, preset {given.preset}, {given.dtype}: {seconds:.2f} s "
        "of a core each"
    )
    assert {row["state"] for row in rows} == {"done"}, rows
    return rows, seconds, largest


def tables(given: argparse.Namespace, out: Store, row: dict[str, Any]) -> float:
    """Write the tables of made-up pictures and read them; bytes of those of the run on paper."""
    began = time.process_time()
    with TemporaryDirectory() as scratch:
        write_manifest(out, listed(given.rows), set(), Path(scratch))
    took = time.process_time() - began
    pictures = [*listed(_FILES * MOST_ROWS)]
    for number in range(_FILES):
        some = pictures[number * MOST_ROWS : (number + 1) * MOST_ROWS]
        written = [
            row
            | {"id": each.id(), "key": each.key.encode(), "target": each.target.encode(), "size": row["size"] + at}
            | {"seconds": row["seconds"] + at / 7, "digest": hashlib.sha256(each.key.encode()).hexdigest()}
            for at, each in enumerate(some)
        ]
        write(out, f"{OUTCOMES}/{number:05}.parquet", pa.Table.from_pylist(written, schema=ROWS))
        write(out, f"{DONE}/{number:05}.parquet", pa.table({ID: [each.id() for each in some]}))
    began = time.process_time()
    assert sum_up(out, 1).done == len(pictures)
    read = time.process_time() - began
    sizes = {
        name: sum(file.stat().st_size for file in Path(out.at(folder)).iterdir()) / count
        for name, folder, count in (
            ("manifest", MANIFEST, given.rows),
            ("done", DONE, len(pictures)),
            ("outcomes", OUTCOMES, len(pictures)),
        )
    }
    told = ", ".join(f"{name} {size:.0f}" for name, size in sizes.items())
    print(f"bytes of tables to a picture: {told}")
    print(
        f"{given.times:g} pictures: {took * given.times / given.rows:.0f} s of a core to write the manifest, without "
        f"listing; {read * given.times / len(pictures):.0f} s to sum the outcomes up"
    )
    return sum(sizes.values()) * given.times


def listed(count: int) -> Iterator[Listed]:
    """Made-up pictures, numbered as cameras do, which packs well."""
    for number in range(count):
        key = f"2024/{number // 10_000:05}/IMG_{number:08}.jpg"
        yield Listed(key, key, f"{3_000_000 + number} {hashlib.md5(key.encode()).hexdigest()}")


def write(out: Store, key: str, table: pa.Table) -> None:
    """Write a table below a folder of this machine."""
    path = Path(out.at(key))
    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(table, path)


if __name__ == "__main__":
    main()
