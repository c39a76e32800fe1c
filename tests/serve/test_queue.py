from __future__ import annotations

import logging
from pathlib import Path

import pytest
from conftest import until
from serve.held import Held

from ldrps.serve.order import Order
from ldrps.serve.queue import FullError, TaskQueue
from ldrps.serve.task import Task, Upload


def task(folder: Path, pictures: int = 1) -> Task:
    place = folder / f"{len(list(folder.iterdir()))}"
    place.mkdir()
    uploads = [Upload(f"{n}.png", place / "x", place / "y", (64, 48)) for n in range(pictures)]
    return Task(uploads, Order(), place)


def test_one_after_the_other_in_the_order_of_arrival(held: Held, tmp_path: Path) -> None:
    queue = TaskQueue(held, waiting=5)
    tasks = [task(tmp_path) for _ in range(3)]
    for each in tasks:
        queue.join(each)
    until(lambda: tasks[0].snapshot.started)
    assert [queue.ahead(each) for each in tasks] == [0, 1, 2]
    assert not tasks[1].snapshot.started
    held.let(9)
    until(lambda: all(each.snapshot.over for each in tasks))
    assert held.done == tasks
    assert not any(each.snapshot.stopped for each in tasks)
    assert len(queue) == 0


def test_the_line_is_bounded(held: Held, tmp_path: Path) -> None:
    queue = TaskQueue(held, waiting=1)
    queue.join(task(tmp_path))
    second = task(tmp_path)
    queue.join(second)
    with pytest.raises(FullError, match="1 requests are waiting already"):
        queue.join(task(tmp_path))
    queue.stop(second)  # its place is free at once
    queue.join(task(tmp_path))
    queue.close(0)
    held.let(9)


def test_a_task_that_waits_stops_at_once(held: Held, tmp_path: Path) -> None:
    queue = TaskQueue(held, waiting=5)
    first, second = task(tmp_path), task(tmp_path)
    queue.join(first)
    queue.join(second)
    queue.stop(second)
    assert second.snapshot.over and second.snapshot.stopped and not second.snapshot.started
    held.let(3)
    until(lambda: first.snapshot.over)
    assert held.done == [first]


def test_a_task_under_way_stops_after_its_step_and_the_next_begins(held: Held, tmp_path: Path) -> None:
    queue = TaskQueue(held, waiting=5)
    first, second = task(tmp_path, pictures=2), task(tmp_path)
    queue.join(first)
    queue.join(second)
    held.let(4)  # the first picture, and a step of the second
    until(lambda: first.snapshot.picture == 2 and first.snapshot.step == 1)
    queue.stop(first)
    assert not first.snapshot.over
    held.let(1)
    until(lambda: second.snapshot.started)
    assert first.snapshot.stopped
    assert len(first.snapshot.outcomes) == 1, "what was finished stays"
    held.let(3)
    until(lambda: second.snapshot.over)


def test_work_that_fails_does_not_end_the_line(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def work(each: Task) -> None:
        raise MemoryError("no room")

    queue = TaskQueue(work, waiting=5)
    with caplog.at_level(logging.ERROR):
        for _ in range(2):
            failed = task(tmp_path)
            queue.join(failed)
            until(lambda failed=failed: failed.snapshot.over)
            assert not failed.snapshot.stopped
    assert "no room" in caplog.text


def test_closing_stops_all(held: Held, tmp_path: Path) -> None:
    queue = TaskQueue(held, waiting=5)
    tasks = [task(tmp_path) for _ in range(3)]
    for each in tasks:
        queue.join(each)
    until(lambda: tasks[0].snapshot.started)
    held.let(1)
    queue.close()
    assert all(each.snapshot.over and each.snapshot.stopped for each in tasks)
    with pytest.raises(FullError):
        queue.join(task(tmp_path))
