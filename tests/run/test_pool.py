"""Worker processes: what they answer, and what their death costs."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from conftest import noisy, until
from PIL import Image

from ldrps.errors import Cancelled, PriorError, SettingsError
from ldrps.presets import preset
from ldrps.run.handle import Handle, WorkerLost
from ldrps.run.job import Job
from ldrps.run.outcome import Outcome
from ldrps.run.pool import Pool, ProcessPool, ThisProcess
from ldrps.run.recipe import OwnMethod, Recipe
from ldrps.run.restoring import Restoring
from ldrps.run.share import Share
from ldrps.run.tick import Tick
from ldrps.run.work import Carry, Report


@pytest.fixture
def jobs(tmp_path: Path) -> list[Job]:
    made = [Job(tmp_path / f"{number}.png", tmp_path / "out" / f"{number}.png") for number in range(4)]
    for number, job in enumerate(made):
        Image.fromarray(noisy(seed=number)).save(job.source)
    return made


@pytest.fixture
def recipe(tiny_prior_folder: Path) -> Recipe:
    return Recipe(OwnMethod(preset("fast"), prior=str(tiny_prior_folder)))


def ended(pool: Pool[Job, Outcome]) -> list[Handle[Job, Outcome]]:
    """The jobs that are over next."""
    handles: list[Handle[Job, Outcome]] = []
    until(lambda: handles.extend(pool.wait(1.0)) or handles)
    return handles


def names(jobs: list[Job]) -> list[str]:
    return sorted(path.name for path in jobs[0].target.parent.iterdir())


@pytest.fixture
def pool(quick_start: None, recipe: Recipe) -> Iterator[ProcessPool[Job, Outcome]]:
    with closing(ProcessPool(Restoring(recipe), 1)) as made:
        yield made


def test_a_worker_that_dies_costs_its_picture_and_is_replaced(
    pool: ProcessPool[Job, Outcome], recipe: Recipe, jobs: list[Job]
) -> None:
    ticks: list[Tick] = []
    assert pool.has_room and not pool.is_busy
    handle = pool.submit(jobs[0], ticks.append)
    assert pool.is_busy and not pool.has_room and not handle.is_over
    with pytest.raises(TimeoutError):
        handle.result(timeout=0)
    assert ended(pool) == [handle]
    first = handle.result()
    assert (first.state, first.written) == ("done", (jobs[0].target,)) and 0 < first.seconds <= handle.seconds
    assert ticks and handle.tick == ticks[-1] and all(tick.number <= tick.total for tick in ticks)

    (member,) = pool._members
    os.kill(member.process.pid or 0, signal.SIGSTOP)  # so that it is at the picture when it is killed
    dead = pool.submit(jobs[1])
    os.kill(member.process.pid or 0, signal.SIGKILL)
    assert ended(pool) == [dead]
    with pytest.raises(WorkerLost, match="by signal 9; was it out of memory"):
        dead.result()

    third = pool.submit(jobs[2])
    assert ended(pool) == [third] and third.result().state == "done"
    pool.close()
    assert not pool.is_busy and names(jobs) == ["0.png", "2.png"]

    alone, bytes_of_pool = ThisProcess(Restoring(recipe)), jobs[2].target.read_bytes()
    jobs[2].target.unlink()
    alone.submit(jobs[2])
    alone.wait(0.0)
    assert jobs[2].target.read_bytes() == bytes_of_pool


@dataclass(frozen=True)
class Counting:
    """Work without pictures: a job is how many steps it has, and its result which of them was the last."""

    preload: tuple[str, ...] = ()

    @contextmanager
    def open(self, share: Share) -> Iterator[Carry[int, int]]:
        yield self.count

    def count(self, job: int, report: Report) -> int:
        for number in range(1, job + 1):
            if not report(Tick(number, job)):
                raise Cancelled(f"stopped after step {number} of {job}")
        return job


ENDLESS = 10**9


@pytest.fixture(params=["this process", "others"])
def counters(request: pytest.FixtureRequest, quick_start: None) -> Iterator[Pool[int, int]]:
    made = ThisProcess(Counting()) if request.param == "this process" else ProcessPool(Counting(), 1)
    with closing(made):
        yield made


def test_a_job_is_stopped_by_its_handle_and_no_other(counters: Pool[int, int]) -> None:
    """From another thread, as it is by who serves pages; that it was over by then costs no later job."""
    for _ in range(2):
        begun = threading.Event()
        handle = counters.submit(ENDLESS, lambda tick, begun=begun: begun.set())
        stopper = threading.Thread(target=lambda begun=begun, handle=handle: (begun.wait(), handle.cancel()))
        stopper.start()
        until(lambda handle=handle: counters.wait(1.0) or handle.is_over)
        stopper.join()
        with pytest.raises(Cancelled, match="stopped after step"):
            handle.result()
        handle.cancel()
        after = counters.submit(3)
        handle.cancel()
        until(lambda after=after: counters.wait(1.0) or after.is_over)
        assert after.result() == 3 and after.tick == Tick(3, 3)


def test_what_is_at_work_when_the_pool_is_closed_is_over(quick_start: None) -> None:
    pool = ProcessPool(Counting(), 2)
    handles = [pool.submit(ENDLESS) for _ in range(2)]
    assert not pool.has_room
    until(lambda: pool.wait(1.0) or all(handle.tick for handle in handles))
    pool.close()
    for handle in handles:
        with pytest.raises(Cancelled):
            handle.result()


def test_what_is_started_early_is_there_for_the_first_job_and_replaced_if_it_dies_idle(
    pool: ProcessPool[Job, Outcome], jobs: list[Job]
) -> None:
    pool.start()
    pool.start()
    (member,) = pool._members
    until(lambda: pool.wait(1.0) or member.is_ready)
    pool.submit(jobs[0])
    assert ended(pool)[0].result().state == "done" and pool._members == [member]
    member.process.kill()
    member.process.join()
    pool.start()
    assert pool._members != [member]
    pool.submit(jobs[1])
    assert ended(pool)[0].result().state == "done", "no job was lost with it"


def test_what_is_wrong_with_all_pictures_is_raised(quick_start: None, jobs: list[Job], tmp_path: Path) -> None:
    nowhere = Recipe(OwnMethod(preset("fast"), prior=str(tmp_path / "none")))
    with pytest.raises(PriorError, match="none"):
        ThisProcess(Restoring(nowhere)).start()
    for pool in (ThisProcess(Restoring(nowhere)), ProcessPool(Restoring(nowhere), 1)):
        with closing(pool):
            pool.submit(jobs[0])
            with pytest.raises(PriorError, match="none"):
                ended(pool)


def test_alone_loads_nothing_before_the_first_job(recipe: Recipe, jobs: list[Job]) -> None:
    pool = ThisProcess(Restoring(Recipe(OwnMethod(preset("fast"), prior="no/such/prior"))))
    assert pool.wait(0.0) == [] and pool.has_room
    pool.close()
    pool = ThisProcess(Restoring(recipe))
    handle = pool.submit(jobs[0])
    assert pool.is_busy and not pool.has_room
    assert pool.wait(0.0) == [handle] and handle.result().state == "done" and not pool.is_busy
    assert np.asarray(Image.open(handle.result().written[0])).shape == (40, 48, 3)


def test_faults_and_full_memory_are_failures_of_their_picture(
    recipe: Recipe, jobs: list[Job], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from ldrps.run.batch import Batch

    errors = iter([TypeError("a slip"), MemoryError(), RuntimeError("CUDA out of memory"), SettingsError("for all")])

    def fail(self: Batch, *given: object) -> None:
        raise next(errors)

    monkeypatch.setattr(Batch, "load", fail)
    pool = ThisProcess(Restoring(recipe))
    reasons = []
    for job in jobs[:3]:
        pool.submit(job)
        reasons += [handle.result().reason for handle in pool.wait(0.0)]
    assert "0.png" in reasons[0] and "TypeError: a slip" in reasons[0] and "report" in reasons[0]
    assert all("does not fit into memory" in reason for reason in reasons[1:])
    assert len([record for record in caplog.records if record.exc_info]) == 1, "only a fault leaves a traceback"
    pool.submit(jobs[3])
    with pytest.raises(SettingsError):
        pool.wait(0.0)
