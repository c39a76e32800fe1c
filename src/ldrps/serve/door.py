"""What stands between the network and the page: who is who, what nobody needs, and wrong passwords."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ldrps.serve.examples import examples
from ldrps.serve.handout import Handout

COOKIE = "ldrps-visitor"
PICTURES, EXAMPLES = "picture", "example"  # the first parts of the addresses of visitors' pictures, and of the samples
# Of Gradio's server, what the page does without: files by their paths on this machine, and the description of a
# programming interface that is nobody's promise.
_CLOSED = ("file", "info", "openapi.json", "proxy=", "deep_link", "api/", "call/", "run-history", "runs")
_MOST_WAITING = 32  # wrong passwords that are being kept waiting; who comes beyond that is turned away
_MOST_ADDRESSES = 10_000  # that are remembered for wrong passwords; then all are forgotten
_LONGEST = 32.0  # seconds

Sleep = Callable[[float], Awaitable[Any]]


def browser_of(cookies: dict[str, str]) -> str:
    """What tells a browser from others; "" of one that keeps no cookies."""
    return cookies.get(COOKIE, "")


def pictures(handout: Handout) -> Callable[[Request], Awaitable[Response]]:
    """What answers for the address of a picture: it, or to who was not given it that there is none."""

    async def answer(request: Request) -> Response:
        handed = handout.find(browser_of(request.cookies), request.path_params["token"])
        if handed is None:
            return PlainTextResponse("There is no such picture, or no more.", 404)
        headers = {"Cache-Control": "private, max-age=600", "X-Content-Type-Options": "nosniff"}
        return FileResponse(handed.path, filename=handed.name or None, headers=headers)

    return answer


async def example(request: Request) -> Response:
    """What answers for the address of a sample."""
    found = [path for path in examples() if path.stem == request.path_params["name"]]
    return FileResponse(found[0]) if found else PlainTextResponse("There is no such sample.", 404)


def routes(handout: Handout) -> list[Route]:
    """The addresses that the page has beside those of Gradio."""
    return [
        Route(f"/{PICTURES}/{{token}}", pictures(handout), methods=["GET"]),
        Route(f"/{EXAMPLES}/{{name}}", example, methods=["GET"]),
    ]


class Slowness:
    """How long who gives a wrong password waits for the answer: a second, then twice as long each time.

    Those of an address wait one after the other, so that many at once are no quicker; a right password ends it.

    Args:
        sleep: waits for so many seconds.
    """

    def __init__(self, sleep: Sleep = asyncio.sleep) -> None:
        self._sleep = sleep
        self._wrong: dict[str, int] = {}
        self._turns: dict[str, asyncio.Lock] = {}
        self._waiting = 0

    @property
    def is_full(self) -> bool:
        """Whether so many wait that another one is turned away."""
        return self._waiting >= _MOST_WAITING

    async def attempt(self, address: str, is_right: Callable[[], Awaitable[bool]]) -> None:
        """Have a password tried by somebody, and let the answer wait if it was wrong."""
        self._waiting += 1
        if len(self._wrong) > _MOST_ADDRESSES:
            self._wrong.clear()
            self._turns.clear()
        try:
            async with self._turns.setdefault(address, asyncio.Lock()):
                if await is_right():
                    self._wrong.pop(address, None)
                    return
                self._wrong[address] = wrong = self._wrong.get(address, 0) + 1
                await self._sleep(min(2.0 ** (wrong - 1), _LONGEST))
        finally:
            self._waiting -= 1


class Door:
    """A layer of the server, through which all requests go: ASGI middleware.

    Args:
        app: the rest of the server.
        slowness: of wrong passwords.
    """

    def __init__(self, app: ASGIApp, slowness: Slowness | None = None) -> None:
        self._app = app
        self._slowness = slowness or Slowness()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "").rstrip("/")
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif path.startswith(tuple(f"/gradio_api/{name}" for name in _CLOSED)) or path.startswith("/monitoring"):
            await PlainTextResponse("There is nothing here.", 404)(scope, receive, send)
        elif path == "/login" and scope["method"] == "POST":
            await self._login(scope, receive, send)
        elif not path and not browser_of(Request(scope).cookies):
            await self._app(scope, receive, _marking(scope, send))
        else:
            await self._app(scope, receive, send)

    async def _login(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the rest of the server answer, and keep a wrong answer back for a while."""
        if self._slowness.is_full:
            await PlainTextResponse("Too many wrong passwords at once: try again in a minute.", 429)(
                scope, receive, send
            )
            return
        answer: list[Message] = []

        async def keep(message: Message) -> None:
            answer.append(message)

        async def is_right() -> bool:
            await self._app(scope, receive, keep)
            return any(message.get("status", 500) < 400 for message in answer if "status" in message)

        await self._slowness.attempt((scope.get("client") or ("",))[0], is_right)
        for message in answer:
            await send(message)


def _marking(scope: Scope, send: Send) -> Send:
    """A `send` that gives the browser what it is known by, as long as it is open."""
    secure = "; Secure" if scope.get("scheme") == "https" else ""

    async def mark(message: Message) -> None:
        if message["type"] == "http.response.start":
            cookie = f"{COOKIE}={secrets.token_urlsafe(24)}; Path=/; HttpOnly; SameSite=Lax{secure}"
            MutableHeaders(scope=message).append("Set-Cookie", cookie)
        await send(message)

    return mark
