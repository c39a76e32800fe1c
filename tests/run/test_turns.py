from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from conftest import until

from ldrps.errors import Cancelled, PriorError
from ldrps.run.pool import ThisProcess
from ldrps.run.share import Share
from ldrps.run.tick import Tick
from ldrps.run.turns import InTurn, Turns
from ldrps.run.work import Carry, Report


@dataclass
class Noted:
    """Work that notes the order of its jobs."""

    done: list[str] = field(default_factory=list)
    broken: bool = False
    preload = ()

    @contextlib.contextmanager
    def open(self, share: Share) -> Iterator[Carry[str, str]]:
        if self.broken:
            raise PriorError("there is no prior")

        def carry(job: str, report: Report) -> str:
            if not report(Tick(1, 1)):
                raise Cancelled("stopped")
            self.done.append(job)
            return job.upper()

        yield carry


def test_of_those_who_wait_the_one_is_next_whose_turn_is_longest_ago() -> None:
    turns = Turns()
    order = []
    for parties in (["a"], ["a", "b"], ["a", "b", "c"], ["a", "b", "c"], ["b", "c"], ["a"]):
        order.append(turns.take(parties, 0.0))
        turns.give_back()
    assert order == ["a", "b", "c", "a", "b", "a"]
    assert turns.before("c", "b") and not turns.before("a", "c") and turns.before("new", "c")


def test_one_has_the_turn_at_a_time_and_who_waits_gets_it_when_it_is_given_back() -> None:
    turns, got = Turns(), []
    assert turns.take(["a"], 0.0) == "a"
    assert turns.take(["b"], 0.0) is None
    waiter = threading.Thread(target=lambda: got.append(turns.take(["b"], 60.0)))
    waiter.start()
    until(lambda: turns._waiting)
    assert got == []
    turns.give_back()
    waiter.join()
    assert got == ["b"]


def test_two_who_share_a_pool_have_their_jobs_done_in_turn() -> None:
    work, turns = Noted(), Turns()
    pool = ThisProcess(work)
    sides = [InTurn(pool, turns, party) for party in ("page", "programs")]

    def carry_out(side: InTurn[str, str], name: str) -> None:
        for number in range(4):
            handle = side.submit(f"{name}{number}")
            while not handle.is_over:
                side.wait(0.05)
            assert handle.result() == f"{name}{number}".upper()

    assert turns.take(["start"], 0.0)
    threads = [threading.Thread(target=carry_out, args=pair) for pair in zip(sides, ("page", "program"), strict=True)]
    for thread in threads:
        thread.start()
    until(lambda: len(turns._waiting) == 2)
    turns.give_back()
    for thread in threads:
        thread.join()
    assert sorted(work.done) == sorted(f"{name}{number}" for name in ("page", "program") for number in range(4))
    assert {each[:4] for each in work.done[:2]} == {"page", "prog"}


def test_who_waits_for_a_turn_can_be_stopped_at_once_and_the_turn_goes_on() -> None:
    work, turns = Noted(), Turns()
    side: InTurn[str, str] = InTurn(ThisProcess(work), turns, "page")
    turns.take(["other"], 0.0)
    handle = side.submit("job")
    assert side.wait(0.0) == []
    handle.cancel()
    assert side.wait(0.0) == [handle]
    with pytest.raises(Cancelled):
        handle.result()
    handle = side.submit("closed")
    side.close()
    assert handle.is_over and not side.is_busy
    turns.give_back()
    handle = side.submit("again")
    side.wait(1.0)
    assert handle.result() == "AGAIN" and work.done == ["again"]


def test_what_is_wrong_with_all_jobs_is_raised_and_the_turn_is_given_back() -> None:
    turns = Turns()
    side: InTurn[str, str] = InTurn(ThisProcess(Noted(broken=True)), turns, "page")
    side.submit("job")
    with pytest.raises(PriorError):
        side.wait(1.0)
    assert not side.is_busy
    assert turns.take(["other"], 0.0) == "other"
