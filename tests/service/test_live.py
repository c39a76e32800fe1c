"""A real server, and the client against it: what only processes, sockets and signals can show."""

from __future__ import annotations

import asyncio
import io
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from conftest import PATIENCE, until
from PIL import Image

from ldrps.client import AsyncClient, Client, ServiceError
from tests.service.faked import png, restored_as_the_library_does
from tests.service.live import TOKEN, Server, files_of, server, until_gone

ROOT = Path(__file__).parents[2]
HEADERS = {"Authorization": f"Bearer {TOKEN}"}

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals")


@pytest.fixture(scope="module")
def running(tiny_prior_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with server(tiny_prior_folder, tmp_path_factory.mktemp("live") / "jobs", "--no-page", "--max-waiting", "2") as made:
        yield made


@pytest.fixture
def client(running: Server) -> Iterator[Client]:
    with Client(running.url, TOKEN, tries=0) as made:
        yield made


def test_a_picture_is_restored_as_the_library_does(client: Client, tiny_prior_folder: Path, tmp_path: Path) -> None:
    restored = restored_as_the_library_does(client, tiny_prior_folder, tmp_path)
    job = client.job(restored.job)
    assert job.is_over and job.damage is not None and "source" not in job.plain["record"]
    again = client.restore(png(), preset="fast", seed=3, strength={"tone": 0.0}, damage=dict(job.damage))
    assert again.picture == restored.picture
    client.forget(restored.job)
    with pytest.raises(ServiceError, match="there is no job"):
        client.job(restored.job)


def test_it_is_enlarged_masked_and_written_as_was_asked(client: Client) -> None:
    large = client.restore(png(), scale=2, format="jpeg", quality=80)
    assert large.media == "image/jpeg"
    assert Image.open(io.BytesIO(large.picture)).size == (96, 80)
    mask = io.BytesIO()
    Image.new("L", (48, 40), 255).save(mask, "PNG")
    kept = client.restore(png(), protect=mask.getvalue(), preset="fast")
    assert Image.open(io.BytesIO(kept.picture)).tobytes() == Image.open(io.BytesIO(png())).tobytes()


def test_what_only_reading_the_pixels_shows_is_told_without_a_path(client: Client, running: Server) -> None:
    with pytest.raises(ServiceError) as failed:
        client.restore(png()[:-400])
    assert failed.value.status == 422 and "the image" in str(failed.value) and "/" not in str(failed.value)


def test_the_other_client_does_the_same(running: Server) -> None:
    async def ask() -> None:
        async with AsyncClient(running.url, TOKEN) as client:
            job = await client.submit(png(), preset="fast", key="async")
            assert (await client.submit(png(), preset="fast", key="async")).id == job.id
            seen = [each async for each in client.watch(job.id)]
            assert seen[-1].state == "done" and seen[-1].share == 1.0
            assert Image.open(io.BytesIO(await client.result(job.id))).size == (48, 40)
            await client.forget(job.id)
            assert (await client.limits())["waiting"] == 2
            with pytest.raises(ServiceError, match="scale is 20") as refused:
                await client.restore(png(), scale=20)
            assert (refused.value.status, refused.value.field) == (422, "scale")

    asyncio.run(ask())


def test_a_full_queue_refuses_and_the_client_waits_for_room(running: Server, client: Client) -> None:
    jobs, refused = [], None
    while refused is None:
        try:
            jobs.append(client.submit(png(256, 256), preset="best"))
        except ServiceError as error:
            refused = error
    assert refused.status == 429 and refused.retry_after is not None and refused.retry_after >= 1
    assert len(jobs) >= 3
    for job in jobs[1:]:
        client.forget(job.id)
    assert client.submit(png(), preset="fast").state == "waiting"
    client.forget(jobs[0].id)


def test_who_hangs_up_cancels_the_job(running: Server, client: Client) -> None:
    with pytest.raises(httpx.TimeoutException):
        httpx.post(
            f"{running.url}/v1/restore",
            files={"image": png(700, 700)},
            headers=HEADERS,
            timeout=0.5,
            trust_env=False,
            data={"settings": '{"preset": "best"}'},
        )
    text = lambda: httpx.get(f"{running.url}/metrics", trust_env=False).text  # noqa: E731
    until(lambda: "ldrps_queue_jobs 0" in text() and "ldrps_running 0" in text())
    assert client.restore(png(), preset="fast").picture


def test_a_body_that_is_too_long_is_refused_at_once(running: Server) -> None:
    host, port = running.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), PATIENCE) as line:
        line.sendall(
            f"POST /v1/jobs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: {2**30}\r\n"
            "Content-Type: multipart/form-data; boundary=x\r\n\r\n".encode()
        )
        assert line.recv(100).startswith(b"HTTP/1.1 413")


