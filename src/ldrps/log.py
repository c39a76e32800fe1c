"""The log as a process of ours shows it: a line on stderr for each entry, in which all can be seen."""

from __future__ import annotations

import logging
import sys
import traceback
import warnings
from types import TracebackType

from ldrps.printable import printable


class LineFormatter(logging.Formatter):
    """An entry as one line that can be printed; an error that it tells of follows, with where it was raised."""

    def format(self, record: logging.LogRecord) -> str:
        error = None if record.exc_info is None else record.exc_info[1]
        lines = [] if error is None else _lines(error)
        return "\n".join([printable(f"ldrps: {record.getMessage()}"), *lines])


def log_to_stderr() -> None:
    """Show warnings and errors of this process, ours and those of libraries, and what Python itself warns of."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LineFormatter())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    warnings.formatwarning = _warning


def show_fault(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Show the error that ends a process, and where it was raised; for `sys.excepthook`."""
    sys.stderr.write("".join(f"{line}\n" for line in _lines(error)))


def _warning(
    message: Warning | str, category: type[Warning], filename: str, lineno: int, line: str | None = None
) -> str:
    return printable(f"{filename}:{lineno}: {category.__name__}: {message}") + "\n"


def _lines(error: BaseException) -> list[str]:
    """An error as Python shows it, where each line is one of Python's own: a message has one."""
    lines = []
    for entry in traceback.format_exception(error):
        is_place = entry.startswith("  File")  # with the code there below it
        lines += entry.strip("\n").split("\n") if is_place else [entry.strip("\n")]
    return [printable(line) for line in lines]
