"""Any program outside as a rival: a folder with the picture in, a folder with the result out, no shell between.

The program is started for each picture. One that takes long to load is better run by hand over a set's whole folder;
`files:FOLDER` of the benchmark then takes what it wrote.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import torch
from torch import Tensor

from ldrps.errors import InputError, LdrpsError, SettingsError
from ldrps.image.arrays import to_pil
from ldrps.image.formats import FORMATS
from ldrps.image.picture import load_picture
from ldrps.rivals.facts import Facts, RivalOptions
from ldrps.rivals.rival import Rival, RivalSettings, RivalStep, Run

_NAME = "picture"
_PAUSE = 0.2  # seconds between two looks at whether the program is done
_TAIL = 300  # characters of what it wrote that are told


@dataclass(frozen=True)
class OutsideSettings(RivalSettings):
    """How a program is run.

    Attributes:
        command: its words, with `{in}` and `{out}` where the folders go, and `{seed}` where the seed goes if it takes
            one; quoted as for a shell, which it never sees.
        timeout: seconds after which it is ended.
    """

    command: str = ""
    timeout: float = 3600.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.timeout > 0:
            raise SettingsError(f"timeout is {self.timeout}; it must be above 0 seconds")

    def words(self, inputs: Path, outputs: Path) -> list[str]:
        """The command for these folders."""
        places = {"{in}": str(inputs), "{out}": str(outputs), "{seed}": str(self.seed)}
        words = shlex.split(self.command)
        for mark, value in places.items():
            words = [word.replace(mark, value) for word in words]
        return words


class Outside(Rival):
    """A program that restores. It sees the picture as a PNG of 8 bits; the one picture that it leaves is its answer.

    A program that fails costs its picture and no other.
    """

    settings_type = OutsideSettings

    @classmethod
    def build(cls, facts: Facts, options: RivalOptions) -> Self:
        """See `Rival.build`; the command is what follows "command:" in the name.

        Raises:
            InputError: the command is malformed, lacks a folder, or its program is not there.
        """
        command = facts.name.partition(":")[2]
        try:
            words = shlex.split(command)
        except ValueError as error:
            raise InputError(f"the command {command!r} cannot be read ({error}): mend its quotes") from error
        if lacking := [mark for mark in ("{in}", "{out}") if mark not in command]:
            raise InputError(f"the command {command!r} has no {' and no '.join(lacking)}: say where its folders go")
        if shutil.which(words[0]) is None:
            raise InputError(f"there is no program {words[0]!r}: give its path, or install it")
        changes = {**options.changes, "command": command}
        settings = cls.settings_of(facts, RivalOptions(options.seed, options.steps, changes=changes))
        return cls(facts, settings, device=options.device)

    def run(self, y: Tensor, generator: torch.Generator) -> Run:
        """See `Rival.run`. Yields while it waits, at step 0 of 1, so that it can be stopped: the program is ended then.

        Raises:
            LdrpsError: the program failed or took too long, or left no picture, several, or one of another size.
        """
        settings = self.settings
        assert isinstance(settings, OutsideSettings)
        with tempfile.TemporaryDirectory(prefix="ldrps-") as folder:
            inputs, outputs = Path(folder, "in"), Path(folder, "out")
            inputs.mkdir()
            outputs.mkdir()
            to_pil(y[0]).save(inputs / f"{_NAME}.png")
            with Path(folder, "log").open("w+b") as log:
                for _ in _carried_out(settings.words(inputs, outputs), settings.timeout, log.fileno()):
                    yield RivalStep(0, 1, {}, y)
            restored = _only_picture(outputs, settings.command).to(y.device)
        if restored.shape != y.shape:
            height, width = restored.shape[-2:]
            raise LdrpsError(
                f"{settings.command!r} made a picture of {width} x {height} from {y.shape[-1]} x {y.shape[-2]} pixels: "
                "tell it to keep the size"
            )
        yield RivalStep(1, 1, {}, restored)
        return restored


def _carried_out(words: list[str], timeout: float, log: int) -> Iterator[None]:
    """Run a program to its end, and end it, and what it started, if nobody waits any more."""
    try:
        program = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    except OSError as error:
        raise LdrpsError(f"{words[0]!r} cannot be started ({error.strerror})") from error
    until = time.monotonic() + timeout
    try:
        while program.poll() is None:
            if time.monotonic() > until:
                raise LdrpsError(f"{words[0]!r} was not done after {timeout:g} seconds and was ended: allow it more")
            yield
            with contextlib.suppress(subprocess.TimeoutExpired):
                program.wait(_PAUSE)
    finally:
        if program.poll() is None:
            _end(program)
    if program.returncode:
        raise LdrpsError(f"{words[0]!r} ended with exit code {program.returncode}{_last_words(log)}")


def _end(program: subprocess.Popen[bytes]) -> None:
    """End a program at once, and, where the system has groups of processes, all that it started."""
    if sys.platform == "win32":
        program.kill()
    else:
        os.killpg(program.pid, signal.SIGKILL)
    program.wait()


def _last_words(log: int) -> str:
    """The end of what a program that is over has said."""
    size = os.lseek(log, 0, os.SEEK_END)
    os.lseek(log, max(0, size - 4 * _TAIL), os.SEEK_SET)
    text = os.read(log, 4 * _TAIL).decode(errors="replace")
    return f": ... {' '.join(text.split())[-_TAIL:]}" if text.strip() else ", without a word"


def _only_picture(folder: Path, command: str) -> Tensor:
    """The one picture below a folder, or the one that is called as the input."""
    found = [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in FORMATS]
    named = [path for path in found if path.stem == _NAME]
    if len(chosen := named or found) != 1:
        raise LdrpsError(f"{command!r} left {len(found) or 'no'} pictures in its folder, not one called {_NAME}.png")
    return load_picture(chosen[0]).rgb
