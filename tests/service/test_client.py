from __future__ import annotations

import io
import json
from typing import Any

import httpx
import pytest

from ldrps.client import Client, Job, ServiceError
from tests.service.faked import Served, png


def answering(*answers: tuple[int, dict[str, Any]]) -> tuple[Client, list[httpx.Request]]:
    """A client whose requests are answered so, one after the other; and the requests."""
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        status, more = answers[len(asked) - 1]
        return httpx.Response(status, **more)

    return Client("http://ldrps.test/", "token-of-ann", transport=httpx.MockTransport(answer)), asked


def test_it_asks_as_the_server_expects(serving: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client("http://testserver")
    monkeypatch.setattr(client, "_http", serving.http)
    job = client.submit(io.BytesIO(png()), seed=3, key="k")
    assert job.state == "waiting"
    serving.pool.let(100)
    seen = list(client.watch(job.id))
    assert seen[-1].words == "noise 12 of 255" and seen[-1].plain["record"]["seed"] == 3
    assert client.result(job.id) == png()
    client.forget(job.id)
    with pytest.raises(ServiceError, match="there is no job"):
        list(client.watch(job.id))


def test_what_there_was_no_room_for_is_sent_again_as_late_as_was_said(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("ldrps.client.waiting.time.sleep", slept.append)
    job = {"id": "a" * 32, "state": "waiting", "place": 2}
    busy = (429, {"headers": {"Retry-After": "7"}})
    client, asked = answering(busy, (503, {}), (202, {"json": job}))
    assert client.submit(png(), scale=2) == Job.of(job)
    assert slept == [7.0, 1.0]
    assert {request.content.count(png()) for request in asked} == {1}
    assert b'{"scale": 2}' in asked[0].content
    assert asked[0].headers["authorization"] == "Bearer token-of-ann"
    client, asked = answering(*[busy] * 6)
    with pytest.raises(ServiceError) as refused:
        client.submit(png())
    assert (refused.value.status, refused.value.retry_after, len(asked)) == (429, 7.0, 6)


def test_an_answer_that_is_no_problem_is_one_all_the_same() -> None:
    for more in ({"text": "<h1>Bad Gateway</h1>"}, {"json": []}, {"json": {"error": 1}}):
        client, _ = answering((502, more))
        with pytest.raises(ServiceError, match="the server answered 502 Bad Gateway"):
            client.limits()


def test_a_job_that_failed_says_why() -> None:
    plain = json.loads('{"id": "x", "state": "failed", "error": {"detail": "it is damaged"}, "progress": null}')
    job = Job.of(plain)
    assert job.is_over and job.error == "it is damaged" and job.share == 0.0
