"""Waiting for a job for somebody who may hang up."""

from __future__ import annotations

import asyncio
import contextlib

from starlette.requests import Request

from ldrps.service.problems import Problem
from ldrps.service.service import Service


async def over_or_left(request: Request, service: Service, name: str, deadline: float, *, stays: bool) -> bool:
    """Wait for a job; whether it is over. If who asked leaves before, it is cancelled, unless it `stays`.

    Raises:
        Problem: who asked has left, and will not see it.
    """
    waiting = asyncio.ensure_future(service.over(name, deadline))
    leaving = asyncio.ensure_future(_left(request))
    try:
        await asyncio.wait({waiting, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if waiting.done():
            return waiting.result()
        if not stays:
            await asyncio.to_thread(service.queue.forget, name)
        raise Problem(499, "the connection was closed before the end")
    finally:
        for task in (waiting, leaving):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def _left(request: Request) -> None:
    """Wait until who asked is gone; the body has been read."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
