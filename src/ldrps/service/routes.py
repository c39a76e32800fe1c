"""The addresses of the service: `/v1`, in which jobs are given, watched, fetched and forgotten."""

from __future__ import annotations

import asyncio
import json
import mimetypes
from collections.abc import AsyncIterator
from typing import Annotated, Any, Protocol
from urllib.parse import quote

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import FileResponse, StreamingResponse
from fastapi.security import HTTPBearer

from ldrps.presets import PRESETS
from ldrps.service.ask import FORMATS, Ask, read_json
from ldrps.service.limits import Limits
from ldrps.service.openapi import EVENTS, FORM, PICTURE
from ldrps.service.problems import Problem
from ldrps.service.receiving import Received, receive_form
from ldrps.service.rows import Row
from ldrps.service.service import Service
from ldrps.service.shapes import Job, LimitsShape, job_of
from ldrps.service.tokens import Tokens
from ldrps.service.waiting import over_or_left

DEADLINE = 120.0  # seconds, where none is given
_EVERY = 0.2  # seconds between looks at what there is to tell
_SIGN_OF_LIFE = 15.0  # seconds after which who listens is sent something, though there is nothing to tell

# How the address at which a picture is restored at once is described.
RESTORE: dict[str, Any] = {
    "summary": "Restore a picture, and wait for it",
    "response_class": Response,
    "responses": PICTURE,
    "openapi_extra": FORM,
}

router = APIRouter(prefix="/v1")
_bearer = HTTPBearer(auto_error=False, description="One of the tokens of the server, if it has any.")


class Door(Protocol):
    """Who lets requests in: a `Service`, or an entry to the replicas of a cluster.

    Attributes:
        tokens: who is let in.
        limits: what is refused.
    """

    tokens: Tokens
    limits: Limits


def service_of(request: Request) -> Any:
    """Whom a request is for, as `make_app` was given it."""
    return request.app.state.service


ServiceOf = Annotated[Service, Depends(service_of)]
DoorOf = Annotated[Door, Depends(service_of)]


def owner_of(request: Request, door: DoorOf, _: Annotated[Any, Depends(_bearer)]) -> str:
    """Whose a request is."""
    return door.tokens.owner(request.headers.get("authorization"))


Owner = Annotated[str, Depends(owner_of)]
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern=r"^[\x20-\x7e]+$",
        description="The same key with the same request is the same job, however often it is sent.",
    ),
]
Deadline = Annotated[
    float, Query(gt=0, description="Seconds to wait for the result; beyond that the job is cancelled.")
]


async def taken(request: Request, service: Service, owner: str, key: str | None) -> tuple[Row, bool]:
    """The job that a request asks for, in the queue or from before; and whether it is new.

    Raises:
        Problem: it is refused.
    """
    with service.arriving(owner, key) as folder:
        received = await receive_form(request, folder, service.limits)
        if key is not None and (row := await asyncio.to_thread(service.known, owner, key, received.digest)) is not None:
            return row, False
        with service.queue.place():
            return await asyncio.to_thread(_join, service, owner, key, received), True


def _join(service: Service, owner: str, key: str | None, received: Received) -> Row:
    """Put a request that has arrived in the queue, as it is kept there."""
    return service.take(owner, key, received, ask_of(received)).row


def ask_of(received: Received) -> Ask:
    """What is to be done with what has arrived.

    Raises:
        Problem: its settings cannot be.
    """
    has = {part: part in received.parts for part in ("mask", "protect")}
    return Ask.read(read_json(received.settings), **has)


def check_deadline(deadline: float, limits: Limits) -> None:
    """Refuse to wait longer than is allowed.

    Raises:
        Problem: it is longer.
    """
    if deadline > limits.deadline:
        message = f"deadline is {deadline:g}; it must be above 0, at most {limits.deadline:g}"
        raise Problem(422, message, field="deadline")


