from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

pytest.importorskip("starlette", reason="needs the packages of the extra serve")

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from ldrps.serve.door import COOKIE, Door, Slowness, routes
from ldrps.serve.handout import Handout


async def anything(request: Request) -> PlainTextResponse:
    return PlainTextResponse("the page")


async def login(request: Request) -> PlainTextResponse:
    right = (await request.body()) == b"right"
    return PlainTextResponse("welcome" if right else "no", 200 if right else 400)


class Clock:
    """Time that passes when somebody sleeps."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)


def client(handout: Handout, clock: Clock) -> TestClient:
    every = Route("/{path:path}", anything, methods=["GET"])
    own = [*routes(handout), Route("/login", login, methods=["POST"]), every]
    return TestClient(Starlette(routes=own, middleware=[Middleware(Door, slowness=Slowness(clock.sleep))]))


def test_a_picture_is_given_to_its_browser_alone(picture: Path) -> None:
    handout = Handout()
    ann, ben = client(handout, Clock()), client(handout, Clock())
    assert ann.get("/").text == "the page"
    assert "HttpOnly" in ben.get("/").headers["set-cookie"]
    assert COOKIE in ann.cookies and ann.cookies[COOKIE] != ben.cookies[COOKIE]
    assert "set-cookie" not in ann.get("/").headers
    token = handout.give(ann.cookies[COOKIE], picture, "our harbour.jpg")
    mine = ann.get(f"/picture/{token}")
    assert mine.content == picture.read_bytes() and "our%20harbour.jpg" in mine.headers["content-disposition"]
    assert (ben.get(f"/picture/{token}").status_code, ann.get("/picture/none").status_code) == (404, 404)
    assert str(picture.parent) not in str(mine.headers)


def test_samples_have_addresses() -> None:
    visitor = client(Handout(), Clock())
    assert visitor.get("/example/dark").headers["content-type"] == "image/png"
    assert visitor.get("/example/..%2Fdark").status_code in (200, 404) and visitor.get("/example/no").status_code == 404


@pytest.mark.parametrize("address", ["file=/etc/passwd", "file/etc/passwd", "info", "openapi.json", "proxy=http://a"])
def test_what_the_page_does_not_need_is_closed(address: str) -> None:
    assert client(Handout(), Clock()).get(f"/gradio_api/{address}").status_code == 404


def test_each_wrong_password_is_answered_later_than_the_one_before() -> None:
    clock = Clock()
    visitor = client(Handout(), clock)
    for _ in range(8):
        assert visitor.post("/login", content=b"wrong").status_code == 400
    assert clock.slept == [1, 2, 4, 8, 16, 32, 32, 32]
    assert visitor.post("/login", content=b"right").text == "welcome"
    assert len(clock.slept) == 8
    visitor.post("/login", content=b"wrong")
    assert clock.slept[-1] == 1, "a right one ends it"


def test_many_wrong_passwords_at_once_wait_in_line() -> None:
    clock = Clock()
    slowness = Slowness(clock.sleep)
    full: list[bool] = []

    async def is_right() -> bool:
        full.append(slowness.is_full)
        return False

    async def flood() -> None:
        await asyncio.gather(*(slowness.attempt("ann", is_right) for _ in range(40)))

    asyncio.run(flood())
    assert clock.slept[:4] == [1, 2, 4, 8] and any(full) and not full[-1]
