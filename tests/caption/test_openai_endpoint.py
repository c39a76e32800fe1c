"""An endpoint that answers, and one that does everything else: in time, within bounds, without telling the key."""

from __future__ import annotations

import base64
import io
import json
import logging
import sys
import threading
from datetime import UTC, datetime, timedelta, tzinfo
from email.utils import format_datetime
from typing import Any

import numpy as np
import pytest
from conftest import PATIENCE, until
from PIL import Image
from strange import NAME, assert_seen

from ldrps.caption import failure, openai_endpoint
from ldrps.caption.chain import Fallback, make_captioner
from ldrps.caption.openai_endpoint import OpenAIEndpoint
from ldrps.errors import CaptionError, InputError

pytest.importorskip("openai")
TIMEOUT = 60.0  # seconds, of which a busy machine may need some


def picture(width: int = 40, height: int = 32) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 255, (height, width, 3), dtype=np.uint8))


def ask(endpoint: Any, *script: Any, timeout: float = TIMEOUT) -> str:
    endpoint.script = list(script)
    return OpenAIEndpoint("gpt-x", timeout=timeout).describe(picture()).text


def fails(endpoint: Any, *script: Any, timeout: float = TIMEOUT) -> str:
    with pytest.raises(CaptionError) as raised:
        ask(endpoint, *script, timeout=timeout)
    assert raised.value.__cause__ is None and raised.value.__suppress_context__, "a traceback could quote the request"
    return str(raised.value)


def test_a_structured_answer(endpoint: Any, key: str) -> None:
    endpoint.script = [endpoint.good("A red car, landscape.")]
    caption = OpenAIEndpoint("gpt-x", prompt="What is it?").describe(picture(1000, 300))
    assert (caption.text, caption.source, caption.note) == ("A red car, landscape", "openai:gpt-x", "")
    assert caption.seconds > 0
    assert endpoint.keys == [f"Bearer {key}"]
    (request,) = endpoint.requests
    assert request["model"] == "gpt-x" and request["response_format"]["type"] == "json_schema"
    question, shown = request["messages"][0]["content"]
    assert question["text"] == "What is it?"
    head, _, data = shown["image_url"]["url"].partition(",")
    assert head == "data:image/jpeg;base64"
    sent = Image.open(io.BytesIO(base64.b64decode(data)))
    assert (sent.format, sent.size) == ("JPEG", (512, 154))


def test_what_the_file_said_beside_its_pixels_is_not_sent(endpoint: Any) -> None:
    endpoint.script = [endpoint.good()]
    image = picture()
    image.info |= {"comment": b"taken at home", "exif": b"Exif\0\0home", "icc_profile": b"home"}
    OpenAIEndpoint("gpt-x").describe(image)
    data = endpoint.requests[0]["messages"][0]["content"][1]["image_url"]["url"].partition(",")[2]
    assert b"home" not in base64.b64decode(data)
    assert image.info["comment"] == b"taken at home"


def test_a_plain_answer_to_a_structured_question(endpoint: Any) -> None:
    assert ask(endpoint, endpoint.content("This image shows a red car.")) == "a red car"


def test_a_server_without_schemas_is_asked_plainly_from_then_on(endpoint: Any) -> None:
    endpoint.script = [endpoint.plain("a red car")]
    captioner = OpenAIEndpoint("gpt-x")
    assert [captioner.describe(picture()).text for _ in range(2)] == ["a red car"] * 2
    assert ["response_format" in request for request in endpoint.requests] == [True, False, False]


def test_a_bad_request_is_not_repeated(endpoint: Any, pauses: list[float]) -> None:
    endpoint.script = [endpoint.status(400), endpoint.status(400), endpoint.good()]
    captioner = OpenAIEndpoint("gpt-x")
    with pytest.raises(CaptionError, match="openai:gpt-x answered HTTP 400: check the model's name, and that it takes"):
        captioner.describe(picture())
    assert captioner.describe(picture()).text == "a red car"
    assert ["response_format" in request for request in endpoint.requests] == [True, False, True]
    assert pauses == []


@pytest.mark.parametrize("way", ["hang", "drip", "drip_head"])
def test_whoever_takes_too_long_is_left(way: str, endpoint: Any, pauses: list[float], hurried: Any) -> None:
    def ask_in_vain(timeout: float) -> None:
        message = fails(endpoint, getattr(endpoint, way), timeout=timeout)
        assert message == f"openai:gpt-x timed out after {timeout:g} s", "while the endpoint had more to give"
        assert len(endpoint.requests) <= 1 and pauses == []

    hurried(ask_in_vain)
    until(lambda: not [thread for thread in threading.enumerate() if thread.name == "caption"])  # nobody waits on
    assert not endpoint.over.is_set()