@router.post("/restore", **RESTORE)
async def restore(
    request: Request, service: ServiceOf, owner: Owner, key: Key = None, deadline: Deadline = DEADLINE
) -> Response:
    """The restored picture itself, with the job's name in the header `Ldrps-Job` and what was found in `Ldrps-Words`.

    Who hangs up cancels the job, unless it has an `Idempotency-Key`, with which it can be asked for again.
    """
    check_deadline(deadline, service.limits)
    row, _ = await taken(request, service, owner, key)
    try:
        is_over = await over_or_left(request, service, row.id, deadline, stays=key is not None)
    except asyncio.CancelledError:  # the server ends
        if key is None:
            service.queue.forget(row.id)
        raise
    if not is_over:
        await asyncio.to_thread(service.queue.forget, row.id)
        raise Problem(504, f"there is no result after {deadline:g} s: give a longer deadline, or take /v1/jobs")
    try:
        return await asyncio.to_thread(picture, service, owner, row.id)
    except Problem as problem:
        if problem.status == 503 and key is None:  # of which nobody could ask again
            await asyncio.to_thread(service.queue.forget, row.id)
        raise


@router.post("/jobs", status_code=202, summary="Give a picture to be restored", openapi_extra=FORM)
async def give(request: Request, response: Response, service: ServiceOf, owner: Owner, key: Key = None) -> Job:
    """The job, which is known by its `id` from now on. It survives a restart of the server."""
    row, is_new = await taken(request, service, owner, key)
    response.headers["Location"] = f"/v1/jobs/{row.id}"
    if not is_new:
        response.headers["Idempotency-Replayed"] = "true"
    return await asyncio.to_thread(job_of, row, service.queue, service.limits.keep)


@router.get("/jobs/{id}", summary="How far a job is")
def look(id: str, service: ServiceOf, owner: Owner) -> Job:
    """Its state, its place in the queue, its progress, and when it is done, what was found."""
    return job_of(service.find(owner, id), service.queue, service.limits.keep)


@router.get("/jobs/{id}/events", summary="Watch a job", response_class=Response, responses=EVENTS)
async def watch(id: str, service: ServiceOf, owner: Owner) -> Response:
    """Server-sent events named `job`, each with the job as at `/v1/jobs/{id}`; the last is `done`, `failed` or
    `forgotten`.
    """
    await asyncio.to_thread(service.find, owner, id)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_events(service, owner, id), media_type="text/event-stream", headers=headers)


@router.get("/jobs/{id}/result", summary="Fetch the restored picture", response_class=Response, responses=PICTURE)
def fetch(id: str, service: ServiceOf, owner: Owner) -> Response:
    """The restored picture, as a file of its kind."""
    return picture(service, owner, id)


@router.delete("/jobs/{id}", status_code=204, summary="Cancel a job, and forget it")
def forget(id: str, service: ServiceOf, owner: Owner) -> None:
    """What is at work stops within a step. Nothing of it is kept."""
    service.forget(owner, id)


@router.get("/limits", summary="What is taken, and what is refused")
def limits(door: DoorOf) -> LimitsShape:
    """All limits; each is enforced before a picture costs anything."""
    return LimitsShape(**door.limits.plain(), formats=list(FORMATS), presets=list(PRESETS))


def picture(service: Service, owner: str, name: str) -> Response:
    """The restored picture of a job.

    Raises:
        Problem: as `Service.result`.
    """
    row, path = service.result(owner, name)
    return FileResponse(path, **about_picture(path.name, row.id, str((row.record or {}).get("words", ""))))


def about_picture(file: str, job: str, words: str) -> dict[str, Any]:
    """What an answer with a restored picture says beside it, by its file's name, its job's and what was found."""
    return {
        "media_type": mimetypes.guess_type(file)[0] or "application/octet-stream",
        "headers": {
            "Ldrps-Job": job,
            "Ldrps-Words": quote(words, safe=" ,;:%()+.'"),
            "Cache-Control": "private, no-store",
            "X-Content-Type-Options": "nosniff",
        },
    }


async def _events(service: Service, owner: str, name: str) -> AsyncIterator[str]:
    told, silent = "", 0.0
    while True:
        row = await asyncio.to_thread(service.store.find, name, owner)
        if row is None:
            yield "event: forgotten\ndata: {}\n\n"
            return
        job = await asyncio.to_thread(job_of, row, service.queue, service.limits.keep)
        seen = json.dumps([job.state, job.place, None if job.progress is None else job.progress.step])
        if seen != told or row.is_over:
            told, silent = seen, 0.0
            yield f"event: {row.state if row.is_over else 'job'}\ndata: {job.model_dump_json()}\n\n"
        if row.is_over:
            return
        silent += _EVERY
        if silent >= _SIGN_OF_LIFE:
            silent = 0.0
            yield ": still here\n\n"
        await asyncio.sleep(_EVERY)
