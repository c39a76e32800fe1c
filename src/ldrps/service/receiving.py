"""Taking in the body of a request: what is too long, too slow or no form is refused while it arrives."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect, Request

from ldrps.service.limits import Limits, check_length
from ldrps.service.problems import Problem

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

FILES = ("image", "mask", "protect")  # the parts of a request that are files; `settings` is the other
_IN_MEMORY = 64 << 10  # bytes: so much of a file is kept in memory, so that who sends none takes no file either


@dataclass
class Received:
    """A request that has arrived.

    Attributes:
        folder: where its files are, under the names of their parts.
        parts: which there are.
        settings: as JSON.
        digest: of all of it.
    """

    folder: Path
    parts: tuple[str, ...] = ()
    settings: bytes = b""
    digest: str = ""

    @property
    def files(self) -> dict[str, Path]:
        return {part: self.folder / part for part in self.parts}


async def chunks(request: Request, limits: Limits, most: int) -> AsyncIterator[bytes]:
    """The body of a request, of at most so many bytes, as it comes.

    Raises:
        Problem: it is too long, or too slow, or ends too soon.
    """
    if (length := request.headers.get("content-length", "")).isdigit():
        check_length(int(length), most)
    stream, received, late = request.stream(), 0, ""
    until = asyncio.get_running_loop().time() + limits.arrival
    try:
        while True:
            left = until - asyncio.get_running_loop().time()
            late = f"{limits.pause:g} s without a byte" if limits.pause < left else f"{limits.arrival:g} s in all"
            async with asyncio.timeout(min(limits.pause, left)):
                chunk = await anext(stream, None)
            if chunk is None:
                return
            received += len(chunk)
            check_length(received, most)
            yield chunk
    except TimeoutError as error:
        raise Problem(
            408, f"the body came too slowly ({late} is the most): try again", headers={"Connection": "close"}
        ) from error
    except ClientDisconnect as error:
        raise Problem(400, "the connection was closed before the body had come") from error


async def receive_form(request: Request, folder: Path, limits: Limits) -> Received:
    """A form of the parts `image`, `mask`, `protect` and `settings`, whose files are put into a folder.

    Raises:
        Problem: as `chunks`; it is no such form.
    """
    kind, options = parse_options_header(request.headers.get("content-type"))
    if kind != b"multipart/form-data" or not options.get(b"boundary"):
        raise Problem(
            415,
            "the body must be multipart/form-data, with the picture as its part image",
            headers={"Accept-Post": "multipart/form-data"},
        )
    form = _Form(folder, limits)
    try:
        parser = MultipartParser(options[b"boundary"], form.callbacks())
        async for chunk in chunks(request, limits, limits.bytes):
            parser.write(chunk)
        parser.finalize()
    except FormParserError as error:
        raise Problem(400, f"the body is no multipart/form-data ({error}): send it again") from error
    finally:
        form.close()
    if not form.is_whole:
        raise Problem(400, "the body ends in the middle of a part: send it again")
    return form.received()


async def receive_text(request: Request, limits: Limits, most: int) -> bytes:
    """A body that is kept in memory, of at most so many bytes.

    Raises:
        Problem: as `chunks`.
    """
    body = bytearray()
    async for chunk in chunks(request, limits, most):
        body += chunk
    return bytes(body)


@dataclass
class _Part:
    """A part that is being received."""

    name: str
    digest: hashlib._Hash = field(default_factory=hashlib.sha256)
    length: int = 0
    begun: bytearray = field(default_factory=bytearray)
    file: BinaryIO | None = None

    def write(self, data: bytes, folder: Path) -> None:
        self.digest.update(data)
        self.length += len(data)
        if self.file is None:
            self.begun += data
            if len(self.begun) > _IN_MEMORY and self.name in FILES:
                self.open(folder)
        else:
            self.file.write(data)

    def open(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.file = (folder / self.name).open("wb")
        self.file.write(self.begun)
        self.begun.clear()


class _Form:
    """A form, as the parser tells of it."""

    def __init__(self, folder: Path, limits: Limits) -> None:
        self._folder, self._limits = folder, limits
        self._parts: dict[str, _Part] = {}
        self._header, self._value, self._disposition = b"", b"", b""
        self._part: _Part | None = None
        self.is_whole = False

    def callbacks(self) -> MultipartCallbacks:
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._on_field,
            "on_header_value": self._on_value,
            "on_header_end": self._on_header,
            "on_headers_finished": self._on_headers,
            "on_part_data": self._on_data,
            "on_end": self._on_end,
        }

    def received(self) -> Received:
        """What has come; its files are written to the disk.

        Raises:
            Problem: there is no picture.
        """
        if "image" not in self._parts or not self._parts["image"].length:
            raise Problem(422, "there is no picture: send it as the part image", field="image")
        whole = hashlib.sha256()
        for name in sorted(self._parts):
            whole.update(f"{name} {self._parts[name].digest.hexdigest()}\n".encode())
        settings = self._parts.get("settings")
        parts = tuple(name for name in FILES if name in self._parts)
        return Received(self._folder, parts, bytes(settings.begun) if settings else b"", whole.hexdigest())

    def close(self) -> None:
        """Write what is still in memory, if the form is whole, and close the files."""
        for part in self._parts.values():
            if self.is_whole and part.file is None and part.name in FILES:
                part.open(self._folder)
            if part.file is not None:
                part.file.close()

    def _begin(self) -> None:
        self._disposition, self._part = b"", None

    def _on_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _on_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._disposition = self._value
        self._header, self._value = b"", b""

    def _on_headers(self) -> None:
        _, options = parse_options_header(self._disposition)
        name = options.get(b"name", b"").decode("utf-8", "replace")
        known = (*FILES, "settings")
        if name not in known:
            raise Problem(422, f"the form has a part {name[:40]!r}; there are {', '.join(known)}", field=name[:40])
        if name in self._parts:
            raise Problem(422, f"the form has the part {name} twice: send one", field=name)
        self._part = self._parts[name] = _Part(name)

    def _on_data(self, data: bytes, start: int, end: int) -> None:
        part = self._part
        assert part is not None
        part.write(data[start:end], self._folder)
        if part.name == "settings" and part.length > self._limits.settings:
            raise Problem(
                413, f"the settings have more than {self._limits.settings:,} bytes, which is the most", field="settings"
            )

    def _on_end(self) -> None:
        self.is_whole = True
