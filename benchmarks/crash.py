"""What is left when things go wrong in the middle of a folder: killed processes, full disks, rivals, bad pictures.

    python benchmarks/crash.py [kills failures rivals bad order] [--pictures 40] [--kills 20] [--side 64] [--jobs 1]

Each part prints its figures as a line of JSON; the exit code is 1 if one of them is not what it must be. The command
line runs in processes that are forked off a server which has loaded torch already, so that a start takes no time.
"""

from __future__ import annotations

import argparse
import errno
import json
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from crash_parts import Bench, Failing, Waiting, count_tries, strays, tree, tries

Figures = dict[str, Any]


def kills(bench: Bench, count: int, jobs: int = 1, seed: int = 0) -> Figures:
    """Kill the run at `count` random instants, start it again each time, and see what is there in the end."""
    expected = bench.unbroken()
    began = time.monotonic()
    bench.run(bench.root / "timed", "--jobs", str(jobs))
    duration = time.monotonic() - began
    chance = random.Random(seed)
    done = corrupt = stray = different = again = batches = 0
    while done < count:
        out = bench.root / f"killed{batches}"
        batches += 1
        count_tries(out)
        in_batch, ended = 0, False
        while not ended:
            process = bench.begin(out, "--jobs", str(jobs))
            # Some in the loading, most in the work; late enough on average that a batch gets on.
            process.join(chance.uniform(0.1, 0.7) * duration if done < count else None)
            ended = process.exitcode is not None
            if not ended:
                os.kill(process.pid or 0, signal.SIGKILL)
                process.join()
                done, in_batch = done + 1, in_batch + 1
                corrupt += sum(expected.get(name) != data for name, data in tree(out).items())
            else:
                assert process.exitcode == 0, out.with_name(f"{out.name}.log").read_text()
        stray += len(strays(out))
        different += tree(out) != expected
        again = max(again, tries(out) - len(expected) - in_batch * jobs)
    good = not (corrupt or stray or different) and again <= 0
    return {
        **{"test": "kills", "good": good, "pictures": len(expected), "jobs": jobs, "kills": done, "batches": batches},
        **{
            "corrupt": corrupt,
            "stray": stray,
            "trees_that_differ": different,
            "tries_beyond_one_a_kill": max(again, 0),
        },
    }


def failures(bench: Bench) -> Figures:
    """Let the n-th write, fsync and rename or link fail, for every n: outputs whole or absent, exit code not 0."""
    words = ("--compare",)
    expected_out = bench.root / "expected"
    assert bench.run(expected_out, *words) == 0
    expected = tree(expected_out)
    sources = tree(bench.pictures)
    injected = bad = silent = unfinished = 0
    for call in ("write", "fsync", "link", "replace"):
        n, reached = 0, True
        while reached:
            n += 1
            out = bench.root / f"failed-{call}-{n}"
            mark = bench.root / f"reached-{call}-{n}"
            number = (errno.ENOSPC, errno.EIO, errno.EACCES)[n % 3]
            code = bench.run(out, *words, prepare=Failing(call, n, number, mark))
            reached = mark.exists()
            injected += reached
            made = tree(out)
            bad += any(expected.get(name) != data for name, data in made.items()) or bool(strays(out))
            silent += code == 0 and made != expected
            unfinished += bench.run(out, *words) != 0 or tree(out) != expected or bool(strays(out))
    untouched = tree(bench.pictures) == sources
    good = not (bad or silent or unfinished) and untouched
    return {
        **{"test": "failures", "good": good, "injected": injected, "runs_with_bad_files": bad},
        **{"exit_0_and_incomplete": silent, "not_finished_by_the_next_run": unfinished, "sources_untouched": untouched},
    }


