"""How a folder that cannot be used is refused: in words, however odd or long what it says is. Free of torch."""

from __future__ import annotations

import reprlib
from pathlib import Path

from ldrps.errors import PriorError

_LONGEST = 400
_SHORT = reprlib.Repr()
_SHORT.maxstring, _SHORT.maxlist, _SHORT.maxdict, _SHORT.maxlevel = 100, 8, 4, 3


def unusable(where: Path | str, found: str, expected: str, remedy: str) -> PriorError:
    """An error in the form that all of them have."""
    return PriorError(f"{where}: found {found}, expected {expected}; {remedy}")


def shown(value: object) -> str:
    """A value from a file, fit for a message: shortened, and escaped where a terminal could not print it."""
    if isinstance(value, str) and value.isprintable() and 0 < len(value) <= _SHORT.maxstring:
        return value
    return _SHORT.repr(value)


def reason(error: Exception) -> str:
    """What a library says that it could not do, in one line that a terminal can print, and not all of a long one."""
    text = " ".join(f"{type(error).__name__}: {error}".split())
    printable = "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)
    return printable if len(printable) <= _LONGEST else f"{printable[:_LONGEST]}..."
