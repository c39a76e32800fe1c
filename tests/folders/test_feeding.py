"""Handing out jobs: what is settled is told, what others are at is waited for, a full disk ends it."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ldrps.errors import OutputError
from ldrps.folders import feeding
from ldrps.folders.feeding import restore_all
from ldrps.folders.manifest import Manifest
from ldrps.folders.status import Place, Source
from ldrps.run.handle import Handle, WorkerLost
from ldrps.run.job import Job, Output
from ldrps.run.outcome import Outcome
from ldrps.run.tick import OnTick


class Fake:
    """A pool of `size` that does what it is told with each job, one at each wait."""

    def __init__(self, do: Callable[[Job], Outcome | WorkerLost], size: int = 1) -> None:
        self.do, self.size = do, size
        self.at: list[Handle[Job, Outcome]] = []
        self.most = 0
        self.closed = False

    @property
    def has_room(self) -> bool:
        return len(self.at) < self.size

    @property
    def is_busy(self) -> bool:
        return bool(self.at)

    def submit(self, job: Job, on_tick: OnTick | None = None) -> Handle[Job, Outcome]:
        self.at.append(Handle(job, on_tick))
        self.most = max(self.most, len(self.at))
        return self.at[-1]

    def wait(self, timeout: float) -> list[Handle[Job, Outcome]]:
        over, self.at = self.at[:1], self.at[1:]
        for handle in over:
            handle.end(self.do(handle.job))
        return over

    def close(self) -> None:
        self.closed = True


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeding, "_PAUSE", 0.0)


@pytest.fixture
def jobs(tmp_path: Path) -> list[Job]:
    made = [Job(tmp_path / f"{number}.png", tmp_path / "out" / f"{number}.png") for number in range(5)]
    for job in made:
        job.source.write_text(job.source.name)
    return made


@pytest.fixture
def manifest(tmp_path: Path) -> Iterator[Manifest]:
    with closing(Manifest(Place(tmp_path / "out", "recipe", Output(), time.time()))) as opened:
        yield opened


def done(job: Job) -> Outcome:
    return Outcome(job, "done")


def test_each_is_handed_out_once_and_the_pool_is_kept_busy(jobs: list[Job]) -> None:
    pool = Fake(done, size=3)
    assert [outcome.job for outcome in restore_all(jobs, pool)] == jobs
    assert (pool.most, pool.closed) == (3, True)


def test_a_feed_that_pauses(jobs: list[Job]) -> None:
    feed = [None, jobs[0], None, None, jobs[1]]
    assert [outcome.job for outcome in restore_all(feed, Fake(done, 2))] == jobs[:2]


def test_what_is_finished_or_gone_is_told_and_not_started(jobs: list[Job], manifest: Manifest) -> None:
    for job in jobs[:2]:
        source = Source(job.source)
        manifest.claim(job, source)
        job.target.write_text("result")
        manifest.finished(job, source, manifest.place.mark(job))
    jobs[1].source.unlink()
    started: list[Job] = []

    def note(job: Job) -> Outcome:
        started.append(job)
        return done(job)

    states = [outcome.state for outcome in restore_all(jobs, Fake(note), manifest)]
    assert states == ["finished", "failed", "done", "done", "done"]
    assert started == jobs[2:]


def test_what_another_process_is_at_is_waited_for(jobs: list[Job], manifest: Manifest) -> None:
    with closing(Manifest(dataclasses.replace(manifest.place))) as rival:
        source = Source(jobs[0].source)
        rival.claim(jobs[0], source)
        order: list[tuple[int, str]] = []
        for outcome in restore_all(jobs[:3], Fake(done), manifest):
            order.append((jobs.index(outcome.job), outcome.state))
            if len(order) == 2:
                jobs[0].target.write_text("the rival's")
                rival.finished(jobs[0], source, rival.place.mark(jobs[0]))
    assert order == [(1, "done"), (2, "done"), (0, "finished")]


def test_who_was_slower_waits_too(jobs: list[Job], manifest: Manifest) -> None:
    answers = iter([Outcome(jobs[0], "busy"), done(jobs[1]), done(jobs[0])])
    outcomes = list(restore_all(jobs[:2], Fake(lambda job: next(answers)), manifest))
    assert [(outcome.job, outcome.state) for outcome in outcomes] == [(jobs[1], "done"), (jobs[0], "done")]


def test_a_full_disk_ends_it_and_one_failure_does_not(jobs: list[Job]) -> None:
    full = {0, 2, 3}
    told: list[str] = []

    def write(job: Job) -> Outcome:
        no_room = int(job.source.stem) in full
        return Outcome(job, "failed" if no_room else "done", no_room=no_room)

    pool = Fake(write)
    with pytest.raises(OutputError, match="want of room"):
        told.extend(outcome.state for outcome in restore_all(jobs, pool))
    assert told == ["failed", "done", "failed", "failed"] and pool.closed


def test_nothing_piles_up(jobs: list[Job]) -> None:
    """Feed and outcomes are drawn one by one: however many pictures there are, few are known at a time."""
    ahead = 0

    def feed() -> Iterator[Job]:
        nonlocal ahead
        for number in range(1000):
            ahead += 1
            yield dataclasses.replace(jobs[0], target=jobs[0].target.with_name(f"{number}.png"))

    for number, _ in enumerate(restore_all(feed(), Fake(done, 2)), 1):
        assert ahead - number <= 2
    assert ahead == 1000


def test_a_process_that_died_costs_its_picture_and_is_named(jobs: list[Job]) -> None:
    def do(job: Job) -> Outcome | WorkerLost:
        return WorkerLost("the process was lost") if job == jobs[1] else done(job)

    outcomes = list(restore_all(jobs[:3], Fake(do)))
    assert [outcome.state for outcome in outcomes] == ["done", "failed", "done"]
    assert "1.png" in outcomes[1].reason and "was lost" in outcomes[1].reason and "--jobs" in outcomes[1].reason