def rivals(bench: Bench) -> Figures:
    """Two processes over one folder; then one that is told to stop in the middle."""
    expected = bench.unbroken()
    out = bench.root / "rivals"
    count_tries(out)
    both = [bench.begin(out) for _ in range(2)]
    for process in both:
        process.join()
    codes = [process.exitcode for process in both]
    extra = tries(out) - len(expected)
    equal = tree(out) == expected and not strays(out)

    stopped = bench.root / "stopped"
    count_tries(stopped)
    process = bench.begin(stopped, prepare=Waiting(2))
    while not tree(stopped) and process.exitcode is None:
        time.sleep(0.01)
    told = time.monotonic()
    os.kill(process.pid or 0, signal.SIGTERM)
    process.join()
    seconds = time.monotonic() - told
    left = len(expected) - len(tree(stopped))
    assert bench.run(stopped) == 0
    resumed = tree(stopped) == expected and not strays(stopped)
    once = tries(stopped) <= len(expected) + 1
    good = codes == [0, 0] and extra == 0 and equal and process.exitcode == 143 and left > 0 and resumed and once
    return {
        **{"test": "rivals", "good": good, "pictures": len(expected), "exit_codes": codes, "tries_beyond_one": extra},
        **{"tree_equal": equal, "sigterm_exit_code": process.exitcode, "sigterm_seconds": round(seconds, 2)},
        **{"left_when_stopped": left, "resumed_equal": resumed},
    }


def bad(bench: Bench) -> Figures:
    """One picture of them is cut short: the others are written, it is named, exit code 1."""
    expected = bench.unbroken()
    broken = bench.pictures / "broken.png"
    broken.write_bytes(next(bench.pictures.glob("*.png")).read_bytes()[:300])
    out = bench.root / "bad"
    try:
        code = bench.run(out)
    finally:
        broken.unlink()
    named = "broken.png" in out.with_name("bad.log").read_text().splitlines()[-1]
    made = tree(out)
    good = code == 1 and made == expected and named
    return {
        "test": "bad",
        "good": good,
        "written": len(made),
        "of": len(expected) + 1,
        "exit_code": code,
        "named": named,
    }


def order(bench: Bench, jobs: int = 2) -> Figures:
    """The same pictures in another order, and by several processes: byte-equal."""
    expected = bench.unbroken()
    paths = [str(path) for path in sorted(bench.pictures.rglob("*.png"), reverse=True)]
    random.Random(0).shuffle(paths)
    out = bench.root / "shuffled"
    process = bench.command(["restore", *paths, "-o", str(out), *bench.options], bench.root / "shuffled.log")
    process.join()
    shuffled = {Path(name).name: data for name, data in tree(out).items()}
    same = shuffled == {Path(name).name: data for name, data in expected.items()}
    pooled = bench.run(bench.root / "pooled", "--jobs", str(jobs)) == 0 and tree(bench.root / "pooled") == expected
    return {"test": "order", "good": same and pooled, "other_order_equal": same, "jobs": jobs, "jobs_equal": pooled}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = ["kills", "failures", "rivals", "bad", "order"]
    parser.add_argument("tests", nargs="*", metavar="test", help=f"{', '.join(names)}; all if none is named")
    parser.add_argument("--pictures", type=int, default=40)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--side", type=int, default=64, help="pixels")
    parser.add_argument("--jobs", type=int, default=1, help="processes of the runs that are killed")
    given = parser.parse_args()
    if unknown := set(given.tests) - set(names):
        parser.error(f"there is no test {', '.join(sorted(unknown))}: give some of {', '.join(names)}")
    good = True
    for name in given.tests or names:
        with tempfile.TemporaryDirectory(prefix="ldrps-crash-") as root:
            bench = Bench(Path(root))
            bench.make(2 if name == "failures" else given.pictures, given.side)
            if name == "kills":
                figures = kills(bench, given.kills, given.jobs)
            else:
                figures = {"failures": failures, "rivals": rivals, "bad": bad, "order": order}[name](bench)
        print(json.dumps(figures), flush=True)
        good = good and figures["good"]
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
