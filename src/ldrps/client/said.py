"""What is said to a server and what it answers, whoever sends it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any
from urllib.parse import unquote

import httpx

from ldrps.errors import LdrpsError

PictureSource = str | Path | bytes | IO[bytes]  # a path, what is in a file, or an open one
WAIT = 30.0  # seconds to connect, and for each piece of an answer; a result may take longer


class ServiceError(LdrpsError):
    """The server has refused a request, or could not carry it out.

    Attributes:
        status: of the answer.
        field: what of the request it is about; "" for no part of it.
        retry_after: seconds after which it may be tried again; None where that would not help.
    """

    def __init__(self, message: str, status: int = 500, field: str = "", retry_after: float | None = None) -> None:
        super().__init__(message)
        self.status, self.field, self.retry_after = status, field, retry_after


@dataclass(frozen=True)
class Job:
    """A job as the server has it.

    Attributes:
        id: by which it is known.
        state: "waiting", "running", "done" or "failed".
        place: how many come before it; None once it is over.
        share: how much of it is done, 0 to 1.
        seconds_left: until its end, as a guess; None once it is over.
        words: what was found and done.
        damage: the same as plain data, which can be edited and given back.
        error: why it failed; "" if it did not.
        plain: all that the server says.
    """

    id: str
    state: str
    place: int | None = None
    share: float = 0.0
    seconds_left: float | None = None
    words: str = ""
    damage: Mapping[str, Any] | None = None
    error: str = ""
    plain: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def is_over(self) -> bool:
        return self.state in ("done", "failed")

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> Job:
        """The job of which a server says this."""
        progress, error = plain.get("progress") or {}, plain.get("error") or {}
        share = 1.0 if plain["state"] == "done" else float(progress.get("share", 0.0))
        told = {name: plain.get(name) for name in ("place", "seconds_left", "damage")}
        words, why = plain.get("words") or "", error.get("detail", "")
        return cls(plain["id"], plain["state"], share=share, words=words, error=why, plain=plain, **told)


@dataclass(frozen=True)
class Restored:
    """A restored picture.

    Attributes:
        picture: the bytes of its file.
        media: of which kind, such as "image/png".
        job: the name of its job, which the server still knows for a while.
        words: what was found and done.
    """

    picture: bytes = field(repr=False)
    media: str
    job: str
    words: str


class Asking:
    """What both clients say, whoever sends it."""

    def __init__(self, url: str, token: str, tries: int) -> None:
        self._url, self._tries = url.rstrip("/"), tries
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def form(
        self,
        image: PictureSource,
        mask: PictureSource | None,
        protect: PictureSource | None,
        key: str,
        settings: Mapping[str, Any],
    ) -> dict[str, Any]:
        """A request with pictures, as httpx takes it."""
        given = {"image": image, "mask": mask, "protect": protect}
        files = {name: (name, content_of(source)) for name, source in given.items() if source is not None}
        headers = {"Idempotency-Key": key} if key else {}
        return {"files": files, "data": {"settings": json.dumps(settings)}, "headers": headers}

    def pause(self, response: httpx.Response, number: int) -> float | None:
        """Seconds after which a refused request is sent again; None if it is not."""
        if response.status_code not in (429, 503) or number >= self._tries:
            return None
        return min(float(response.headers.get("Retry-After", "1")), 60.0)


def content_of(source: PictureSource) -> bytes:
    """The bytes of a picture's file: what is sent again must be there again."""
    if isinstance(source, bytes):
        return source
    return Path(source).read_bytes() if isinstance(source, str | Path) else source.read()


def restored_of(response: httpx.Response) -> Restored:
    told = response.headers
    words = unquote(told.get("Ldrps-Words", ""))
    return Restored(response.content, told.get("Content-Type", ""), told.get("Ldrps-Job", ""), words)


def event_of(line: str) -> dict[str, Any] | None:
    """The job that a line of server-sent events tells of; None if it tells of none."""
    plain: dict[str, Any] = json.loads(line.removeprefix("data: ")) if line.startswith("data: ") else {}
    return plain or None


def checked(response: httpx.Response) -> httpx.Response:
    if response.is_error:
        raise error_of(response)
    return response


def error_of(response: httpx.Response) -> ServiceError:
    """What the server says is wrong."""
    try:
        plain = response.json()
        message, about = str(plain["detail"]), str(plain.get("field") or "")
    except (ValueError, KeyError, TypeError, AttributeError):
        message, about = f"the server answered {response.status_code} {response.reason_phrase}", ""
    after = response.headers.get("Retry-After", "")
    return ServiceError(message, response.status_code, about, float(after) if after.isdigit() else None)
