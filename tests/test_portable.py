"""ldrps on a system without what POSIX alone has: fcntl, fork, SIGKILL, /proc. Windows is played, as far as it goes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from conftest import noisy
from PIL import Image

# What Python on Windows lacks, of what it has here. What others' packages stand on is loaded before it is hidden.
PLAYED = r'''
import ctypes, importlib, io, multiprocessing.context, os, pkgutil, signal, subprocess, sys, sysconfig, time
import ldrps

def load():
    """Each of our modules, and those that lack an optional package."""
    lacking = set()
    for each in pkgutil.walk_packages(ldrps.__path__, "ldrps."):
        if each.name != "ldrps.__main__":
            try:
                importlib.import_module(each.name)
            except ModuleNotFoundError as error:
                assert error.name and not error.name.startswith("ldrps"), error
                lacking.add(each.name)
    return lacking

def load_for_a_restoration():
    """What that takes, in a fraction of the time."""
    sysconfig.get_config_vars()  # of a file that only the true system has
    for name in "cli cli.bars run.batch run.process folders.feeding prior.tiny.prior rivals.outside".split():
        importlib.import_module(f"ldrps.{name}")

before = load() if sys.argv[1:2] == ["all of it"] else load_for_a_restoration()
HIDDEN = {
    os: """fork forkpty killpg getuid geteuid getgid getegid getpgid getpgrp setsid setpgid pathconf fpathconf pread
        pwrite mkfifo mknod chown lchown statvfs fstatvfs sysconf getloadavg nice sched_getaffinity sched_setaffinity
        wait wait3 wait4 waitid uname confstr sendfile posix_fadvise O_NONBLOCK O_NOCTTY O_NOFOLLOW O_CLOEXEC
        O_DIRECTORY O_SYNC""",
    signal: """SIGKILL SIGHUP SIGALRM SIGUSR1 SIGUSR2 SIGCHLD SIGSTOP SIGCONT SIGPIPE alarm setitimer pthread_sigmask
        sigwait""",
    time: "clock_gettime clock_getres CLOCK_BOOTTIME CLOCK_MONOTONIC tzset",
    multiprocessing.context: "ForkContext ForkServerContext ForkProcess ForkServerProcess",
}
subprocess.Popen.kill = lambda program: os.kill(program.pid, 9)  # as there, without a name for the signal
for module, names in HIDDEN.items():
    for name in names.split():
        module.__dict__.pop(name, None)
for name in ("fcntl", "resource", "pwd", "grp", "termios", "tty", "pty", "syslog", "readline", "posix_ipc"):
    sys.modules[name] = None
for name in [name for name in sys.modules if name == "ldrps" or name.startswith("ldrps.")]:
    del sys.modules[name]
def without_proc(real):
    def call(file, *given, **named):
        if str(file).startswith(("/proc", "/sys", "/dev/")) and str(file) != "/dev/null":
            raise FileNotFoundError(2, "Windows has none", str(file))
        return real(file, *given, **named)
    return call
io.open, os.stat, os.readlink = map(without_proc, (io.open, os.stat, os.readlink))
sys.platform = "win32"
import ldrps
'''


def play(program: str, *words: object, folder: Path) -> subprocess.CompletedProcess[str]:
    """A program on such a system, in a process of its own."""
    command = [sys.executable, "-c", PLAYED + program, *map(str, words)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def test_every_module_is_there(tmp_path: Path) -> None:
    program = "after = load()\nassert after == before, after ^ before\nprint(len(sys.modules))"
    finished = play(program, "all of it", folder=tmp_path)
    assert finished.returncode == 0, finished.stderr
    assert int(finished.stdout) > 200


@pytest.mark.parametrize("words", [["a.png", "-o", "out.png", "--trace"], [".", "-o", "out/"]], ids=["file", "folder"])
def test_pictures_are_restored(words: list[str], tmp_path: Path) -> None:
    Image.fromarray(noisy()).save(tmp_path / "a.png")
    program = "from ldrps.cli import main\nmain()"
    finished = play(program, "restore", *words, "--preset", "fast", folder=tmp_path)
    assert finished.returncode == 0, finished.stderr
    written = [path for path in tmp_path.rglob("*") if path.suffix == ".png" and path.name != "a.png"]
    assert written or (tmp_path / "out" / "a.png").is_file()
    assert not list(tmp_path.rglob(".ldrps-partial*"))


def test_a_program_outside_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    program = """
from ldrps.errors import LdrpsError
from ldrps.rivals import outside
import tempfile
with tempfile.TemporaryFile() as log:
    words = [sys.executable, "-c", "print('at work', flush=True); import time; time.sleep(600)"]
    try:
        list(outside._carried_out(words, 3.0, log.fileno()))
    except LdrpsError as error:
        print(error)
    list(outside._carried_out([sys.executable, "-c", "print('done')"], 600.0, log.fileno()))
    print(outside._last_words(log.fileno()))
"""
    finished = play(program, folder=tmp_path)
    assert finished.returncode == 0, finished.stderr
    assert "was ended" in finished.stdout and "done" in finished.stdout
