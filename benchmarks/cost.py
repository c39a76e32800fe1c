"""Seconds and peak memory of restoring one picture, each measured in a process of its own.

    python benchmarks/cost.py [--side 256] [--preset default] [--dtype auto] [--threads 2] [--give-back]

Seconds are those of the clock and, which a busy machine moves less, of the processor. The process keeps memory as the
command does; with --give-back it does not. Memory is the process's largest resident set, Python and libraries included.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time


def once(side: int, preset: str, dtype: str, threads: int, *, keeps: bool) -> dict[str, float]:
    """Restore a noisy picture in this process."""
    began = time.perf_counter()
    import numpy as np
    import torch

    import ldrps
    from ldrps.prior import EMBEDDED, precision_of
    from ldrps.run.share import keep_memory

    if keeps:
        keep_memory()

    torch.set_num_threads(threads)
    random = np.random.default_rng(0)
    y, x = np.mgrid[0:side, 0:side] / side
    clean = 0.5 + 0.4 * np.stack([np.sin(9 * x), np.cos(7 * y), np.sin(5 * (x + y))], -1)
    picture = (clean + 0.1 * random.standard_normal(clean.shape)).clip(0, 1)
    prior = ldrps.load_prior(dtype=precision_of(EMBEDDED, dtype, "cpu"))
    restorer = ldrps.Restorer(prior, ldrps.preset(preset))
    ready, busy = time.perf_counter(), time.process_time()
    restorer(picture)
    done, worked = time.perf_counter(), time.process_time() - busy
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10  # KiB on Linux
    seconds = {"start_seconds": ready - began, "restore_seconds": done - ready, "restore_cpu_seconds": worked}
    return {**seconds, "peak_MiB": peak}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--side", type=int, default=256, help="pixels")
    parser.add_argument("--preset", default="default")
    parser.add_argument("--dtype", default="auto", help="precision of the prior")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--give-back", action="store_true", help="memory to the system, as programs do by default")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--inner", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.inner:
        print(json.dumps(once(given.side, given.preset, given.dtype, given.threads, keeps=not given.give_back)))
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
