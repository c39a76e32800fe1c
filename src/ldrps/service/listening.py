"""The server of the service: uvicorn, which gives up on clients that do not come to the point."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Iterator
from typing import Any

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from ldrps.serve.address import bound, unusable

_HEAD = 20.0  # seconds in which the head of a request must have come
_START = 30.0  # seconds for the server to listen, which takes milliseconds


class PatientProtocol(H11Protocol):
    """uvicorn's, which by itself waits for ever for the head of a request."""

    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._watch(is_over=True)

    def handle_events(self) -> None:
        """Give up on a head that began so many seconds ago; between two requests uvicorn counts itself."""
        super().handle_events()
        self._watch()

    def _watch(self, is_over: bool = False) -> None:
        expects_head = self.conn.their_state is h11.IDLE and not is_over
        if expects_head and self._waiting is None:
            self._waiting = self.loop.call_later(_HEAD, self.transport.close)
        elif not expects_head and self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None


def put_before(config: uvicorn.Config, app: ASGIApp) -> None:
    """Let an application answer, from the next connection on, in a server that is at work."""
    config.loaded_app = app
    config.http_protocol_class = PatientProtocol


@contextlib.contextmanager
def listening(app: ASGIApp, host: str, port: int) -> Iterator[str]:
    """Serve an application for as long as the context lasts, in a thread of its own; gives its URL.

    Raises:
        SettingsError: the address cannot be used.
    """
    try:
        with bound(host, port) as free:
            pass
    except (OSError, UnicodeError) as error:
        raise unusable(host, port, error) from error
    settings: dict[str, Any] = {"log_level": "warning", "access_log": False, "lifespan": "off"}
    server = uvicorn.Server(uvicorn.Config(app, host=host, port=free, http=PatientProtocol, **settings))
    thread = threading.Thread(target=server.run, name="ldrps-service-http", daemon=True)
    thread.start()
    until = time.monotonic() + _START
    while not server.started:
        if not thread.is_alive() or time.monotonic() > until:
            raise unusable(host, port, OSError("the server did not start"))
        time.sleep(0.01)
    try:
        shown = f"[{host}]" if ":" in host else host
        yield f"http://{shown}:{free}/"
    finally:
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # which would tell of answers that are cut short
        server.should_exit = server.force_exit = True
        thread.join()