def test_slow_clients_are_in_nobodys_way(running: Server, client: Client) -> None:
    host, port = running.url.removeprefix("http://").split(":")
    head = f"POST /v1/jobs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: 9999\r\n".encode()
    head += b'Content-Type: multipart/form-data; boundary=x\r\n\r\n--x\r\nContent-Disposition: form-data; name="image"'
    lines = [socket.create_connection((host, int(port)), PATIENCE) for _ in range(50)]
    for line in lines:
        line.sendall(head)
    assert client.restore(png(), preset="fast").picture
    for line in lines:
        line.close()


def test_the_examples_of_the_guide_work(running: Server, tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("needs curl")
    text = (ROOT / "docs" / "service.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    assert len(blocks) == 3
    (tmp_path / "noisy.png").write_bytes(png())
    script = f"set -e\nTOKEN={TOKEN}\nURL={running.url}\nexport NO_PROXY=*\n" + "\n".join(blocks)
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "event: done" in done.stdout
    for name in ("restored.png", "half.png"):
        assert Image.open(tmp_path / name).size == (48, 40)
    assert '"html_info"' in (tmp_path / "answer.json").read_text()


def test_jobs_that_wait_when_the_server_is_killed_are_all_done_once_by_the_next(
    tiny_prior_folder: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "jobs"
    with server(tiny_prior_folder, folder, "--no-page") as first, Client(first.url, TOKEN) as client:
        names = [client.submit(png(200, 200, seed=number), preset="best", key=str(number)).id for number in range(4)]
        until(lambda: client.job(names[0]).state != "waiting")
        until(lambda: client.job(names[1]).state != "waiting")
        first.kill()
    assert set(names) <= set(files_of(folder))
    with server(tiny_prior_folder, folder, "--no-page") as second, Client(second.url, TOKEN) as client:
        for number, name in enumerate(names):
            until(lambda name=name: client.job(name).is_over, every=0.1)
            assert client.job(name).state == "done"
            assert client.submit(png(200, 200, seed=number), preset="best", key=str(number)).id == name
            assert Image.open(io.BytesIO(client.result(name))).size == (200, 200)
        done = httpx.get(f"{second.url}/metrics", trust_env=False).text
        assert re.search(r'ldrps_jobs_total\{outcome="done"\} [34]\.0\n', done)
        assert "\nprocess_resident_memory_bytes " in done or sys.platform != "linux"
        assert "_created" not in done
        for name in names:
            client.forget(name)
        until_gone(folder)
        assert second.stop() == 143
        assert not any("Traceback" in line for line in second.said)


def test_the_page_and_programs_are_served_by_one_server(tiny_prior_folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("gradio")
    with server(tiny_prior_folder, tmp_path / "jobs") as both, Client(both.url, TOKEN) as client:
        page = httpx.get(both.url, trust_env=False)
        assert page.status_code == 200 and "gradio" in page.text
        assert client.restore(png(), preset="fast").picture
        assert httpx.get(f"{both.url}/readyz", trust_env=False).json() == {"status": "ready"}
        began = time.monotonic()
        assert both.stop() == 143
        assert time.monotonic() - began < PATIENCE


def test_a_second_server_is_told_that_the_folder_is_in_use(
    running: Server, tiny_prior_folder: Path, tmp_path: Path
) -> None:
    folder = running.process.args[running.process.args.index("--jobs-folder") + 1]  # type: ignore[union-attr, index]
    words = ["serve", "--no-page", "--port", "0", "--prior", str(tiny_prior_folder), "--jobs-folder", str(folder)]
    done = subprocess.run([sys.executable, "-m", "ldrps", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "is in use by another server" in done.stderr
