"""Seconds and peak memory of restoring one picture, each measured in a process of its own.

    python benchmarks/cost.py [--side 256] [--preset default] [--dtype auto] [--threads 2] [--before 0] [...]

Seconds are those of the clock and, which a busy machine moves less, of the processor. The process keeps memory, and its
threads wait, as the command has them; with --give-back they do not. Memory is the process's largest resident set,
Python and libraries included.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace


def once(given: argparse.Namespace) -> dict[str, float]:
    """Restore a noisy picture in this process."""
    began = time.perf_counter()
    from ldrps.run.share import keep_memory, wait_briefly

    if not given.give_back:
        keep_memory()
        wait_briefly()  # before torch is loaded

    import numpy as np
    import torch

    import ldrps
    from ldrps.prior import EMBEDDED, precision_of
    from ldrps.settings import BlindSettings

    torch.set_num_threads(given.threads)
    random, side = np.random.default_rng(0), given.side
    y, x = np.mgrid[0:side, 0:side] / side
    clean = 0.5 + 0.4 * np.stack([np.sin(9 * x), np.cos(7 * y), np.sin(5 * (x + y))], -1)
    picture = (clean + 0.1 * random.standard_normal(clean.shape)).clip(0, 1)
    prior = ldrps.load_prior(dtype=precision_of(EMBEDDED, given.dtype, "cpu"))
    settings, offsets = ldrps.preset(given.preset).with_changes(steps=given.steps), given.offsets
    assert isinstance(settings.method, BlindSettings)
    method = settings.method if offsets is None else replace(settings.method, shifts=offsets)
    restorer = ldrps.Restorer(prior, replace(settings, method=method))
    for _ in range(given.before):
        restorer(picture)
    ready, busy = time.perf_counter(), time.process_time()
    restorer(picture)
    done, worked = time.perf_counter(), time.process_time() - busy
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10  # KiB on Linux
    seconds = {"start_seconds": ready - began, "restore_seconds": done - ready, "restore_cpu_seconds": worked}
    return {**seconds, "peak_MiB": peak}


def measured(words: Sequence[str], repeat: int = 3) -> list[dict[str, float]]:
    """What `once` says in so many processes that are started with these words."""
    command = [sys.executable, __file__, *words, "--inner"]
    runs = [subprocess.run(command, capture_output=True, text=True, check=True) for _ in range(repeat)]
    return [json.loads(run.stdout) for run in runs]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--side", type=int, default=256, help="pixels")
    parser.add_argument("--preset", default="default")
    parser.add_argument("--steps", type=int, help="of the chain, in place of the preset's")
    parser.add_argument("--offsets", type=int, help="of the prior's grid, in place of the preset's")
    parser.add_argument("--dtype", default="auto", help="precision of the prior")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--give-back", action="store_true", help="memory to the system, as programs do by default")
    parser.add_argument(
        "--before", type=int, default=0, help="restorations that go before, as in a folder or a service"
    )
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--inner", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.inner:
        print(json.dumps(once(given)))
        return
    runs = measured(sys.argv[1:], given.repeat)
    for name in runs[0]:
        values = [run[name] for run in runs]
        print(f"{name}: median {statistics.median(values):.2f}, {min(values):.2f} to {max(values):.2f}")


if __name__ == "__main__":
    main()
