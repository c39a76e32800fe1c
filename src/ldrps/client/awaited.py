"""The client whose answers are awaited."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Self

import httpx

from ldrps.client.said import WAIT, Asking, Job, PictureSource, Restored, checked, error_of, event_of, restored_of


class AsyncClient(Asking):
    """The same as `Client`, which see, for programs that do other things meanwhile."""

    def __init__(
        self, url: str, token: str = "", *, tries: int = 5, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        super().__init__(url, token, tries)
        self._http = httpx.AsyncClient(
            base_url=self._url, headers=self._headers, timeout=WAIT, transport=transport, trust_env=transport is None
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *left: object) -> None:
        await self.close()

    async def close(self) -> None:
        """As `Client.close`."""
        await self._http.aclose()

    async def restore(
        self,
        image: PictureSource,
        *,
        mask: PictureSource | None = None,
        protect: PictureSource | None = None,
        deadline: float = 120.0,
        key: str = "",
        **settings: Any,
    ) -> Restored:
        """As `Client.restore`; cancelled, it cancels the job."""
        form = self.form(image, mask, protect, key, settings)
        return restored_of(
            await self._send("POST", "/v1/restore", params={"deadline": deadline}, wait=deadline, **form)
        )

    async def submit(
        self,
        image: PictureSource,
        *,
        mask: PictureSource | None = None,
        protect: PictureSource | None = None,
        key: str = "",
        **settings: Any,
    ) -> Job:
        """As `Client.submit`."""
        form = self.form(image, mask, protect, key, settings)
        return Job.of((await self._send("POST", "/v1/jobs", **form)).json())

    async def job(self, name: str) -> Job:
        """As `Client.job`."""
        return Job.of((await self._send("GET", f"/v1/jobs/{name}")).json())

    async def watch(self, name: str) -> AsyncIterator[Job]:
        """As `Client.watch`."""
        async with self._http.stream("GET", f"/v1/jobs/{name}/events") as response:
            if response.is_error:
                await response.aread()
                raise error_of(response)
            async for line in response.aiter_lines():
                if (plain := event_of(line)) is not None:
                    yield Job.of(plain)

    async def result(self, name: str) -> bytes:
        """As `Client.result`."""
        return (await self._send("GET", f"/v1/jobs/{name}/result")).content

    async def forget(self, name: str) -> None:
        """As `Client.forget`."""
        await self._send("DELETE", f"/v1/jobs/{name}")

    async def limits(self) -> dict[str, Any]:
        """As `Client.limits`."""
        limits: dict[str, Any] = (await self._send("GET", "/v1/limits")).json()
        return limits

    async def _send(self, method: str, path: str, wait: float = 0.0, **content: Any) -> httpx.Response:
        for number in range(self._tries + 1):
            timeout = httpx.Timeout(WAIT, read=WAIT + wait)
            response = await self._http.request(method, path, timeout=timeout, **content)
            if (pause := self.pause(response, number)) is None:
                break
            await asyncio.sleep(pause)
        return checked(response)
