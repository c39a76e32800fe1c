"""A folder by a cluster of two raylets on this machine: what Ray costs beside `--jobs`, and what is left of it when
workers are killed at random instants, and once the command itself.

    python benchmarks/ray_run.py --count 2000 --kills 10

Small pictures are restored by `--jobs 2`, by two workers of Ray, and by two workers of Ray that are killed. All three
folders must be equal, byte for byte, and every picture have one row. Needs Ray: pip install '.[ray]'.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image

_WORKERS = 2
_ACTOR = b"MapBatches(_Actor)"  # in the title of a worker's process
_PAUSE = 0.05


def main() -> None:
    """Take the command line, make the pictures, run all three, and tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=2000, help="pictures")
    parser.add_argument("--side", type=int, default=48, help="of each, in pixels")
    parser.add_argument("--kills", type=int, default=10, help="workers that are killed")
    parser.add_argument("--preset", default="fast")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="for all that is made; kept")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = given.folder or Path(name)
        make_pictures(folder / "in", given.count, given.side, given.seed)
        words = ["--preset", given.preset, "--jobs", str(_WORKERS)]
        alone = timed(folder, "alone", words)
        with cluster() as address:
            ray = timed(folder, "ray", [*words, "--ray", address])
            killed(folder, [*words, "--ray", address], given, ray)
        same = read(folder / "alone")
        print(f"{given.count} pictures of {given.side} x {given.side}, preset {given.preset}")
        print(f"--jobs {_WORKERS}: {alone:.1f} s; --ray: {ray:.1f} s, {100 * (ray / alone - 1):+.1f} %")
        for each in ("ray", "killed"):
            print(f"{each}: {compare(same, read(folder / each))}; {rows(folder / each, given.count)}")


def make_pictures(folder: Path, count: int, side: int, seed: int) -> None:
    """Smooth colours with noise on them."""
    folder.mkdir(parents=True, exist_ok=True)
    draw = np.random.default_rng(seed)
    for number in range(count):
        smooth = Image.fromarray(draw.integers(0, 200, (6, 6, 3), np.uint8)).resize(
            (side, side), Image.Resampling.BICUBIC
        )
        noisy = np.asarray(smooth) + draw.normal(0.0, 15.0, (side, side, 3))
        Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(folder / f"{number:06}.png")


def command(folder: Path, out: str, words: list[str]) -> list[str]:
    """The command line that restores."""
    return [sys.executable, "-m", "ldrps", "restore", str(folder / "in"), "-o", str(folder / out), *words]


def timed(folder: Path, out: str, words: list[str]) -> float:
    """Carry it out; the seconds from its first result to its last, which leaves out what loading takes."""
    began = time.time()
    subprocess.run(command(folder, out, words), check=True, stdout=subprocess.DEVNULL)
    changed = [path.stat().st_mtime for path in (folder / out).glob("*.png")]
    print(f"{out}: {time.time() - began:.1f} s in all", flush=True)
    return max(changed) - min(changed)


@contextmanager
def cluster() -> Iterator[str]:
    """Two raylets on this machine, with room for the workers and for what is Ray's own."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    from ray.cluster_utils import Cluster

    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 4, "include_dashboard": False})
    try:
        made.add_node(num_cpus=2)
        yield str(made.address)
    finally:
        made.shutdown()


def killed(folder: Path, words: list[str], given: argparse.Namespace, expected: float) -> None:
    """Carry it out while workers, and once the command, are killed at random instants of the time that it takes."""
    draw = random.Random(given.seed)
    instants = sorted(draw.uniform(0.05, 0.95) for _ in range(given.kills + 1))
    drivers, struck = {draw.randrange(len(instants))}, 0
    process = subprocess.Popen(command(folder, "killed", words), stdout=subprocess.DEVNULL)
    while process.poll() is None or struck < len(instants):
        if process.poll() is not None:
            process = subprocess.Popen(command(folder, "killed", words), stdout=subprocess.DEVNULL)
        done = len(read(folder / "killed", names_only=True))
        if struck < len(instants) and done >= instants[struck] * given.count:
            if struck in drivers:
                process.kill()
                process.wait()
                print(f"the command killed at {done} of {given.count}", flush=True)
            else:
                workers = find_workers()
                if not workers:
                    time.sleep(_PAUSE)
                    continue
                os.kill(draw.choice(workers), signal.SIGKILL)
                print(f"a worker killed at {done} of {given.count}", flush=True)
            struck += 1
        elif struck < len(instants) and done == given.count:
            break
        time.sleep(_PAUSE)
    process.wait()
    if process.returncode:
        subprocess.run(command(folder, "killed", words), check=True, stdout=subprocess.DEVNULL)


def find_workers() -> list[int]:
    """The processes of Ray that restore."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and _ACTOR in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def read(folder: Path, names_only: bool = False) -> dict[str, bytes]:
    """The results in a folder."""
    return {path.name: b"" if names_only else path.read_bytes() for path in folder.glob("*.png")}


def compare(one: dict[str, bytes], other: dict[str, bytes]) -> str:
    """How two folders of results differ."""
    differ = sum(one[name] != other[name] for name in one.keys() & other.keys())
    return f"{len(one.keys() - other.keys())} missing, {len(other.keys() - one.keys())} stray, {differ} different"


def rows(folder: Path, count: int) -> str:
    """Whether each picture has one row of what became of it."""
    import pyarrow.dataset

    table = pyarrow.dataset.dataset(folder / ".ldrps-ray" / "outcomes", format="parquet").to_table()
    ids, states = table["id"].to_pylist(), table["state"].to_pylist()
    return f"{len(ids)} rows of {len(set(ids))} pictures of {count}, {states.count('failed')} failed"


if __name__ == "__main__":
    main()
