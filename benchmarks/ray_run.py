"""A folder by a cluster of two raylets on this machine: what Ray costs beside `--jobs`, and what is left of it when
workers are killed at random instants, and once the command itself.

    python benchmarks/ray_run.py --count 2000 --kills 10

Small pictures are restored by `--jobs 2`, by two workers of Ray, and by two workers of Ray that are killed. All three
folders must be equal, byte for byte, and every picture have one row. What Ray costs is told in seconds of the clock,
which count on a machine that does nothing else, and in seconds of processors, which count on any: of all processes,
from the first result to the last, so that what loading takes is left out. Linux; needs Ray: pip install '.[ray]'.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

_WORKERS = 2
_ACTOR = b"MapBatches(_Actor)"  # in the title of a worker's process
_PAUSE = 0.05
MARK = "LDRPS_RAY_RUN"  # in the environment of all processes that are counted
_TICK = os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Take the command line, make the pictures, run all three, and tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=2000, help="pictures")
    parser.add_argument("--side", type=int, default=48, help="of each, in pixels")
    parser.add_argument("--kills", type=int, default=10, help="workers that are killed")
    parser.add_argument("--preset", default="fast")
    parser.add_argument("--only", help="the part that is undone, such as noise, which makes pictures cheaper")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="for all that is made; kept")
    given = parser.parse_args()
    os.environ[MARK] = mark = str(os.getpid())
    with tempfile.TemporaryDirectory() as name:
        folder = given.folder or Path(name)
        make_pictures(folder / "in", given.count, given.side, given.seed)
        words = ["--preset", given.preset, "--jobs", str(_WORKERS)]
        words += ["--only", given.only] if given.only else []
        alone = timed(folder, "alone", words, given.count, mark)
        with cluster() as address:
            ray = timed(folder, "ray", [*words, "--ray", address], given.count, mark)
            killed(folder, [*words, "--ray", address], given)
        same = read(folder / "alone")
        print(
            f"{given.count} pictures of {given.side} x {given.side}, preset {given.preset}, {given.only or 'all parts'}"
        )
        for of, before, after in zip(("the clock", "processors"), alone, ray, strict=True):
            print(f"{of}: --jobs {_WORKERS} {before:.1f} s, --ray {after:.1f} s, {100 * (after / before - 1):+.1f} %")
        for each in ("ray", "killed"):
            print(f"{each}: {compare(same, read(folder / each))}; {rows(folder / each, given.count)}")


def make_pictures(folder: Path, count: int, side: int, seed: int) -> None:
    """Squares of colour with noise on them."""
    folder.mkdir(parents=True, exist_ok=True)
    draw = np.random.default_rng(seed)
    for number in range(count):
        squares = Image.fromarray(draw.integers(0, 200, (6, 6, 3), np.uint8)).resize(
            (side, side), Image.Resampling.NEAREST
        )
        noisy = np.asarray(squares) + draw.normal(0.0, 15.0, (side, side, 3))
        Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(folder / f"{number:06}.png")


def command(folder: Path, out: str, words: list[str]) -> list[str]:
    """The command line that restores."""
    return [sys.executable, "-m", "ldrps", "restore", str(folder / "in"), "-o", str(folder / out), *words]


def timed(folder: Path, out: str, words: list[str], count: int, mark: str) -> tuple[float, float]:
    """Carry it out; the seconds of the clock, and of all processors, from its first result to its last."""
    began, spent = time.time(), Spent(mark)
    process = subprocess.Popen(command(folder, out, words), stdout=subprocess.DEVNULL)
    first = last = None
    while process.poll() is None:
        so_far, done = spent(), len(read(folder / out, names_only=True))
        if done and first is None:
            first = time.time(), so_far
        if done == count and last is None:
            last = time.time(), so_far
        time.sleep(10 * _PAUSE)
    if process.returncode or first is None or last is None:
        raise SystemExit(f"{out} ended with code {process.returncode}")
    print(f"{out}: {time.time() - began:.1f} s in all", flush=True)
    return last[0] - first[0], last[1] - first[1]


class Spent:
    """The seconds of processors that all processes with a mark in their environment have taken, but this one."""

    def __init__(self, mark: str) -> None:
        self._mark = f"{MARK}={mark}".encode()
        self._ours: dict[str, float] = {}  # by the number of the process and when it was started; of the dead too
        self._others: set[str] = {str(os.getpid())}

    def __call__(self) -> float:
        for entry in Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and entry.name not in self._others:
                    self._look(entry)
            except OSError:  # it has ended
                continue
        return sum(self._ours.values())

    def peaks(self) -> Iterator[float]:
        """The most memory that each of them that is alive has had, in MiB."""
        for number in {name.partition(" ")[0] for name in self._ours}:
            with contextlib.suppress(OSError):
                found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc", number, "status").read_text())
                yield int(found[1]) / 1024 if found else 0.0

    def _look(self, entry: Path) -> None:
        fields = (entry / "stat").read_text().rpartition(")")[2].split()
        name = f"{entry.name} {fields[19]}"
        if name not in self._ours and self._mark not in (entry / "environ").read_bytes().split(b"\0"):
            self._others.add(entry.name)
            return
        self._ours[name] = (int(fields[11]) + int(fields[12])) / _TICK


@contextlib.contextmanager
def cluster() -> Iterator[str]:
    """Two raylets on this machine, with room for the workers and for what is Ray's own."""
    # Ray would give its workers a niceness of 15, which those of --jobs do not have.
    os.environ.update({"RAY_USAGE_STATS_ENABLED": "0", "RAY_worker_niceness": "0"})
    from ray.cluster_utils import Cluster

    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 4, "include_dashboard": False})
    try:
        made.add_node(num_cpus=2)
        yield str(made.address)
    finally:
        made.shutdown()


def killed(folder: Path, words: list[str], given: argparse.Namespace) -> None:
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
