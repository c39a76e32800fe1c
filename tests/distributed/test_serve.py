"""The service on Ray Serve: a cluster of one machine, asked over HTTP; and what frees a replica."""

from __future__ import annotations

import asyncio
import inspect
import json
import socket
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from conftest import PATIENCE, until

pytest.importorskip("fastapi", reason="needs the packages of the extra serve")
ray = pytest.importorskip("ray", reason="needs Ray: pip install '.[ray-serve]'")
serve = pytest.importorskip("ray.serve", reason="needs Ray Serve: pip install '.[ray-serve]'")
from ldrps.client import Client, ServiceError  # noqa: E402
from ldrps.serve.work import Loader  # noqa: E402
from ldrps.service import deployment  # noqa: E402
from ldrps.service.ask import Ask  # noqa: E402
from ldrps.service.deployment import Options, Replica, Restored, app  # noqa: E402
from ldrps.service.limits import Limits  # noqa: E402
from ldrps.service.problems import Problem  # noqa: E402
from tests.service.faked import STEPS, FakePool, png, restored_as_the_library_does  # noqa: E402

TOKEN = "token-of-ann"
SLOWLY = {"RAY_DASHBOARD_STARTUP_TIMEOUT_S": "600", "RAY_worker_register_timeout_seconds": "600"}  # on busy machines
ENDLESS = {"preset": "best", "steps": 1000}  # of a picture of a megapixel: nobody waits for its end

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Ray Serve is not promised there")


@pytest.fixture(scope="module")
def url(tiny_prior_folder: Path) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**SLOWLY, "RAY_USAGE_STATS_ENABLED": "0", "LDRPS_TOKENS": TOKEN}.items():
            patch.setenv(name, value)
        ray.init(address="local", num_cpus=2, include_dashboard=False, logging_level="ERROR")
        try:
            serve.start(http_options={"host": "127.0.0.1", "port": port})
            options = Options(
                prior=str(tiny_prior_folder), dtype="float32", max_replicas=1, max_waiting=1, max_seconds=1e6
            )
            serve.run(app(options))
            yield f"http://127.0.0.1:{port}"
        finally:
            serve.shutdown()
            ray.shutdown()


@pytest.fixture
def client(url: str) -> Iterator[Client]:
    with Client(url, TOKEN, tries=0) as made:
        yield made


def test_a_picture_is_restored_as_the_library_does(client: Client, tiny_prior_folder: Path, tmp_path: Path) -> None:
    restored_as_the_library_does(client, tiny_prior_folder, tmp_path)


def test_what_is_wrong_is_told_as_the_service_tells_it(url: str, client: Client) -> None:
    assert client.limits()["waiting"] == 1
    for picture, settings, status, words in (
        (png(), {"scale": 20}, 422, "scale is 20"),
        (b"no picture", {}, 422, "the image is not an image"),
        (png()[:-400], {}, 422, "the image"),
    ):
        with pytest.raises(ServiceError, match=words) as refused:
            client.restore(picture, **settings)
        assert refused.value.status == status and "/" not in str(refused.value)
    answer = httpx.post(f"{url}/v1/restore", files={"image": png()}, trust_env=False, timeout=PATIENCE)
    assert answer.status_code == 401 and answer.headers["content-type"] == "application/problem+json"
    with pytest.raises(ServiceError, match=r"no result after 0\.01 s") as late:
        client.restore(png(), deadline=0.01)
    assert late.value.status == 504


def test_a_full_queue_refuses_and_who_hangs_up_frees_the_replica(url: str) -> None:
    with ThreadPoolExecutor(3) as crowd:
        asked = [crowd.submit(ask, url, png(1000, 1000), ENDLESS, 10) for _ in range(3)]
        refused = [answer for each in asked if (answer := each.result()) is not None]
    assert [each.status_code for each in refused] == [429] and int(refused[0].headers["retry-after"]) >= 1
    assert refused[0].json()["detail"].startswith("1 requests are waiting already")

    def is_restored() -> bool:
        # Those who left may have their places still.
        answer = ask(url, png(), {"preset": "fast"}, PATIENCE)
        assert answer is not None and answer.status_code in (200, 429)
        return answer.status_code == 200

    until(is_restored)


def ask(url: str, picture: bytes, settings: dict[str, object], seconds: float) -> httpx.Response | None:
    """Ask for a picture, and leave after so many seconds; the answer that came before."""
    try:
        return httpx.post(
            f"{url}/v1/restore",
            files={"image": picture},
            data={"settings": json.dumps(settings)},
            headers={"Authorization": f"Bearer {TOKEN}"},
            timeout=seconds,
            trust_env=False,
        )
    except httpx.TimeoutException:
        return None


def test_serve_run_sees_what_the_application_takes() -> None:
    assert inspect.signature(app).parameters["options"].annotation is Options, "a text would be given a dict"
    with pytest.raises(ValueError, match="max_replica\n"):
        Options.model_validate({"max_replica": "2"})


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch) -> FakePool:
    fake = FakePool()
    monkeypatch.setattr(deployment, "ProcessPool", lambda *args, **more: fake)
    for name in ("OMP_NUM_THREADS", "GOMP_SPINCOUNT"):  # which a replica sets in its process
        monkeypatch.setenv(name, "1")  # as it was comes back after the test
        monkeypatch.delenv(name)
    return fake


def test_a_cancel_reaches_the_next_step(pool: FakePool) -> None:
    replica = Replica(Loader(), Limits(), 1)
    files = {"image": png()}

    async def cancelled() -> Restored | Problem:
        left = asyncio.ensure_future(replica.restore(files, Ask()))
        pool.let(1)
        while pool.steps < 1:
            await asyncio.sleep(0.01)
        left.cancel()
        await asyncio.sleep(0)  # it is told
        next_one = asyncio.ensure_future(replica.restore(files, Ask()))
        pool.let(1)  # at the end of which the first stops
        with pytest.raises(asyncio.CancelledError):
            await left
        assert pool.done == []
        pool.let(STEPS + 1)
        return await next_one

    restored = asyncio.run(cancelled())
    assert isinstance(restored, Restored) and restored.data == files["image"] and restored.words


def test_a_process_that_is_lost_costs_its_picture_alone(pool: FakePool) -> None:
    replica = Replica(Loader(), Limits(), 1)
    pool.lost = 1
    pool.let(1)
    lost = asyncio.run(replica.restore({"image": png()}, Ask()))
    assert isinstance(lost, Problem) and lost.status == 500 and "ended by signal 9" in str(lost)
    pool.let()
    assert isinstance(asyncio.run(replica.restore({"image": png()}, Ask())), Restored)
