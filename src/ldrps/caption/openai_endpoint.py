"""Captions from any endpoint that speaks OpenAI's protocol: OpenAI itself, vLLM, Ollama, llama.cpp, LM Studio."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import os
import queue
import random
import threading
import time
from time import sleep
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ldrps.caption.base import NO_HINTS, Caption, Hints
from ldrps.caption.failure import MOST_BYTES, Failure, refusal, repeats, told_reason, too_long
from ldrps.caption.prompt import PROMPT, clean_answer
from ldrps.errors import CaptionError, InputError, how_to_install
from ldrps.printable import printable

if TYPE_CHECKING:
    from PIL import Image

DEFAULT_URL = "https://api.openai.com/v1"

_SIDE = 512  # pixels of the picture that is sent
_TRIES = 3
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 10.0  # seconds
_GRACE = 1.0  # seconds after the time-out in which a try must have put its things away
_SCHEMA = {
    "type": "object",
    "properties": {"caption": {"type": "string"}},
    "required": ["caption"],
    "additionalProperties": False,
}
_STRUCTURED = {"type": "json_schema", "json_schema": {"name": "caption", "strict": True, "schema": _SCHEMA}}


class OpenAIEndpoint:
    """Asks a language model that sees pictures. Waits for no longer than it was told, whatever the server does.

    The key is read from OPENAI_API_KEY alone, and is in no message, log or result.

    Args:
        model: its name, as the endpoint knows it.
        url: the base URL, such as http://localhost:11434/v1; None takes OPENAI_BASE_URL, else OpenAI's own.
        prompt: what is asked.
        timeout: seconds for each of at most three tries, in all; what timed out is not tried again.

    Raises:
        InputError: the package openai is missing, the URL or the time-out cannot be used, or OpenAI's own endpoint
            is meant and there is no key.
    """

    def __init__(self, model: str, *, url: str | None = None, prompt: str = PROMPT, timeout: float = 30.0) -> None:
        try:
            import openai  # noqa: F401
        except ImportError as error:
            raise InputError(f"captions of an endpoint need the package openai: {how_to_install('caption')}") from error
        given = url or os.environ.get("OPENAI_BASE_URL")
        self.name = printable(f"openai:{model}")
        self.url = given or DEFAULT_URL
        self._host = _host(self.url)
        self._key = _key(own_server=bool(given))
        if not 0 < timeout <= 3600:
            raise InputError(f"the time-out of captions is {timeout}; it must be above 0, at most 3600 seconds")
        self._model, self._prompt, self._timeout = model, prompt, timeout
        self._structured = True

    def describe(self, image: Image.Image, hints: Hints = NO_HINTS) -> Caption:
        """What the model says of the picture, which is sent with at most 512 pixels a side.

        Raises:
            CaptionError: no answer in time, or none that can be used.
        """
        began = time.perf_counter()
        try:
            text = clean_answer(_content(self._ask(_data_url(image))))
        except Failure as failure:
            raise CaptionError(f"{self.name} {failure}") from None
        except CaptionError as error:
            raise CaptionError(f"{self.name}: {error}") from None
        if repeats(self._key, text):
            raise CaptionError(f"{self.name}: the answer repeats the key")
        return Caption(text, source=self.name, seconds=time.perf_counter() - began)

    def _ask(self, picture: str) -> bytes:
        """The body of the answer, structured if the server knows how."""
        content = [{"type": "text", "text": self._prompt}, {"type": "image_url", "image_url": {"url": picture}}]
        request = {"model": self._model, "messages": [{"role": "user", "content": content}]}
        if self._structured:
            try:
                return self._persist(request | {"response_format": _STRUCTURED})
            except Failure as failure:
                if failure.status not in (400, 422):
                    raise
        answer = self._persist(request)
        self._structured = False  # the same without a schema was no bad request, so the next is asked that way
        return answer

    def _persist(self, request: dict[str, Any]) -> bytes:
        for number in range(1, _TRIES + 1):
            try:
                return self._try(request)
            except Failure as failure:
                if not failure.again or number == _TRIES:
                    raise
                pause = failure.pause
            if pause is None:
                pause = _FIRST_PAUSE * 2 ** (number - 1) * random.uniform(0.75, 1.25)
            sleep(min(pause, _LONGEST_PAUSE))
        raise AssertionError  # the last try returns or raises

    def _try(self, request: dict[str, Any]) -> bytes:
        """One request, in a thread that is left behind if it does not end: a resolver knows no time-out."""
        box: queue.SimpleQueue[bytes | BaseException] = queue.SimpleQueue()

        def work() -> None:
            try:
                box.put(asyncio.run(self._send(request)))
            except BaseException as error:
                box.put(error)

        threading.Thread(target=work, name="caption", daemon=True).start()
        try:
            answer = box.get(timeout=self._timeout + _GRACE)
        except queue.Empty:
            answer = TimeoutError()
        if isinstance(answer, bytes):
            return answer
        raise self._failure(answer) from None

    async def _send(self, request: dict[str, Any]) -> bytes:
        import openai

        refused: list[Failure] = []

        async def look(response: Any) -> None:
            """Sees the head of an answer before any of its body is read, which for an error nobody else bounds."""
            reason = "" if response.status_code == 200 else await told_reason(response, self._key)
            failure = refusal(response.status_code, response.headers, reason)
            if failure is not None:
                refused.append(failure)
                raise failure

        body = bytearray()
        try:
            async with asyncio.timeout(self._timeout):
                http = openai.DefaultAsyncHttpxClient(event_hooks={"response": [look]}, follow_redirects=False)
                async with openai.AsyncOpenAI(
                    api_key=self._key, base_url=self.url, timeout=self._timeout, max_retries=0, http_client=http
                ) as client:
                    create: Any = client.chat.completions.with_streaming_response.create
                    # A compressed answer could be small on the way and large here.
                    async with create(**request, extra_headers={"Accept-Encoding": "identity"}) as response:
                        async for chunk in response.iter_bytes():
                            body += chunk
                            if len(body) > MOST_BYTES:
                                raise too_long()
        except Exception:
            if refused:
                raise refused[0] from None
            raise
        return bytes(body)

    def _failure(self, error: BaseException) -> Failure:
        """What an exception means. Its text is not repeated: it may quote the request."""
        import openai

        if isinstance(error, Failure):
            return error
        kinds = {kind.__name__ for kind in type(error).__mro__}  # of httpx or httpx2, as the version of openai has it
        if isinstance(error, TimeoutError | openai.APITimeoutError) or "TimeoutException" in kinds:
            return Failure(f"timed out after {self._timeout:g} s")
        reachable = isinstance(error, openai.APIConnectionError | OSError) or "TransportError" in kinds
        if reachable:
            return Failure(f"cannot be reached at {self._host}, or hung up", again=True)
        return Failure(f"could not be asked ({type(error).__name__})")


def _key(own_server: bool) -> str:
    key = os.environ.get("OPENAI_API_KEY", "").strip()
    if not key and not own_server:
        raise InputError("there is no key for OpenAI: set OPENAI_API_KEY, or give the URL of a server of your own")
    if not (key.isascii() and key.isprintable()):
        raise InputError("OPENAI_API_KEY holds characters that no key has: copy it again")
    return key or "-"


def _host(url: str) -> str:
    """Host and port of a URL, without what else it may hold."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InputError("the URL of the captions' endpoint cannot be used: give one such as http://localhost:11434/v1")
    return f"{parts.hostname}:{port}" if port else parts.hostname


def _data_url(image: Image.Image) -> str:
    small = image.convert("RGB")
    small.thumbnail((_SIDE, _SIDE))
    small.info.clear()  # a comment, for one, is nobody's business
    data = io.BytesIO()
    small.save(data, "JPEG", quality=88)
    return f"data:image/jpeg;base64,{base64.b64encode(data.getvalue()).decode('ascii')}"


def _content(body: bytes) -> str:
    """The text of a chat completion."""
    try:
        message = json.loads(body)["choices"][0]["message"]
        content = message["content"]
        if content is None and message.get("refusal"):
            raise CaptionError("the answer is a refusal")
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise Failure("answered with something that is no chat completion") from None
    if not isinstance(content, str):
        raise Failure("answered without text")
    return content
