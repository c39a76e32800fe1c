"""Why an endpoint gave no answer, in words that hold nothing of what it was asked, nor the key."""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from ldrps.printable import printable

MOST_BYTES = 65_536  # of an answer

_MOST_REASON = 8192  # bytes of an error that are looked at for a reason
_REASON_TIME = 1.0  # seconds for them
_LONGEST_REASON = 160  # characters of it that are repeated
_SECRET = 12  # characters: shorter keys are words such as "none", which servers at home are given


class Failure(Exception):
    """Why a try gave nothing.

    Attributes:
        again: whether another try may help.
        status: of HTTP; 0 if there was none.
        pause: seconds that the server asks to wait; None if it does not.
    """

    def __init__(self, reason: str, *, again: bool = False, status: int = 0, pause: float | None = None) -> None:
        super().__init__(reason)
        self.again = again
        self.status = status
        self.pause = pause


def refusal(status: int, headers: Any, reason: str = "") -> Failure | None:
    """The failure that the head of an answer tells of, if any.

    Args:
        status: of HTTP.
        headers: a mapping in which case does not matter.
        reason: the server's own words, from `told_reason`.
    """
    if status == 200:
        encoding, length = headers.get("content-encoding", "identity"), headers.get("content-length", "")
        if encoding.lower() != "identity":
            return Failure("answered compressed, though asked not to")
        return too_long() if length.isdigit() and int(length[:20]) > MOST_BYTES else None
    if status in (401, 403):  # whose reason often is a part of the key
        return Failure(f"refused the key (HTTP {status}): check OPENAI_API_KEY", status=status)
    detail = f'; it says "{reason}"' if reason else ""
    if status == 404:
        return Failure(f"was not found (HTTP 404): check the model's name and the URL{detail}", status=status)
    if status in (400, 422):
        advice = "check the model's name, and that it takes pictures"
        return Failure(f"answered HTTP {status}: {advice}{detail}", status=status)
    if status == 429 or status >= 500:
        advice = "too many requests, or nothing left to spend" if status == 429 else "see its log"
        pause = _pause(headers.get("retry-after"))
        return Failure(f"answered HTTP {status}: {advice}{detail}", again=True, status=status, pause=pause)
    return Failure(f"answered HTTP {status}{detail}", status=status)


def too_long() -> Failure:
    return Failure(f"answered with more than {MOST_BYTES // 1024} KiB")


async def told_reason(response: Any, key: str) -> str:
    """What a server says in JSON of its error, as a line of at most 160 characters; "" if nothing, or the key.

    Args:
        response: of httpx, of which nothing was read. Little of it is, and for a second at most.
        key: what may not be repeated.
    """
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        return ""
    body = bytearray()
    with contextlib.suppress(Exception):  # what has come by then may do
        async with asyncio.timeout(_REASON_TIME):
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > _MOST_REASON:
                    break
    text = _message(bytes(body[:_MOST_REASON]))
    if repeats(key, text):
        return ""
    line = printable(" ".join(text.split()))
    return line if len(line) <= _LONGEST_REASON else line[: _LONGEST_REASON - 3].rstrip() + "..."


def repeats(key: str, text: str) -> bool:
    """Whether a text holds a key that is a secret."""
    return len(key) >= _SECRET and key in text


def _message(body: bytes) -> str:
    """The words of an error as OpenAI and llama.cpp (error.message), Ollama (error), FastAPI (detail) put them."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    for name in ("error", "message", "detail"):
        if isinstance(value, dict) and name in value:
            value = value[name]
    return value if isinstance(value, str) else ""


def _pause(retry_after: str | None) -> float | None:
    """Seconds that a server asks for, given as such or as a date; None if it does not."""
    if not retry_after:
        return None
    try:
        seconds = float(retry_after)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(retry_after).astimezone(UTC) - datetime.now(UTC)).total_seconds()
        except (ValueError, OverflowError):
            return None
    return None if math.isnan(seconds) else max(seconds, 0.0)
