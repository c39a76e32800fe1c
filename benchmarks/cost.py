"""Seconds and peak memory of restoring one picture, each measured in a process of its own.

    python benchmarks/cost.py [--side 256] [--preset default] [--threads 2] [--repeat 3]

Memory is the process's largest resident set, Python and libraries included.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time


def once(side: int, preset: str, threads: int) -> dict[str, float]:
    """Restore a noisy picture in this process."""
    began = time.perf_counter()
    import numpy as np
    import torch

    import ldrps

    torch.set_num_threads(threads)
    random = np.random.default_rng(0)
    y, x = np.mgrid[0:side, 0:side] / side
    clean = 0.5 + 0.4 * np.stack([np.sin(9 * x), np.cos(7 * y), np.sin(5 * (x + y))], -1)
    picture = (clean + 0.1 * random.standard_normal(clean.shape)).clip(0, 1)
    restorer = ldrps.Restorer(ldrps.load_prior(), ldrps.preset(preset))
    ready = time.perf_counter()
    restorer(picture)
    done = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10  # KiB on Linux
    return {"start_seconds": ready - began, "restore_seconds": done - ready, "peak_MiB": peak}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--side", type=int, default=256, help="pixels")
    parser.add_argument("--preset", default="default")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--inner", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.inner:
        print(json.dumps(once(given.side, given.preset, given.threads)))
        return
    runs = []
    for _ in range(given.repeat):
        finished = subprocess.run([sys.executable, *sys.argv, "--inner"], capture_output=True, text=True, check=True)
        runs.append(json.loads(finished.stdout))
    for name in runs[0]:
        values = [run[name] for run in runs]
        print(f"{name}: median {statistics.median(values):.2f}, {min(values):.2f} to {max(values):.2f}")


if __name__ == "__main__":
    main()
