"""The workshop of `crash.py`: small pictures, the command line in processes of its own, calls that fail, and trees."""

from __future__ import annotations

import io
import multiprocessing
import os
import sqlite3
import stat
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ldrps.folders.manifest import Manifest
from ldrps.folders.names import MANIFEST
from ldrps.folders.status import Place
from ldrps.run.job import Output

PRELOADED = [
    *("ldrps.cli", "ldrps.cli.bars", "ldrps.folders.feeding", "ldrps.folders.claiming"),
    *("ldrps.run.batch", "ldrps.run.process", "ldrps.prior.tiny.prior"),
]
_TRIES = """
CREATE TABLE tries (target BLOB);
CREATE TRIGGER first_try AFTER INSERT ON results BEGIN INSERT INTO tries VALUES (NEW.target); END;
CREATE TRIGGER next_try AFTER UPDATE ON results WHEN NEW.holder IS NOT NULL AND NEW.since IS NOT OLD.since
    BEGIN INSERT INTO tries VALUES (NEW.target); END;
"""


@dataclass(frozen=True)
class Bench:
    """A folder of small pictures, what an unbroken run makes of it, and how it is restored.

    Attributes:
        root: a folder for all of it; `pictures` is within.
        options: further words for `ldrps restore`.
    """

    root: Path
    options: Sequence[str] = ("--preset", "fast")

    @property
    def pictures(self) -> Path:
        return self.root / "pictures"

    def make(self, count: int, side: int) -> None:
        """Noisy pictures, a third of them in a folder within."""
        rng = np.random.default_rng(0)
        (self.pictures / "within").mkdir(parents=True)
        y, x = np.mgrid[0:side, 0 : side + 8] / side
        for number in range(count):
            clean = 0.4 + 0.2 * np.stack([np.sin(9 * x + number), np.cos(7 * y), np.sin(5 * (x + y))], -1)
            pixels = 255 * (clean + 0.08 * rng.standard_normal(clean.shape)).clip(0, 1)
            folder = self.pictures / "within" if number % 3 == 0 else self.pictures
            Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{number:04}.png")

    def begin(self, out: Path, *words: str, prepare: Callable[[], None] | None = None) -> BaseProcess:
        """Start `ldrps restore` on the folder, in a process of its own; what it says goes to OUT.log."""
        command = ["restore", str(self.pictures), "-r", "-o", str(out), *self.options, *words]
        return self.command(command, out.with_name(f"{out.name}.log"), prepare)

    def command(self, words: Sequence[str], log: Path, prepare: Callable[[], None] | None = None) -> BaseProcess:
        """Start `ldrps` with these words."""
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(PRELOADED)
        process = context.Process(target=_command, args=(list(words), log, prepare))
        process.start()
        return process

    def run(self, out: Path, *words: str, prepare: Callable[[], None] | None = None) -> int:
        """`begin`, and wait for the exit code."""
        process = self.begin(out, *words, prepare=prepare)
        process.join()
        assert process.exitcode is not None
        return process.exitcode

    def unbroken(self) -> dict[str, bytes]:
        """The tree that a run without any trouble makes; made once."""
        out = self.root / "unbroken"
        if not out.exists():
            code = self.run(out)
            assert code == 0, (self.root / "unbroken.log").read_text()
        return tree(out)


class Failing:
    """Lets the n-th call of a kind fail, in the process that calls this; `mark` is made when it did."""

    def __init__(self, call: str, n: int, number: int, mark: Path) -> None:
        self.call, self.left, self.number, self.mark = call, n, number, mark

    def __call__(self) -> None:
        if self.call == "write":
            really_open = io.open

            def open_counted(file: Any, mode: str = "r", *rest: Any, **named: Any) -> Any:
                opened = really_open(file, mode, *rest, **named)
                return _Counted(opened, self) if mode == "xb" else opened

            io.open = open_counted
            return
        really = getattr(os, self.call)

        def counted(first: Any, *rest: Any, **named: Any) -> Any:
            # Folders are synced where the system lets us, and it need not.
            if self.call != "fsync" or stat.S_ISREG(os.fstat(first).st_mode):
                self.count()
            return really(first, *rest, **named)

        setattr(os, self.call, counted)

    def count(self) -> None:
        """Fail if it is time."""
        self.left -= 1
        if self.left == 0:
            self.mark.touch()
            raise OSError(self.number, os.strerror(self.number))


class Waiting:
    """Lets the n-th link wait to be ended by a signal, in the process that calls this: it comes in the middle of the
    folder on any machine, fast or slow.
    """

    def __init__(self, n: int) -> None:
        self.left = n

    def __call__(self) -> None:
        really = os.link

        def waiting(*given: Any, **named: Any) -> None:
            self.left -= 1
            if self.left == 0:
                time.sleep(600)  # a signal that is not heeded lets it go on, and is found out
            really(*given, **named)

        os.link = waiting


class _Counted:
    """A file that was opened to be written."""

    def __init__(self, file: Any, failing: Failing) -> None:
        self.file, self.failing = file, failing

    def write(self, data: bytes) -> int:
        self.failing.count()
        return int(self.file.write(data))

    def __enter__(self) -> _Counted:
        return self

    def __exit__(self, *reason: object) -> None:
        self.file.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)


def tree(folder: Path) -> dict[str, bytes]:
    """All files that are not hidden, by their paths below the folder."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def strays(folder: Path) -> list[str]:
    """Hidden files beside the manifest itself."""
    return sorted(path.name for path in folder.rglob(".*") if path.name != MANIFEST)


def count_tries(out: Path) -> None:
    """Make a manifest that notes each time a picture is begun."""
    with closing(Manifest(Place(out, "", Output(), time.time()))):
        pass
    with closing(sqlite3.connect(out / MANIFEST)) as database:
        database.executescript(_TRIES)


def tries(out: Path) -> int:
    """How often pictures were begun."""
    with closing(sqlite3.connect(out / MANIFEST)) as database:
        return int(database.execute("SELECT count(*) FROM tries").fetchone()[0])


def _command(words: list[str], log: Path, prepare: Callable[[], None] | None) -> None:
    """`ldrps` with these words, in this process."""
    import torch

    from ldrps.cli import main

    torch.set_num_threads(1)
    with log.open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    if prepare is not None:
        prepare()
    sys.argv = ["ldrps", *words]
    main()
