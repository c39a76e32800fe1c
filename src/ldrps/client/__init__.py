"""Asking a server of ldrps, `ldrps serve`, from Python: a few names for its addresses. Needs httpx, and no torch.

    with Client("http://localhost:7860", token="...") as client:
        restored = client.restore("dark.jpg", preset="fast", strength={"tone": 0.5})
        Path("lit.jpg").write_bytes(restored.picture)

        job = client.submit("noisy.png", seed=3)
        for job in client.watch(job.id):
            print(job.state, job.place, job.share)
        Path("clean.png").write_bytes(client.result(job.id))

`AsyncClient` has the same names; each is awaited, and `watch` is an `async for`.
"""

from __future__ import annotations

from ldrps.client.awaited import AsyncClient
from ldrps.client.said import Job, PictureSource, Restored, ServiceError
from ldrps.client.waiting import Client

__all__ = ["AsyncClient", "Client", "Job", "PictureSource", "Restored", "ServiceError"]
