"""The errors that ldrps raises on purpose. Each message names the value, the limit and the remedy."""

from __future__ import annotations

import reprlib

from ldrps.printable import printable


class LdrpsError(Exception):
    """Base of all errors that are the caller's to mend; the command line prints them without a traceback.

    A message is one line that can be printed, whatever the names and the errors of others in it hold.

    Attributes:
        on_command_line: the message for people who type commands: its remedy is an option, where Python's is an
            argument. The same message, unless another is given.
    """

    def __init__(self, message: str = "", *, on_command_line: str = "") -> None:
        super().__init__(printable(message))
        self.on_command_line = printable(on_command_line or message)


class InputError(LdrpsError, ValueError):
    """An image, a file or an argument that cannot be used."""


class OutputError(LdrpsError, OSError):
    """A result that cannot be written; whatever stood at its place before is untouched."""


class PriorError(LdrpsError):
    """A prior (model folder or hub id) that cannot be loaded or lacks what was asked of it."""


class SettingsError(LdrpsError, ValueError):
    """A setting outside its range."""


class CaptionError(LdrpsError):
    """A captioner has no usable answer for a picture; another may be asked, or the picture restored without one."""


class Cancelled(LdrpsError):
    """Somebody stopped the restoration; nothing was written."""


def require(value: object, kinds: type | tuple[type, ...], name: str, remedy: str) -> None:
    """Refuse an argument of a type that cannot be used.

    Raises:
        InputError: the value is of none of these types; `remedy` says what to give.
    """
    if not isinstance(value, kinds):
        raise InputError(f"{name} is a {type(value).__name__}, {reprlib.repr(value)}: {remedy}")


def how_to_install(extra: str) -> str:
    """The remedy where an optional part of ldrps is not installed."""
    return f"pip install '.[{extra}]' in the checkout of ldrps"
