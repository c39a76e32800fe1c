"""The application of the service: its addresses, and what is said where one does not exist, or something is wrong."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, Response
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import ldrps
from ldrps.errors import LdrpsError
from ldrps.service import health, routes, single
from ldrps.service.openapi import describe
from ldrps.service.problems import Problem, title
from ldrps.service.reading import page
from ldrps.service.service import Service

logger = logging.getLogger(__name__)

ADDRESSES = ("/v1", "/sdapi", "/livez", "/readyz", "/metrics", "/openapi.json", "/docs")  # what begins so is ours
_ABOUT = (
    "Restores damaged photographs without being told what is wrong with them. Pictures go in as forms, and come out as "
    "files; all else is JSON."
)
_QUIET = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
_SAFE = ("GET", "HEAD", "OPTIONS")
_TAKING = ("/v1/restore", "/v1/jobs", "/sdapi/v1/extra-single-image")  # addresses at which pictures come in


ROUTERS = (routes.router, single.router, health.router)


def make_app(service: routes.Door, routers: Sequence[APIRouter] = ROUTERS) -> FastAPI:
    """The application of a service; `routers` has its addresses."""
    app = FastAPI(title="ldrps", version=ldrps.__version__, description=_ABOUT, docs_url=None, redoc_url=None)
    app.state.service = service
    for router in routers:
        app.include_router(router)
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(LdrpsError, _on_fault)
    app.add_exception_handler(Exception, _on_fault)
    described: dict[str, Any] = {}

    def openapi() -> dict[str, Any]:
        if not described:
            described.update(describe(app))
        return described

    app.openapi = openapi  # type: ignore[method-assign]  # as FastAPI has it

    @app.get("/docs", include_in_schema=False)
    def docs() -> HTMLResponse:
        return HTMLResponse(page(openapi()), headers=_QUIET)

    return app


class Programs:
    """What stands before the page, and answers for the addresses of the service: ASGI.

    Args:
        service: whose addresses these are.
        page: answers for all others; None for nobody.
    """

    def __init__(self, service: Service, page: ASGIApp | None = None) -> None:
        self._app, self._page, self._service = make_app(service), page, service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not is_ours(scope["path"]):
            if self._page is not None or scope["type"] != "http":
                await (self._page or self._app)(scope, receive, send)
                return
        elif (problem := self._refused(scope)) is not None:
            await problem.answer()(scope, receive, self._counting(scope, send))
            return
        await self._app(scope, receive, self._counting(scope, send))

    def _refused(self, scope: Scope) -> Problem | None:
        """Why a request is refused before anything else is looked at; None if it is not.

        A crowd before a full queue is turned away here, at a hundredth of what a request costs that is looked at.
        """
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        try:
            if not self._service.tokens.are_asked_for:
                refuse_elsewhere(scope["method"], headers)
            if scope["method"] == "POST" and scope["path"] in _TAKING and b"idempotency-key" not in headers:
                self._service.tokens.owner(headers.get(b"authorization"))
                self._service.queue.refuse_full()
        except Problem as problem:
            return problem
        return None

    def _counting(self, scope: Scope, send: Send) -> Send:
        """A `send` that counts answers, and how long they took to begin."""
        began, metrics = time.monotonic(), self._service.metrics

        async def count(message: Message) -> None:
            if message["type"] == "http.response.start":
                known = scope["path"] if scope["path"] in _TAKING else "other"
                route = str(getattr(scope.get("route"), "path", known))
                metrics.requests.labels(route, message["status"]).inc()
                metrics.request_seconds.labels(route).observe(time.monotonic() - began)
            await send(message)

        return count


def is_ours(path: str) -> bool:
    """Whether an address is one of the service."""
    return any(path == each or path.startswith(f"{each}/") for each in ADDRESSES)


def refuse_elsewhere(method: str, headers: Mapping[bytes, str]) -> None:
    """Refuse what a browser sends for a page of another server: where no token is asked for, the address alone would
    let any page in a browser of this machine give jobs.

    Raises:
        Problem: it is so.
    """
    origin = headers.get(b"origin", "")
    if method not in _SAFE and origin and urlsplit(origin).netloc != headers.get(b"host", ""):
        raise Problem(403, "a page of another server sent this: start the server with --token, and send that")


async def _on_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return error.answer()


async def _on_invalid(request: Request, error: Exception) -> Response:
    """A parameter or a header of the wrong kind, as FastAPI found it."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    name = str(first["loc"][-1])
    return Problem(422, f"{name} cannot be used: {first['msg']}", field=name).answer()


async def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    message = {404: "there is nothing at this address: /docs tells what there is"}.get(error.status_code, "")
    detail = message or f"{title(error.status_code)}: {request.method} {request.url.path}"
    return Problem(error.status_code, detail, headers=error.headers).answer()


async def _on_fault(request: Request, error: Exception) -> Response:
    """A fault of ours, or a full disk; the log says where, who asks does not need to know."""
    logger.error("a request failed", exc_info=error)
    return Problem(500, "the server could not do this, for a reason that its log tells").answer()
