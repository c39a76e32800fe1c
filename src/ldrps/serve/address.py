"""Where the page is served, and who may see it."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import socket
from collections.abc import Iterator

from ldrps.errors import SettingsError

AUTH_VARIABLE = "LDRPS_AUTH"


def is_loopback(host: str) -> bool:
    """Whether nobody but this machine can reach a page that is bound to `host`."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:  # a name; what it resolves to may change
        return False


def parse_auth(text: str) -> tuple[str, str] | None:
    """USER:PASSWORD as a pair; None for nothing. The password may hold further colons.

    Raises:
        SettingsError: there is no colon, or nothing on one side of it. The message does not repeat the text.
    """
    if not text:
        return None
    user, colon, password = text.partition(":")
    if not (user and colon and password):
        raise SettingsError(f"--auth ({AUTH_VARIABLE}) must be USER:PASSWORD, both not empty")
    return user, password


def warning(host: str, auth: tuple[str, str] | None, share: bool) -> str:
    """What the one who starts the page should know about it; "" for nothing."""
    if auth is not None or (is_loopback(host) and not share):
        return ""
    who = "anyone on the internet who has the link" if share else f"anyone who can reach {host}"
    return f"{who} can use this page and this machine's time: set {AUTH_VARIABLE}=USER:PASSWORD to ask for a password"


def check_address(host: str, port: int) -> None:
    """Find out before anything is loaded whether a page could be served there; 0 is any port that is free.

    Raises:
        SettingsError: it could not, as where another program listens already.
    """
    try:
        with bound(host, port):
            pass
    except (OSError, UnicodeError) as error:  # names that cannot be are not encoded
        raise unusable(host, port, error) from error


def unusable(host: str, port: int, error: Exception) -> SettingsError:
    """The error for an address at which nothing can be served."""
    return SettingsError(f"cannot serve at {host}:{port} ({error}): choose another --host or --port")


@contextlib.contextmanager
def bound(host: str, port: int) -> Iterator[int]:
    """Have an address for a moment; gives its port.

    Raises:
        OSError, UnicodeError: it cannot be had.
    """
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        if os.name == "posix":  # elsewhere this would take what another program has
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))
        yield int(probe.getsockname()[1])
