"""Worker processes: what they answer, and what their death costs."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from conftest import noisy, until
from PIL import Image

from ldrps.errors import PriorError, SettingsError
from ldrps.folders.outcome import Outcome, Tick
from ldrps.folders.pool import ProcessPool, ThisProcess, WorkerPool
from ldrps.folders.recipe import OwnMethod, Recipe
from ldrps.jobs import Job
from ldrps.presets import preset


@pytest.fixture
def jobs(tmp_path: Path) -> list[Job]:
    made = [Job(tmp_path / f"{number}.png", tmp_path / "out" / f"{number}.png") for number in range(4)]
    for number, job in enumerate(made):
        Image.fromarray(noisy(seed=number)).save(job.source)
    return made


@pytest.fixture
def recipe(tiny_prior_folder: Path) -> Recipe:
    return Recipe(OwnMethod(preset("fast"), prior=str(tiny_prior_folder)))


def next_outcomes(pool: WorkerPool) -> list[Outcome]:
    outcomes: list[Outcome] = []
    until(lambda: outcomes.extend(pool.poll(1.0)) or outcomes)
    return outcomes


def names(jobs: list[Job]) -> list[str]:
    return sorted(path.name for path in jobs[0].target.parent.iterdir())


@pytest.fixture
def ticks() -> list[tuple[Job, Tick]]:
    return []


@pytest.fixture
def pool(quick_start: None, recipe: Recipe, ticks: list[tuple[Job, Tick]]) -> Iterator[ProcessPool]:
    with closing(ProcessPool(recipe, None, 1, lambda job, tick: ticks.append((job, tick)))) as made:
        yield made


def test_a_worker_that_dies_costs_its_picture_and_is_replaced(
    pool: ProcessPool, recipe: Recipe, jobs: list[Job], ticks: list[tuple[Job, Tick]]
) -> None:
    assert pool.has_room and not pool.is_busy
    pool.start(jobs[0])
    assert pool.is_busy and not pool.has_room
    (first,) = next_outcomes(pool)
    assert (first.state, first.written) == ("done", (jobs[0].target,)) and first.seconds > 0
    assert ticks and all(job == jobs[0] and tick.number <= tick.total for job, tick in ticks)

    (member,) = pool._members
    os.kill(member.process.pid or 0, signal.SIGSTOP)  # so that it is at the picture when it is killed
    pool.start(jobs[1])
    os.kill(member.process.pid or 0, signal.SIGKILL)
    (dead,) = next_outcomes(pool)
    assert dead.state == "failed" and dead.job == jobs[1]
    assert "1.png" in dead.reason and "signal 9" in dead.reason and "--jobs" in dead.reason

    pool.start(jobs[2])
    (third,) = next_outcomes(pool)
    assert third.state == "done"
    pool.close()
    assert not pool.is_busy and names(jobs) == ["0.png", "2.png"]

    alone, bytes_of_pool = ThisProcess(recipe, None, lambda *given: None), jobs[2].target.read_bytes()
    jobs[2].target.unlink()
    alone.start(jobs[2])
    alone.poll(0.0)
    assert jobs[2].target.read_bytes() == bytes_of_pool


def test_what_is_wrong_with_all_pictures_is_raised(quick_start: None, jobs: list[Job], tmp_path: Path) -> None:
    nowhere = Recipe(OwnMethod(preset("fast"), prior=str(tmp_path / "none")))
    for pool in (ThisProcess(nowhere, None, lambda *given: None), ProcessPool(nowhere, None, 1, lambda *given: None)):
        with closing(pool):
            pool.start(jobs[0])
            with pytest.raises(PriorError, match="none"):
                next_outcomes(pool)


def test_alone_loads_nothing_before_the_first_job(recipe: Recipe, jobs: list[Job]) -> None:
    pool = ThisProcess(Recipe(OwnMethod(preset("fast"), prior="no/such/prior")), None, lambda *given: None)
    assert pool.poll(0.0) == [] and pool.has_room
    pool.close()
    pool = ThisProcess(recipe, None, lambda *given: None)
    pool.start(jobs[0])
    assert pool.is_busy and not pool.has_room
    (outcome,) = pool.poll(0.0)
    assert outcome.state == "done" and not pool.is_busy
    assert np.asarray(Image.open(outcome.written[0])).shape == (40, 48, 3)


def test_faults_and_full_memory_are_failures_of_their_picture(
    recipe: Recipe, jobs: list[Job], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from ldrps.batch import Batch

    errors = iter([TypeError("a slip"), MemoryError(), RuntimeError("CUDA out of memory"), SettingsError("for all")])

    def fail(self: Batch, *given: object) -> None:
        raise next(errors)

    monkeypatch.setattr(Batch, "make", fail)
    pool = ThisProcess(recipe, None, lambda *given: None)
    reasons = []
    for job in jobs[:3]:
        pool.start(job)
        reasons += [outcome.reason for outcome in pool.poll(0.0)]
    assert "0.png" in reasons[0] and "TypeError: a slip" in reasons[0] and "report" in reasons[0]
    assert all("does not fit into memory" in reason for reason in reasons[1:])
    assert len([record for record in caplog.records if record.exc_info]) == 1, "only a fault leaves a traceback"
    pool.start(jobs[3])
    with pytest.raises(SettingsError):
        pool.poll(0.0)
