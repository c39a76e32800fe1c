"""What the service does when too many ask, hang up, are slow, or send too much.

    python benchmarks/service.py [crowd leaving slow large] [--requests 500] [--waiting 64] [--leave 20] [--slow 1000]

Each part prints its figures as a line of JSON; the exit code is 1 if one of them is not what it must be. The machine
should have no other work; seconds of a processor stand beside those of the clock, to tell. The server is
`ldrps serve --no-page` in a process of its own, with the embedded prior; pictures are small, so that its queue moves.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import io
import json
import os
import random
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from PIL import Image

Figures = dict[str, Any]
_TOKEN = "token-of-the-benchmark"
_HEADERS = {"Authorization": f"Bearer {_TOKEN}"}
_LONG = 3600.0  # seconds: what is not there by then never will be


def picture(side: int, seed: int = 0) -> bytes:
    """A noisy ramp as the bytes of a PNG."""
    rng = np.random.default_rng(seed)
    ramp = np.add.outer(np.linspace(60, 120, side), np.linspace(0, 60, side))[..., None]
    data = io.BytesIO()
    Image.fromarray((ramp + rng.normal(0, 20, (side, side, 3))).clip(0, 255).astype(np.uint8)).save(data, "PNG")
    return data.getvalue()


class Server:
    """A server in a process of its own, and what it takes.

    Args:
        root: for its jobs and its log.
        waiting: jobs that may wait.
    """

    def __init__(self, root: Path, waiting: int) -> None:
        self.folder, self.log = root / "jobs", root / "server.log"
        words = ["serve", "--no-page", "--port", "0", "--jobs-folder", str(self.folder), "--max-waiting", str(waiting)]
        environment = os.environ | {"LDRPS_TOKENS": _TOKEN}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen([sys.executable, "-m", "ldrps", *words], stderr=log, env=environment)
        while "programs find" not in (said := self.log.read_text()):
            assert self.process.poll() is None, said
            time.sleep(0.1)
        self.url = said.partition("programs find ")[2].partition("/v1")[0]
        host, port = self.url.removeprefix("http://").split(":")
        self.address = host, int(port)

    def end(self) -> None:
        """Stop it in order."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()

    def mebibytes(self) -> float:
        """Resident memory of the server, without the process that restores."""
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(text.partition("VmRSS:")[2].split()[0]) / 1024

    def seconds(self) -> float:
        """Seconds of processors that the server has taken, without the process that restores."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def gauges(self) -> dict[str, float]:
        """What it says of itself."""
        lines = httpx.get(f"{self.url}/metrics", timeout=_LONG, trust_env=False).text.splitlines()
        pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
        return {name: float(value) for name, value in pairs}

    def idle(self) -> float:
        """Wait until nothing waits and nothing is at work; the seconds that it took."""
        began = time.monotonic()
        while (gauges := self.gauges())["ldrps_queue_jobs"] or gauges["ldrps_running"]:
            time.sleep(0.05)
        return time.monotonic() - began


def _request(data: bytes, seed: int) -> bytes:
    """A whole request, as it goes over the line: the client is to cost next to nothing."""
    settings = json.dumps({"preset": "fast", "seed": seed}).encode()
    body = b'--x\r\nContent-Disposition: form-data; name="image"\r\n\r\n' + data
    body += b'\r\n--x\r\nContent-Disposition: form-data; name="settings"\r\n\r\n' + settings + b"\r\n--x--\r\n"
    head = (
        f"POST /v1/restore?deadline=600 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {_TOKEN}\r\nConnection: close\r\n"
    )
    head += f"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return head.encode() + body


@dataclass(frozen=True)
class Answer:
    """What came of a request of a crowd.

    Attributes:
        status: of the answer.
        took, spent: seconds to the answer from when all were sent: of the clock, and of a processor, of the server.
        job: its name; "" for none.
        again: whether the answer says when to come again.
    """

    status: int
    took: float
    spent: float
    job: str
    again: bool


async def _asked(server: Server, gate: asyncio.Event, request: bytes) -> Answer:
    """Send a request when the gate opens."""
    reader, writer = await asyncio.open_connection(*server.address)
    await gate.wait()
    began, before = time.monotonic(), server.seconds()
    writer.write(request)
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    took, spent = time.monotonic() - began, server.seconds() - before
    writer.close()
    headers = dict(line.split(": ", 1) for line in head.splitlines()[1:] if ": " in line)
    return Answer(int(head[9:12]), took, spent, headers.get("ldrps-job", ""), "retry-after" in headers)


def crowd(server: Server, requests: int, waiting: int, side: int) -> Figures:
    """Many ask at the same time: who is taken is served, once, and the rest is told at once."""
    before, data = server.mebibytes(), picture(side)
    peak = before

    async def ask() -> list[Answer]:
        gate = asyncio.Event()
        tasks = [asyncio.create_task(_asked(server, gate, _request(data, number))) for number in range(requests)]
        await asyncio.sleep(5)  # for all of them to be connected
        gate.set()
        return list(await asyncio.gather(*tasks))

    answers = asyncio.run(ask())
    peak = max(peak, server.mebibytes())
    taken = [each for each in answers if each.status == 200]
    refused = [each for each in answers if each.status == 429]
    others = [each.status for each in answers if each.status not in (200, 429)]
    names = {each.job for each in taken}
    late, spent = _late(each.took for each in refused), _late(each.spent for each in refused)
    # While they come a few jobs may end, for which as many more are taken.
    good = (
        not others
        and min(requests, waiting + 1) <= len(taken) <= waiting + 6
        and len(names) == len(taken)
        and late <= 1.0
    )
    good = good and all(each.again for each in refused) and peak - before < 100
    return {
        **{"test": "crowd", "good": good, "requests": requests, "waiting": waiting, "taken": len(taken)},
        **{"names": len(names), "refused": len(refused), "others": others},
        **{"refused_p99": round(late, 3), "refused_p99_of_processor": round(spent, 3)},
        **{
            "slowest_taken": round(max((each.took for each in taken), default=0.0), 1),
            "more_mib": round(peak - before, 1),
        },
    }


def _late(seconds: Iterable[float]) -> float:
    """After which all have come but one in a hundred."""
    some = sorted(seconds)
    return some[int(0.99 * (len(some) - 1))] if some else 0.0


def leaving(server: Server, times: int, side: int, seed: int = 0) -> Figures:
    """Who asked hangs up at random instants: the server is free within a step, and keeps nothing."""
    chance, data = random.Random(seed), picture(side)
    before, longest = server.mebibytes(), 0.0
    body: Any = {"files": {"image": data}, "data": {"settings": '{"preset": "best"}'}}
    began = time.monotonic()
    httpx.post(f"{server.url}/v1/restore", **body, headers=_HEADERS, timeout=_LONG, trust_env=False)
    whole = time.monotonic() - began
    for _ in range(times):
        with contextlib.suppress(httpx.TimeoutException):
            patience = chance.uniform(0.05, 0.9) * whole
            httpx.post(f"{server.url}/v1/restore", **body, headers=_HEADERS, timeout=patience, trust_env=False)
        longest = max(longest, server.idle())
    done = server.gauges().get('ldrps_jobs_total{outcome="cancelled"}', 0)
    left = len([entry for entry in server.folder.iterdir() if entry.is_dir()])
    grown = server.mebibytes() - before
    good = longest <= max(2.5, whole / 2) and done >= 1 and grown < 50
    return {
        **{"test": "leaving", "good": good, "times": times, "cancelled": int(done), "whole": round(whole, 2)},
        **{"longest_until_idle": round(longest, 2), "folders_left": left, "more_mib": round(grown, 1)},
    }


@contextlib.contextmanager
def slow_lines(server: Server, count: int) -> Iterator[list[socket.socket]]:
    """Clients that have sent the beginning of a form and nothing more."""
    head = "POST /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Length: 99999\r\n"
    head += f"Authorization: Bearer {_TOKEN}\r\nContent-Type: multipart/form-data; boundary=x\r\n\r\n"
    head += '--x\r\nContent-Disposition: form-data; name="image"\r\n\r\n'
    lines = []
    for number in range(count):
        lines.append(socket.create_connection(server.address, 60))
        lines[-1].sendall(head.encode() if number % 2 else head[:40].encode())  # in the body, or in the head
    try:
        yield lines
    finally:
        for line in lines:
            line.close()


def slow(server: Server, count: int, side: int) -> Figures:
    """Slow clients are in nobody's way, and are given up."""
    body: Any = {"files": {"image": picture(side)}, "data": {"settings": '{"preset": "fast"}'}}

    def quick() -> float:
        began = time.monotonic()
        answer = httpx.post(f"{server.url}/v1/restore", **body, headers=_HEADERS, timeout=_LONG, trust_env=False)
        assert answer.status_code == 200, answer.text
        return time.monotonic() - began

    alone, before = quick(), server.mebibytes()
    with slow_lines(server, count) as lines:
        beside, grown = quick(), server.mebibytes() - before
        began, ended = time.monotonic(), 0
        for line in lines:
            line.settimeout(60)
            with contextlib.suppress(OSError):
                while line.recv(4096):
                    pass
                ended += 1
        took = time.monotonic() - began
    good = ended == count and beside < 3 * alone + 2
    return {
        **{"test": "slow", "good": good, "clients": count, "given_up": ended, "after": round(took, 1)},
        **{"quick_alone": round(alone, 2), "quick_beside": round(beside, 2), "more_mib": round(grown, 1)},
    }


