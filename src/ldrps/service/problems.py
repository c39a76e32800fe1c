"""What is wrong with a request, as programs are told: RFC 9457, `application/problem+json`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from ldrps.errors import LdrpsError

if TYPE_CHECKING:
    from starlette.responses import JSONResponse

MEDIA = "application/problem+json"


class Problem(LdrpsError):
    """A request that is not carried out.

    Args:
        status: of the answer.
        message: what is wrong: the value, the limit and the remedy.
        field: what of the request it is about; "" for no part of it.
        retry_after: seconds after which it may be tried again; None where that would not help.
        headers: of the answer, besides.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        field: str = "",
        retry_after: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.field = status, field
        self.headers = dict(headers or {})
        if retry_after is not None:
            self.headers["Retry-After"] = str(max(1, math.ceil(retry_after)))

    def __reduce__(self) -> tuple[Any, ...]:
        """For other processes, which would give the message alone."""
        return _again, (self.status, str(self), self.field, self.headers)

    def plain(self) -> dict[str, Any]:
        """As plain data for JSON."""
        about = {"type": "about:blank", "title": title(self.status), "status": self.status, "detail": str(self)}
        return about | ({"field": self.field} if self.field else {})

    def answer(self) -> JSONResponse:
        """The response."""
        from starlette.responses import JSONResponse  # which the command line does without

        return JSONResponse(self.plain(), self.status, self.headers, MEDIA)


def title(status: int) -> str:
    """The words that HTTP has for a status."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"


def _again(status: int, message: str, field: str, headers: dict[str, str]) -> Problem:
    return Problem(status, message, field=field, headers=headers)