def test_a_resolver_that_never_ends_is_left(endpoint: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    never, ended = threading.Event(), []

    def resolve(*_: Any, **__: Any) -> list[Any]:
        ended.append(never.wait(PATIENCE))
        return []

    monkeypatch.setattr("socket.getaddrinfo", resolve)
    monkeypatch.setattr(openai_endpoint, "_GRACE", 0.1)
    with pytest.raises(CaptionError, match=r"timed out after 0\.5 s"):
        OpenAIEndpoint("gpt-x", url="http://captions.invalid/v1", timeout=0.5).describe(picture())
    assert ended == [], "it was not waited for"
    never.set()


def test_told_to_wait_it_waits(endpoint: Any, pauses: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime(2024, 2, 29, 23, 59, 57, tzinfo=UTC)

    class Stopped(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return now

    monkeypatch.setattr(failure, "datetime", Stopped)
    later = format_datetime(now + timedelta(seconds=8), usegmt=True)
    waits = [endpoint.status(429, retry_after="3"), endpoint.status(503, retry_after=later)]
    assert ask(endpoint, *waits, endpoint.good()) == "a red car"
    assert pauses == [3, 8]


def test_too_many_requests(endpoint: Any, pauses: list[float]) -> None:
    message = fails(endpoint, endpoint.status(429))
    assert message == "openai:gpt-x answered HTTP 429: too many requests, or nothing left to spend"


@pytest.mark.parametrize("wanted", ["3600", "inf", "1e400"])
def test_but_not_for_ever(wanted: str, endpoint: Any, pauses: list[float]) -> None:
    assert ask(endpoint, endpoint.status(429, retry_after=wanted), endpoint.good()) == "a red car"
    assert pauses == [10]


@pytest.mark.parametrize("wanted", ["", "soon", "nan", "Mon, 99 Foo"])
def test_not_told_it_waits_longer_each_time(wanted: str, endpoint: Any, pauses: list[float]) -> None:
    message = fails(endpoint, endpoint.status(500, retry_after=wanted))
    assert message == "openai:gpt-x answered HTTP 500: see its log"
    assert len(endpoint.requests) == 3
    assert 0.37 < pauses[0] < 0.63 and 0.74 < pauses[1] < 1.26


def test_a_server_that_comes_back(endpoint: Any, pauses: list[float]) -> None:
    assert ask(endpoint, endpoint.status(500), endpoint.hang_up, endpoint.good()) == "a red car"
    assert len(pauses) == 2


def test_a_connection_that_is_cut(endpoint: Any, pauses: list[float]) -> None:
    message = fails(endpoint, endpoint.hang_up)
    host = endpoint.url.removeprefix("http://").removesuffix("/v1")
    assert message == f"openai:gpt-x cannot be reached at {host}, or hung up"
    assert len(endpoint.requests) == 3
    cut = endpoint.body(b"{", content_length="900")
    assert ask(endpoint, cut, endpoint.good()) == "a red car"


def test_nobody_there(pauses: list[float], endpoint: Any) -> None:
    with pytest.raises(CaptionError, match="cannot be reached at localhost:1, or hung up"):
        OpenAIEndpoint("gpt-x", url="http://me:password@localhost:1/v1").describe(picture())
    assert len(pauses) == 2


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (401, "refused the key (HTTP 401): check OPENAI_API_KEY"),
        (403, "refused the key (HTTP 403): check OPENAI_API_KEY"),
        (404, "was not found (HTTP 404): check the model's name and the URL"),
        (307, "answered HTTP 307"),
    ],
)
def test_what_another_try_would_not_mend(status: int, message: str, endpoint: Any, pauses: list[float]) -> None:
    assert fails(endpoint, endpoint.status(status, location=endpoint.url)) == f"openai:gpt-x {message}"
    assert len(endpoint.requests) == 1 and pauses == []


def test_the_reason_that_a_server_gives_is_passed_on(
    endpoint: Any, key: str, pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failure, "_REASON_TIME", TIMEOUT)
    blind = endpoint.body(b'{"error": {"message": "images are not supported"}}', 500)
    assert fails(endpoint, blind) == 'openai:gpt-x answered HTTP 500: see its log; it says "images are not supported"'
    assert len(endpoint.requests) == 3
    with_key = endpoint.body(json.dumps({"error": f"{key} is not welcome"}).encode(), 500)
    for act in (with_key, endpoint.body(b'{"error": "cut', 500, content_length="900")):
        assert fails(endpoint, act) == "openai:gpt-x answered HTTP 500: see its log"


def test_neither_reason_nor_answer_nor_model_controls_a_terminal(endpoint: Any, pauses: list[float]) -> None:
    said = fails(endpoint, endpoint.body(json.dumps({"error": f"no {NAME}"}).encode(), 500))
    assert_seen(said)
    assert r"no a\x1b[2Jb" in said
    endpoint.script, endpoint.requests = [endpoint.content("a red boat\x1b[2J \u202e on\u2028the \u200bsea\udcff")], []
    caption = OpenAIEndpoint("gpt\x1b[2J\n\u202ex").describe(picture())
    assert (caption.text, caption.source) == ("a red boat on the sea", r"openai:gpt\x1b[2J\n\u202ex")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{gar bage", "openai:gpt-x answered with something that is no chat completion"),
        (b"", "openai:gpt-x answered with something that is no chat completion"),
        (b"\xff\xfe\x00", "openai:gpt-x answered with something that is no chat completion"),
        (b"[" * 60_000, "openai:gpt-x answered with something that is no chat completion"),
        (b'{"choices": []}', "openai:gpt-x answered with something that is no chat completion"),
        (b'{"choices": [{"message": {"content": 7}}]}', "openai:gpt-x answered without text"),
        (b'{"choices": [{"message": {"content": null, "refusal": "No."}}]}', "openai:gpt-x: the answer is a refusal"),
        (b'{"choices": [{"message": {"content": "I\'m sorry"}}]}', "openai:gpt-x: the answer is a refusal"),
        (b'{"choices": [{"message": {"content": "{}"}}]}', "openai:gpt-x: the answer is JSON without a caption"),
    ],
)
def test_garbage(body: bytes, message: str, endpoint: Any) -> None:
    assert fails(endpoint, endpoint.body(body)) == message


