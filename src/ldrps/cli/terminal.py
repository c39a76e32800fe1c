"""All that the command line prints, apart from bars: a line at a time, in which names and errors can fake nothing."""

from __future__ import annotations

import io
import sys

from ldrps.log import log_to_stderr
from ldrps.printable import printable


def begin() -> None:
    """Set this process up: the log goes to stderr, and no character is one that stdout cannot take."""
    log_to_stderr()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def tell(*lines: str) -> None:
    """Lines of results, on stdout. A plain name is as it is; see `printable` for others."""
    sys.stdout.write("".join(f"{printable(line)}\n" for line in lines))
    sys.stdout.flush()


def tell_text(text: str) -> None:
    """A text of several lines on stdout, whose line breaks are ours: JSON, a table or a list."""
    tell(*text.removesuffix("\n").split("\n"))


def say(line: str, *more: str) -> None:
    """A line for people, apart from the results on stdout; `more` lines that belong to it follow, indented."""
    sys.stderr.write("".join([f"ldrps: {printable(line)}\n", *[f"  {printable(each)}\n" for each in more]]))
