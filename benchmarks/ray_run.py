"""A folder by a cluster of two raylets on this machine: what Ray costs beside `--jobs`, and what is left of it when
workers are killed at random instants, and once the command itself.

    python benchmarks/ray_run.py --count 2000 --kills 10

Small pictures are restored by `--jobs 2`, by two workers of Ray, and by two workers of Ray that are killed. All three
folders must be equal, byte for byte, and every picture have one row. What Ray costs is told in seconds of the clock,
which count on a machine that does nothing else, and in seconds of processors, which count on any: of all processes,
from when a quarter of the results is there to the last, so that what loading takes is left out; and by which processes
they were taken. Linux; needs Ray: pip install '.[ray]'.
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
    parser.add_argument("--kills", type=int, default=10, help="workers that are killed; 0: without that run")
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
            if given.kills:
                killed(folder, [*words, "--ray", address], given)
        same = read(folder / "alone")
        print(
            f"{given.count} pictures of {given.side} x {given.side}, preset {given.preset}, {given.only or 'all parts'}"
        )
        for of, before, after in zip(("the clock", "processors"), alone, ray, strict=True):
            ms = f"--jobs {_WORKERS} {1000 * before:.1f} ms, --ray {1000 * after:.1f} ms"
            print(f"{of}, a picture: {ms}, {100 * (after / before - 1):+.1f} %")
        share = (ray[1] - alone[1]) / ray[0]
        print(
            f"Ray takes {share:.3f} of a core while it runs, which is {100 * share / (_WORKERS - share):+.1f} % of the "
            f"clock where {_WORKERS} cores do nothing else (computed)"
        )
        for each in ("ray", "killed") if given.kills else ("ray",):
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
    """Carry it out; the seconds of the clock, and of all processors, from a quarter of its results to the last."""
    began, spent = time.time(), Spent(mark)
    process = subprocess.Popen(command(folder, out, words), stdout=subprocess.DEVNULL)
    first: tuple[float, dict[str, float]] | None = None
    last: tuple[float, dict[str, float]] | None = None
    done_first = 0
    while process.poll() is None:
        so_far, done = spent(), len(read(folder / out, names_only=True))
        if done >= count / 4 and first is None:
            first, done_first = (time.time(), so_far), done
        if done == count and last is None:
            last = time.time(), so_far
        time.sleep(4 * _PAUSE)
    if process.returncode or first is None or last is None:
        raise SystemExit(f"{out} ended with code {process.returncode}")
    between = count - done_first
    if not between:
        raise SystemExit(f"{out} had all its results at once: give more pictures")
    taken = {title: (seconds - first[1].get(title, 0.0)) / between for title, seconds in last[1].items()}
    print(f"{out}: {time.time() - began:.1f} s in all; of processors, in ms a picture:", flush=True)
    for title, seconds in sorted(taken.items(), key=lambda each: -each[1])[:12]:
        print(f"  {1000 * seconds:6.1f}  {title}", flush=True)
    return (last[0] - first[0]) / between, sum(taken.values())


class Spent:
    """The seconds of processors that all processes with a mark in their environment have taken, by the titles of
    these, but this one.
    """

    def __init__(self, mark: str) -> None:
        self._mark = f"{MARK}={mark}".encode()
        self._ours: dict[str, float] = {}  # by the number of the process and when it was started; of the dead too
        self._titles: dict[str, str] = {}
        self._others: set[str] = {str(os.getpid())}

    def __call__(self) -> dict[str, float]:
        for entry in Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and entry.name not in self._others:
                    self._look(entry)
            except OSError:  # it has ended
                continue
        found: dict[str, float] = {}
        for name, seconds in self._ours.items():
            found[self._titles[name]] = found.get(self._titles[name], 0.0) + seconds
        return found

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
        if name not in self._titles:  # once, as Ray gives its processes other titles while they work
            words = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
            self._titles[name] = _title(words) or entry.name
        self._ours[name] = (int(fields[11]) + int(fields[12])) / _TICK


def _title(words: list[str]) -> str:
    """By what a process is known: the words of its command that are no options, without their folders."""
    kept = [Path(word).name for word in words if word and not word.startswith("-")]
    return " ".join(kept)[:60]


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
