"""The log on stderr: a line for an entry, whatever is in it."""

from __future__ import annotations

import logging
import subprocess
import sys

from strange import FAKE, NAME, assert_seen

from ldrps.log import LineFormatter


def entry(message: str, *args: object, error: BaseException | None = None) -> str:
    info = None if error is None else (type(error), error, error.__traceback__)
    return LineFormatter().format(logging.LogRecord("a", logging.WARNING, "a.py", 1, message, args, info))


def raised(message: str) -> BaseException:
    try:
        try:
            raise OSError(message)
        except OSError as cause:
            raise ValueError(f"first\n{message}") from cause
    except ValueError as error:
        return error


def test_an_entry_is_a_line() -> None:
    text = entry("%s: skipped", NAME)
    assert_seen(text)
    assert text.startswith("ldrps: a\\x1b[2J") and text.endswith(": skipped") and "\n" not in text


def test_an_error_with_its_places_fakes_nothing() -> None:
    text = entry("a fault", error=raised(NAME))
    assert_seen(text)
    lines = text.split("\n")
    assert lines[:2] == ["ldrps: a fault", "Traceback (most recent call last):"]
    assert "ValueError: first\\na\\x1b[2J" in text and f"\\n{FAKE}" in text
    assert any(line.startswith('  File "') and "test_log.py" in line for line in lines)


def test_a_process_shows_log_warnings_and_its_end_alike() -> None:
    program = f"""
import logging, sys, warnings
from ldrps.log import log_to_stderr, show_fault
log_to_stderr()
name = {NAME!r}
logging.getLogger("another.library").warning(name)
warnings.warn(name)
sys.excepthook = show_fault
raise RuntimeError(name)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert_seen(done.stderr)
    assert done.stderr.count(FAKE) == 3 and "UserWarning" in done.stderr and "RuntimeError: a\\x1b" in done.stderr