def large(server: Server, length: int = 2**30) -> Figures:
    """A body of a GiB is refused from its length, and one that does not tell it at the limit."""
    before = server.mebibytes()
    figures: Figures = {}
    for name, told in (("told", f"Content-Length: {length}"), ("untold", "Transfer-Encoding: chunked")):
        with socket.create_connection(server.address, 60) as line:
            head = f"POST /v1/jobs HTTP/1.1\r\nHost: x\r\n{told}\r\nAuthorization: Bearer {_TOKEN}\r\n"
            line.sendall(f"{head}Content-Type: multipart/form-data; boundary=x\r\n\r\n".encode())
            sent, began = 0, time.monotonic()
            start = b'--x\r\nContent-Disposition: form-data; name="image"\r\n\r\n'
            chunk = bytes(2**20)
            with contextlib.suppress(OSError):
                while name == "untold" and sent < length:
                    piece = start + chunk if not sent else chunk
                    line.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
                    sent += len(piece)
            answer = b""
            with contextlib.suppress(OSError):
                answer = line.recv(4096)
            status = answer[9:12].decode() or "closed"
            figures[name] = {"status": status, "mib_sent": sent >> 20, "seconds": round(time.monotonic() - began, 2)}
    grown = server.mebibytes() - before
    good = figures["told"]["status"] == "413" and figures["untold"]["mib_sent"] < 200 and grown < 20
    return {"test": "large", "good": good, **figures, "more_mib": round(grown, 1)}


def main() -> None:
    """Run the parts that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", default=["crowd", "leaving", "slow", "large"])
    parser.add_argument("--requests", type=int, default=500)
    parser.add_argument("--waiting", type=int, default=64)
    parser.add_argument("--leave", type=int, default=20)
    parser.add_argument("--slow", type=int, default=1000)
    parser.add_argument("--side", type=int, default=96, help="of the pictures, in pixels")
    given = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # a file for each connection
    good = True
    with tempfile.TemporaryDirectory() as root:
        server = Server(Path(root), given.waiting)
        try:
            for part in given.parts:
                made = {
                    "crowd": lambda: crowd(server, given.requests, given.waiting, given.side),
                    "leaving": lambda: leaving(server, given.leave, 4 * given.side),
                    "slow": lambda: slow(server, given.slow, given.side),
                    "large": lambda: large(server),
                }[part]()
                print(json.dumps(made), flush=True)
                good = good and made["good"]
        finally:
            server.end()
    sys.exit(not good)


if __name__ == "__main__":
    main()
