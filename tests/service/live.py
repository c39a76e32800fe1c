"""A server of its own, as users start it, on loopback, with the small prior."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from conftest import PATIENCE, until

TOKEN = "token-of-ann"


class Server:
    """A server in a process of its own."""

    def __init__(self, prior: Path, folder: Path, *words: str, tokens: str = TOKEN) -> None:
        command = [sys.executable, "-m", "ldrps", "serve", "--port", "0", "--prior", str(prior)]
        command += ["--dtype", "float32", "--jobs-folder", str(folder), *words]
        self.process = subprocess.Popen(
            command, stderr=subprocess.PIPE, text=True, env=os.environ | {"LDRPS_TOKENS": tokens}
        )
        assert self.process.stderr is not None
        self.said: list[str] = []
        for line in self.process.stderr:
            self.said.append(line)
            if "programs find" in line:
                break
        found = [word for word in "".join(self.said).split() if word.startswith("http://") and "/v1" in word]
        assert found, self.said
        self.url = found[0].partition("/v1")[0]

    def kill(self) -> None:
        """End it as nobody can prepare for."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(PATIENCE)

    def stop(self) -> int:
        """End it in order; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        _, rest = self.process.communicate(timeout=PATIENCE)
        self.said += rest.splitlines()
        return self.process.returncode


@contextlib.contextmanager
def server(prior: Path, folder: Path, *words: str) -> Iterator[Server]:
    made = Server(prior, folder, *words)
    try:
        yield made
    finally:
        if made.process.poll() is None:
            made.stop()


def files_of(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_dir())


def until_gone(folder: Path) -> None:
    until(lambda: files_of(folder) == [])
