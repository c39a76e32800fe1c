"""What is said of a server that refuses: its own words, as far as they can be repeated."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from conftest import PATIENCE

from ldrps.caption.failure import refusal, told_reason

KEY = "sk-0123456789-secret"


class Response:
    """An error of which `body` arrives, and after it nothing more, or no end, or more and more."""

    def __init__(self, body: bytes, then: str = "", **headers: str) -> None:
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self._body, self._then = body, then
        self.sent = 0
        self.is_over = False

    async def aiter_raw(self) -> AsyncIterator[bytes]:
        yield self._body
        if self._then == "hangs":
            await asyncio.sleep(PATIENCE)
            self.is_over = True
        if self._then == "breaks":
            raise OSError
        while self._then == "goes on":
            self.sent += 1000
            yield b" " * 1000


def reason(body: Any, then: str = "", key: str = KEY, **headers: str) -> str:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return asyncio.run(told_reason(Response(data, then, **headers), key))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"error": {"code": 500, "message": "image input is not supported"}}, "image input is not supported"),
        ({"error": "model 'x' not found,\n try pulling it first"}, "model 'x' not found, try pulling it first"),
        ({"detail": "Server is pinned to 'a'"}, "Server is pinned to 'a'"),
        ({"object": "error", "message": "no such model"}, "no such model"),
        ({"error": "no\x1b[31m eyes\u202e"}, r"no\x1b[31m eyes\u202e"),
        ({"error": "x" * 160}, "x" * 160),
        ({"error": "x" * 161}, "x" * 157 + "..."),
        ({"error": "x" * 9000}, ""),
        ({"detail": [{"input": "all that was asked"}]}, ""),
        ({"error": f"{KEY} is not welcome"}, ""),
        ({}, ""),
        (["error"], ""),
        (b"Internal Server Error", ""),
        (b"\xff", ""),
        (b"[" * 8000, ""),
        (b"", ""),
    ],
)
def test_the_words_of_an_error(body: Any, words: str) -> None:
    assert reason(body) == words


def test_a_key_that_is_a_word_is_no_secret() -> None:
    assert reason({"error": "none of it"}, key="none") == "none of it"


def test_what_is_compressed_is_not_opened() -> None:
    assert reason({"error": "no"}, content_encoding="gzip") == ""


def test_an_error_without_end_is_not_waited_for() -> None:
    hanging = Response(b'{"error": "no"}', "hangs")
    assert asyncio.run(told_reason(hanging, KEY)) == "no" and not hanging.is_over
    assert reason({"error": "no"}, "breaks") == "no"
    endless = Response(b'{"error": "no"}', "goes on")
    assert asyncio.run(told_reason(endless, KEY)) == "no" and endless.sent < 10_000


@pytest.mark.parametrize(
    ("status", "message", "again"),
    [
        (302, "answered HTTP 302", False),
        (400, "answered HTTP 400: check the model's name, and that it takes pictures", False),
        (404, "was not found (HTTP 404): check the model's name and the URL", False),
        (422, "answered HTTP 422: check the model's name, and that it takes pictures", False),
        (429, "answered HTTP 429: too many requests, or nothing left to spend", True),
        (500, "answered HTTP 500: see its log", True),
        (503, "answered HTTP 503: see its log", True),
    ],
)
def test_what_is_told_of_a_status(status: int, message: str, again: bool) -> None:
    for words, said in (("", ""), ("no", '; it says "no"')):
        failure = refusal(status, {}, words)
        assert failure is not None and str(failure) == message + said
        assert (failure.status, failure.again, failure.pause) == (status, again, None)


def test_a_refused_key_is_not_talked_about() -> None:
    assert str(refusal(401, {}, "sk-01** is wrong")) == "refused the key (HTTP 401): check OPENAI_API_KEY"


def test_good_answers() -> None:
    assert refusal(200, {"content-length": "65536"}) is None
    assert "64 KiB" in str(refusal(200, {"content-length": "65537"}))
    assert "compressed" in str(refusal(200, {"content-encoding": "gzip"}))
