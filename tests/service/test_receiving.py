from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request

from ldrps.service.limits import MIB, Limits
from ldrps.service.problems import Problem
from ldrps.service.receiving import Received, receive_form, receive_text

FORM = {"content-type": "multipart/form-data; boundary=x"}
HEAD = b'--x\r\nContent-Disposition: form-data; name="image"; filename="../../passwd"\r\n\r\n'
TAIL = b"\r\n--x--\r\n"


def request(chunks: Iterable[bytes], headers: dict[str, str], pause: float = 0.0) -> tuple[Request, list[int]]:
    """A request whose body comes in chunks, each after a pause; and how many bytes of it were asked for."""
    taken: list[int] = []

    async def body() -> AsyncIterator[bytes]:
        for chunk in chunks:
            await asyncio.sleep(pause)
            yield chunk

    stream = body()

    async def receive() -> dict[str, Any]:
        chunk = await anext(stream, None)
        taken.append(len(chunk or b""))
        return {"type": "http.request", "body": chunk or b"", "more_body": chunk is not None}

    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "POST", "headers": raw}, receive), taken


def receive(
    chunks: Iterable[bytes], folder: Path, limits: Limits | None = None, pause: float = 0.0, **headers: str
) -> tuple[Received, list[int]]:
    given, taken = request(chunks, FORM | headers, pause)
    return asyncio.run(receive_form(given, folder, limits or Limits())), taken


@pytest.mark.parametrize("split", [1, 7, 1000, 10**6])
def test_files_and_settings_come_out_as_they_went_in_however_they_are_split(tmp_path: Path, split: int) -> None:
    image = bytes(range(256)) * (3 if split < 1000 else 1000) + b"\r\n--y"  # which is nearly a boundary
    body = HEAD + image + b'\r\n--x\r\nContent-Disposition: form-data; name="settings"\r\n\r\n{"seed": 1}' + TAIL
    folder = tmp_path / "job"
    received, _ = receive([body[start : start + split] for start in range(0, len(body), split)], folder)
    assert received.files == {"image": folder / "image"}
    assert (folder / "image").read_bytes() == image
    assert received.settings == b'{"seed": 1}'
    assert [path.name for path in folder.iterdir()] == ["image"]
    again, _ = receive([body], folder)
    assert again.digest == received.digest
    other, _ = receive([body.replace(b'"seed": 1', b'"seed": 2')], folder)
    assert other.digest != received.digest


def test_what_says_that_it_is_too_long_is_refused_unread(tmp_path: Path) -> None:
    given, taken = request([HEAD], FORM | {"content-length": str(2**30)})
    with pytest.raises(Problem, match=r"1024\.0 MiB or more, the limit is 100 MiB") as refused:
        asyncio.run(receive_form(given, tmp_path / "job", Limits()))
    assert refused.value.status == 413 and taken == []


def test_what_does_not_say_so_is_refused_as_soon_as_it_is(tmp_path: Path) -> None:
    chunks = [HEAD, *[bytes(MIB)] * 1000]
    given, taken = request(chunks, FORM)
    with pytest.raises(Problem) as refused:
        asyncio.run(receive_form(given, tmp_path / "job", Limits(bytes=3 * MIB)))
    assert refused.value.status == 413 and sum(taken) <= 5 * MIB


def test_settings_are_short(tmp_path: Path) -> None:
    head = b'--x\r\nContent-Disposition: form-data; name="settings"\r\n\r\n'
    with pytest.raises(Problem, match="settings have more than") as refused:
        receive([head, b" " * 2000], tmp_path / "job", Limits(settings=1000))
    assert (refused.value.status, refused.value.field) == (413, "settings")


@pytest.mark.parametrize(
    ("limits", "told"),
    [(Limits(pause=1.0), "1 s without a byte"), (Limits(arrival=1.0, pause=60.0), "1 s in all")],
)
def test_who_is_slow_is_given_up(tmp_path: Path, limits: Limits, told: str) -> None:
    with pytest.raises(Problem, match=told) as refused:
        receive([HEAD, b"a", b"b"], tmp_path / "job", limits, pause=1000.0)
    assert refused.value.status == 408


@pytest.mark.parametrize(
    "spoil",
    [
        lambda body: body[:-4],
        lambda body: body.replace(b'name="image"', b'nam="image"'),
        lambda body: body[: body.index(TAIL)] + b"\r\n" + body,
        lambda body: b"no form",
        lambda body: body.replace(b"Content-Disposition", b"Content Disposition:"),
    ],
)
def test_what_is_no_form_is_refused(tmp_path: Path, spoil: Callable[[bytes], bytes]) -> None:
    with pytest.raises(Problem) as refused:
        receive([spoil(HEAD + b"abc" + TAIL)], tmp_path / "job")
    assert refused.value.status in (400, 422)


def test_a_text_has_a_limit_of_its_own() -> None:
    given, _ = request([b"abc", b"def"], {})
    assert asyncio.run(receive_text(given, Limits(), 6)) == b"abcdef"
    given, _ = request([b"abc", b"def"], {})
    with pytest.raises(Problem):
        asyncio.run(receive_text(given, Limits(), 5))