def test_a_long_answer_is_not_read(endpoint: Any, pauses: list[float]) -> None:
    whole = endpoint.content("a car " * 2_000_000)
    assert fails(endpoint, whole) == "openai:gpt-x answered with more than 64 KiB"
    assert fails(endpoint, endpoint.endless()) == "openai:gpt-x answered with more than 64 KiB"
    endpoint.requests.clear()
    assert fails(endpoint, endpoint.endless(500)) == "openai:gpt-x answered HTTP 500: see its log"
    until(lambda: endpoint.busy == 0)
    assert endpoint.sent < 60_000_000, "four answers of which the system's buffers hold the beginning"
    packed = endpoint.body(b"x", content_encoding="gzip")
    assert "compressed" in fails(endpoint, packed)
    assert set(endpoint.encodings) == {"identity"}


@pytest.mark.parametrize("way", ["401", "echo", "hang_up", "hang"])
def test_the_key_is_told_to_nobody_else(
    way: str,
    endpoint: Any,
    key: str,
    pauses: list[float],
    offline: None,
    caplog: pytest.LogCaptureFixture,
    hurried: Any,
) -> None:
    acts = {"401": endpoint.status(401), "echo": endpoint.content(f"a card that says {key}")}
    endpoint.script = [acts.get(way) or getattr(endpoint, way)]
    captions = []

    def ask_in_vain(timeout: float) -> None:
        captions.append(make_captioner("openai:gpt-x", timeout=timeout).describe(picture()))

    with caplog.at_level(logging.DEBUG):
        if way == "hang":
            hurried(ask_in_vain)
        else:
            ask_in_vain(TIMEOUT)
    caption = captions[-1]
    assert caption.source == "offline" and caption.note
    assert endpoint.keys[0] == f"Bearer {key}"
    assert key not in caplog.text and key not in repr(caption)


def test_servers_at_home_need_no_key(endpoint: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    assert ask(endpoint, endpoint.good()) == "a red car"
    monkeypatch.setenv("OPENAI_API_KEY", "red")
    assert ask(endpoint, endpoint.good()) == "a red car", "a word is no secret"
    assert endpoint.keys == ["Bearer -", "Bearer red"]


def test_what_cannot_be_asked_at_all(endpoint: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for timeout in (0, -1, float("nan"), 1e9):
        with pytest.raises(InputError, match="time-out"):
            OpenAIEndpoint("gpt-x", timeout=timeout)
    for url in ("localhost:8000", "ftp://x", "http://", "http://x:y"):
        with pytest.raises(InputError, match="http://localhost:11434/v1"):
            OpenAIEndpoint("gpt-x", url=url)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret\nx")
    with pytest.raises(InputError, match="OPENAI_API_KEY holds") as raised:
        OpenAIEndpoint("gpt-x")
    assert "secret" not in str(raised.value)
    monkeypatch.delenv("OPENAI_API_KEY")
    monkeypatch.delenv("OPENAI_BASE_URL")
    with pytest.raises(InputError, match="set OPENAI_API_KEY"):
        OpenAIEndpoint("gpt-x")
    monkeypatch.setitem(sys.modules, "openai", None)
    with pytest.raises(InputError, match=r"pip install '\.\[caption\]' in the checkout"):
        OpenAIEndpoint("gpt-x")


def test_inside_a_running_event_loop(endpoint: Any) -> None:
    import asyncio

    async def notebook() -> str:
        return ask(endpoint, endpoint.good())

    assert asyncio.run(notebook()) == "a red car"


def test_the_answer_of_a_model_that_is_talked_to_by_the_picture(endpoint: Any) -> None:
    injected = json.dumps({"caption": "a sign", "command": "rm -rf", "negative": "everything"})
    endpoint.script = [endpoint.content(injected)]
    caption = Fallback([OpenAIEndpoint("gpt-x")]).describe(picture())
    assert (caption.text, caption.negative) == ("a sign", "")
