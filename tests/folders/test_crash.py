"""What `benchmarks/crash.py` measures, in small: the command line in processes to which bad things are done."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from crash import bad, failures, kills, order, rivals
from crash_parts import Bench

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes are forked, and killed by signals")


@pytest.fixture
def options(tiny_prior_folder: Path, small_estimators_folder: Path) -> tuple[str, ...]:
    return ("--preset", "fast", "--prior", str(tiny_prior_folder), "--estimators", str(small_estimators_folder))


@pytest.fixture
def bench(options: tuple[str, ...], tmp_path: Path) -> Bench:
    made = Bench(tmp_path, options)
    made.make(6, 40)
    return made


def test_killed_at_any_instant_it_goes_on(bench: Bench) -> None:
    assert kills(bench, 3) | {"batches": 0} == {
        **{"test": "kills", "good": True, "pictures": 6, "jobs": 1, "kills": 3, "batches": 0},
        **{"corrupt": 0, "stray": 0, "trees_that_differ": 0, "tries_beyond_one_a_kill": 0},
    }


def test_whichever_call_fails_files_are_whole_or_absent(options: tuple[str, ...], tmp_path: Path) -> None:
    bench = Bench(tmp_path, options)
    bench.make(1, 40)
    figures = failures(bench)
    assert figures["injected"] == 6, "two files, and for each a write, a sync and a link"
    assert figures["good"], figures


def test_two_processes_share_a_folder_and_one_can_be_stopped(bench: Bench) -> None:
    figures = rivals(bench)
    assert figures["good"], figures


def test_one_bad_picture_and_another_order(bench: Bench) -> None:
    figures = bad(bench)
    assert figures["good"], figures
    assert figures["written"] == 6
    figures = order(bench, jobs=1)  # several take seconds to start: see test_pool.py
    assert figures["good"], figures
