from __future__ import annotations

import threading
from pathlib import Path

from conftest import until

from ldrps.serve.app import PARTY
from ldrps.service.limits import Limits
from tests.service.faked import Served, png, served


def test_tokens_are_served_in_turn(tmp_path: Path) -> None:
    ann, bob = ({"Authorization": f"Bearer token-of-{name}"} for name in ("ann", "bob"))
    with served(tmp_path / "jobs", tokens=("token-of-ann", "token-of-bob")) as serving:
        anns = [serving.give(**ann).json()["id"] for _ in range(4)]
        until(lambda: serving.service.queue.is_running)
        bobs = [serving.give(**bob).json()["id"] for _ in range(2)]
        assert serving.job(bobs[0], **bob)["place"] == 1  # behind the one that is at work alone
        assert serving.job(anns[1], **ann)["place"] == 2
        assert serving.job(anns[3], **ann)["place"] == 5
        serving.pool.let(1000)
        until(lambda: len(serving.pool.done) == 6)
        assert serving.pool.done == [anns[0], bobs[0], anns[1], bobs[1], anns[2], anns[3]]


def test_the_page_has_its_turn_between_two_programs(serving: Served) -> None:
    turns = serving.service.queue._turns
    names = [serving.give().json()["id"] for _ in range(3)]
    until(lambda: serving.service.queue.is_running)
    got: list[int] = []

    def visit() -> None:
        while turns.take([PARTY], 0.1) is None:
            pass
        got.append(len(serving.pool.done))
        turns.give_back()

    visitor = threading.Thread(target=visit)
    visitor.start()
    until(lambda: len(turns._waiting) == 1)
    serving.pool.let(5)
    visitor.join()
    assert got == [1]
    serving.pool.let(100)
    until(lambda: serving.pool.done == names)


def test_a_job_that_takes_too_long_is_stopped_and_says_so(tmp_path: Path) -> None:
    with served(tmp_path / "jobs", Limits(work=1.0)) as serving:
        name = serving.give('{"preset": "fast"}').json()["id"]
        until(lambda: serving.job(name)["state"] == "failed")
        assert serving.job(name)["error"]["status"] == 504
        assert serving.http.get(f"/v1/jobs/{name}/result").status_code == 504


def test_while_it_loads_and_when_it_ends_it_is_not_ready(tmp_path: Path) -> None:
    with served(tmp_path / "jobs") as serving:
        until(lambda: serving.http.get("/readyz").status_code == 200)
        serving.service.queue.is_ready.clear()
        assert serving.http.get("/readyz").json() == {"status": "loading"}
        serving.service.queue.is_ready.set()
        serving.service.close()
        answer = serving.http.get("/readyz")
        assert (answer.status_code, answer.json()) == (503, {"status": "draining"})
        assert serving.give().status_code == 503
        assert serving.http.get("/livez").status_code == 200


def test_who_waits_when_the_server_ends_is_told_and_a_job_with_a_key_is_kept(tmp_path: Path) -> None:
    answers = {}
    with served(tmp_path / "jobs") as serving:

        def ask(key: str) -> None:
            headers = {"Idempotency-Key": key} if key else {}
            answers[key] = serving.http.post("/v1/restore", files={"image": png()}, headers=headers)

        threads = [threading.Thread(target=ask, args=(key,)) for key in ("", "kept")]
        for number, thread in enumerate(threads):
            thread.start()
            until(lambda number=number: len(serving.service.queue._live) == number + 1)
        serving.service.close()
        for thread in threads:
            thread.join()
    assert {answer.status_code for answer in answers.values()} == {503}
    with served(tmp_path / "jobs") as serving:
        serving.pool.let(100)
        until(lambda: len(serving.pool.done) == 1 and not serving.service.queue.is_running)


def test_what_a_second_of_cost_takes_here_is_learned(serving: Served) -> None:
    serving.pool.let(5)
    before = serving.service.queue.speed
    serving.give()
    until(lambda: len(serving.pool.done) == 1 and not serving.service.queue.is_running)
    assert serving.service.queue.speed < before  # the fake is quick
