"""An endpoint on this machine that answers as it is told, well or badly."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from conftest import PATIENCE

KEY = "sk-0123456789-very-secret"
Act = Callable[[BaseHTTPRequestHandler], None]


class Endpoint:
    """Carries out `script`, an act for each request; the last is repeated.

    Attributes:
        requests: the bodies of all requests.
        keys: their Authorization headers.
        encodings: their Accept-Encoding headers.
        sent: bytes of endless answers that were taken off its hands.
        busy: how many requests it is at work on.
    """

    def __init__(self) -> None:
        self.script: list[Act] = []
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.encodings: list[str] = []
        self.sent = 0
        self.busy = 0
        self.over = threading.Event()
        self.url = ""
        self._counting = threading.Lock()

    def act(self, handler: BaseHTTPRequestHandler) -> None:
        with self._counting:
            self.busy += 1
        try:
            self._act(handler)
        finally:
            with self._counting:
                self.busy -= 1

    def _act(self, handler: BaseHTTPRequestHandler) -> None:
        body = json.loads(handler.rfile.read(int(handler.headers["content-length"])))
        self.requests.append(body)
        self.keys.append(handler.headers.get("authorization", ""))
        self.encodings.append(handler.headers.get("accept-encoding", ""))
        act = self.script[min(len(self.requests), len(self.script)) - 1]
        act(handler)

    @staticmethod
    def body(data: bytes, status: int = 200, **headers: str) -> Act:
        def act(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(status)
            for name, value in {"content_length": str(len(data)), **headers}.items():
                handler.send_header(name.replace("_", "-"), value)
            handler.end_headers()
            handler.wfile.write(data)

        return act

    def content(self, content: Any, **message: Any) -> Act:
        completion = {"choices": [{"message": {"role": "assistant", "content": content, **message}}]}
        return self.body(json.dumps(completion).encode(), content_type="application/json")

    def good(self, text: str = "a red car") -> Act:
        return self.content(json.dumps({"caption": text}))

    def plain(self, text: str = "a red car") -> Act:
        """A server that knows nothing of schemas and refuses them."""

        def act(handler: BaseHTTPRequestHandler) -> None:
            refused = "response_format" in self.requests[-1]
            (self.status(400) if refused else self.content(text))(handler)

        return act

    def status(self, status: int, **headers: str) -> Act:
        return self.body(f"no, {KEY} is not welcome".encode(), status, **headers)

    def hang(self, handler: BaseHTTPRequestHandler) -> None:
        self.over.wait(PATIENCE)

    def drip(self, handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        self._drop_by_drop(handler)

    def drip_head(self, handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nx-long: ")
        self._drop_by_drop(handler)

    def endless(self, status: int = 200) -> Act:
        def act(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(status)
            handler.end_headers()
            while not self.over.is_set() and self.sent < 200_000_000:
                handler.wfile.write(b" " * 65_536)
                self.sent += 65_536

        return act

    def hang_up(self, handler: BaseHTTPRequestHandler) -> None:
        handler.close_connection = True

    def _drop_by_drop(self, handler: BaseHTTPRequestHandler) -> None:
        end = time.monotonic() + PATIENCE
        while not self.over.wait(0.05) and time.monotonic() < end:
            handler.wfile.write(b" ")
            handler.wfile.flush()


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Endpoint]:
    """The endpoint, in the environment that users set for it."""
    made = Endpoint()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            try:
                made.act(self)
            except OSError:  # the other side has left
                self.close_connection = True

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    made.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "OPENAI_MODEL", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("OPENAI_BASE_URL", made.url)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("LDRPS_CACHE", str(tmp_path / "cache"))
    yield made
    made.over.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def hurried(endpoint: Endpoint) -> Callable[[Callable[[float], None]], None]:
    """Tries something that times out with a time-out of half a second, and with a longer one where the endpoint has
    not got the question by then: an answer that takes too long is meant, not a question.
    """

    def hurry(ask: Callable[[float], None]) -> None:
        for timeout in (0.5, 4.0, 30.0):
            endpoint.requests.clear()
            ask(timeout)
            if endpoint.requests:
                return
        raise AssertionError("the endpoint was not asked within 30 seconds")

    return hurry


@pytest.fixture
def key() -> str:
    return KEY


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that would have been waited between tries."""
    from ldrps.caption import openai_endpoint

    waited: list[float] = []
    monkeypatch.setattr(openai_endpoint, "sleep", waited.append)
    return waited


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """The offline captioner with a classifier that takes everything for a golden retriever."""
    import torch

    from ldrps.caption import chain
    from ldrps.caption.offline import OfflineCaptioner
    from ldrps.caption.tagger import Tagger

    class Certain:
        def logits(self, x: torch.Tensor) -> torch.Tensor:
            return torch.zeros(len(x), 1000).index_fill_(1, torch.tensor([207]), 20.0)

    certain: Any = Certain()
    monkeypatch.setattr(chain, "_offline", lambda: OfflineCaptioner(Tagger(certain)))
