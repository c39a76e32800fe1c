"""The client that waits for each answer."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, Self

import httpx

from ldrps.client.said import WAIT, Asking, Job, PictureSource, Restored, checked, error_of, event_of, restored_of


class Client(Asking):
    """A server, to be asked.

    Args:
        url: where it is, such as "http://localhost:7860".
        token: by which it knows whose jobs these are; "" if it asks for none.
        tries: how often a request is sent again that it has no room for, each time after as long as it says.
        transport: what sends requests, in place of httpx's own; for tests.
    """

    def __init__(
        self, url: str, token: str = "", *, tries: int = 5, transport: httpx.BaseTransport | None = None
    ) -> None:
        super().__init__(url, token, tries)
        self._http = httpx.Client(
            base_url=self._url, headers=self._headers, timeout=WAIT, transport=transport, trust_env=transport is None
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *left: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()

    def restore(
        self,
        image: PictureSource,
        *,
        mask: PictureSource | None = None,
        protect: PictureSource | None = None,
        deadline: float = 120.0,
        key: str = "",
        **settings: Any,
    ) -> Restored:
        """Restore a picture, and wait for it, for so many seconds; `settings` are those of `ldrps.restore`.

        Raises:
            ServiceError: the server refuses it, or it fails, or takes longer.
        """
        form = self.form(image, mask, protect, key, settings)
        return restored_of(self._send("POST", "/v1/restore", params={"deadline": deadline}, wait=deadline, **form))

    def submit(
        self,
        image: PictureSource,
        *,
        mask: PictureSource | None = None,
        protect: PictureSource | None = None,
        key: str = "",
        **settings: Any,
    ) -> Job:
        """Give a picture to be restored. With the same `key` the same request is one job, however often it is sent.

        Raises:
            ServiceError: the server refuses it.
        """
        form = self.form(image, mask, protect, key, settings)
        return Job.of(self._send("POST", "/v1/jobs", **form).json())

    def job(self, name: str) -> Job:
        """How far a job is.

        Raises:
            ServiceError: there is none, or no more.
        """
        return Job.of(self._send("GET", f"/v1/jobs/{name}").json())

    def watch(self, name: str) -> Iterator[Job]:
        """A job each time that something has changed, until it is over, or forgotten.

        Raises:
            ServiceError: there is none, or no more.
        """
        with self._http.stream("GET", f"/v1/jobs/{name}/events") as response:
            if response.is_error:
                response.read()
                raise error_of(response)
            for line in response.iter_lines():
                if (plain := event_of(line)) is not None:
                    yield Job.of(plain)

    def result(self, name: str) -> bytes:
        """The file of the restored picture of a job that is done.

        Raises:
            ServiceError: it is not, or has failed.
        """
        return self._send("GET", f"/v1/jobs/{name}/result").content

    def forget(self, name: str) -> None:
        """Cancel a job, and have all of it deleted.

        Raises:
            ServiceError: there is none.
        """
        self._send("DELETE", f"/v1/jobs/{name}")

    def limits(self) -> dict[str, Any]:
        """What the server takes, and what it refuses."""
        limits: dict[str, Any] = self._send("GET", "/v1/limits").json()
        return limits

    def _send(self, method: str, path: str, wait: float = 0.0, **content: Any) -> httpx.Response:
        for number in range(self._tries + 1):
            timeout = httpx.Timeout(WAIT, read=WAIT + wait)
            response = self._http.request(method, path, timeout=timeout, **content)
            if (pause := self.pause(response, number)) is None:
                break
            time.sleep(pause)
        return checked(response)
