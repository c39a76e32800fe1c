"""What `--jobs 2` is worth: wall time and CPU time of `ldrps restore` on a folder, by one process and by two, in turns.

    python benchmarks/jobs.py [--kinds small large] [--rounds 2] [--jobs 1 2] [--preset fast]

`small` are 24 noisy pictures of 64 to 128 pixels, of which most of the time goes into starting; `large` are 4 of a
megapixel. Both are cut and enlarged from `samples/`. CPU seconds are those of all processes of the command, which tell
what it costs on a machine that has other things to do. Linux only.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

SAMPLES = Path(__file__).parents[1] / "samples"
NOISE = 12.0  # of 255
_ADOPT_ORPHANS = 36  # PR_SET_CHILD_SUBREAPER: processes that outlive their parent become ours, and so does their time


class Took(NamedTuple):
    """What a command took, in seconds."""

    wall: float
    cpu: float


def make_small(folder: Path, random: np.random.Generator) -> None:
    """24 pictures of 64 to 128 pixels a side."""
    for number in range(24):
        width, height = (int(side) for side in random.integers(64, 129, 2))
        with Image.open(_sample(number)) as image:
            left, top = (int(random.integers(0, free + 1)) for free in (image.width - width, image.height - height))
            _save(image.convert("RGB").crop((left, top, left + width, top + height)), folder, number, random)


def make_large(folder: Path, random: np.random.Generator) -> None:
    """4 pictures of a megapixel."""
    for number in range(4):
        with Image.open(_sample(number)) as image:
            _save(image.convert("RGB").resize((1224, 816), Image.Resampling.BICUBIC), folder, number, random)


def run(pictures: Path, out: Path, jobs: int, preset: str) -> Took:
    """One command to its end, and until none of its processes is left."""
    command = [sys.executable, "-m", "ldrps", "restore", str(pictures), "-o", str(out), "--preset", preset]
    before, began = _cpu(), time.perf_counter()
    subprocess.run([*command, "--jobs", str(jobs)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wall = time.perf_counter() - began
    while True:
        try:
            os.wait()
        except ChildProcessError:
            return Took(wall, _cpu() - before)


def _sample(number: int) -> Path:
    paths = sorted(SAMPLES.glob("*.png"))
    return paths[number % len(paths)]


def _save(image: Image.Image, folder: Path, number: int, random: np.random.Generator) -> None:
    noisy = np.asarray(image) + random.normal(0, NOISE, (image.height, image.width, 3))
    Image.fromarray(noisy.round().clip(0, 255).astype(np.uint8)).save(folder / f"{number:02}.png")


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kinds", nargs="+", default=["small", "large"], choices=["small", "large"])
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--jobs", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--preset", default="fast")
    given = parser.parse_args()
    ctypes.CDLL(None).prctl(_ADOPT_ORPHANS, 1, 0, 0, 0)
    for kind in given.kinds:
        with tempfile.TemporaryDirectory() as name:
            root = Path(name)
            (root / "in").mkdir()
            (make_small if kind == "small" else make_large)(root / "in", np.random.default_rng(0))
            took: dict[int, list[Took]] = {jobs: [] for jobs in given.jobs}
            for number in range(given.rounds):
                for jobs in given.jobs:
                    took[jobs].append(run(root / "in", root / f"out-{number}-{jobs}", jobs, given.preset))
                    wall, cpu = took[jobs][-1]
                    print(f"  {kind}, round {number + 1}, --jobs {jobs}: {wall:.1f} s, of CPU {cpu:.1f} s", flush=True)
            for jobs, rounds in took.items():
                wall, cpu = (statistics.median(values) for values in zip(*rounds, strict=True))
                print(f"{kind}, --jobs {jobs}, median: {wall:.1f} s, of CPU {cpu:.1f} s", flush=True)


if __name__ == "__main__":
    main()
