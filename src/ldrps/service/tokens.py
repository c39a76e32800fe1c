"""Who asks: each token is an owner of jobs, and none sees another's."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
from collections.abc import Collection, Iterable

from ldrps.errors import SettingsError
from ldrps.serve.address import is_loopback
from ldrps.service.problems import Problem

TOKENS_VARIABLE = "LDRPS_TOKENS"
_SHORTEST = 8  # characters
_CHALLENGE = {"WWW-Authenticate": "Bearer"}


class Tokens:
    """The tokens that are let in; without any, everybody is, as one owner.

    Args:
        tokens: as programs give them.
        closed: whether nobody is let in without one, though there is none.

    Raises:
        SettingsError: as `check_tokens`.
    """

    def __init__(self, tokens: Iterable[str] = (), *, closed: bool = False) -> None:
        known = list(tokens)
        check_tokens(known)
        self._digests = [_digest(token) for token in known]
        self._closed = closed

    @property
    def are_asked_for(self) -> bool:
        """Whether who asks must have one."""
        return bool(self._digests) or self._closed

    def owner(self, authorization: str | None) -> str:
        """Whose a request is, by its header; "" for everybody's. Takes as long for a wrong token as for a right one.

        Raises:
            Problem: it has no token, or a wrong one.
        """
        if not self.are_asked_for:
            return ""
        if not self._digests:
            raise Problem(401, "no token is let in: start the server with --token for programs", headers=_CHALLENGE)
        kind, _, token = (authorization or "").partition(" ")
        if kind.lower() != "bearer" or not token.strip():
            raise Problem(401, "there is no token: send the header Authorization: Bearer TOKEN", headers=_CHALLENGE)
        given = _digest(token.strip())
        found = [digest for digest in self._digests if hmac.compare_digest(digest, given)]
        if not found:
            raise Problem(401, "the token is not one that this server knows: check it", headers=_CHALLENGE)
        return found[0][:32]


def tokens_of(given: Iterable[str]) -> list[str]:
    """Those given, and those of the environment, which are apart by commas or spaces."""
    return [*given, *re.findall(r"[^,\s]+", os.environ.get(TOKENS_VARIABLE, ""))]


def check_tokens(tokens: Iterable[str]) -> None:
    """Refuse tokens that are none.

    Raises:
        SettingsError: one is too short, or has characters that no header has. The message does not repeat it.
    """
    for token in tokens:
        if len(token) < _SHORTEST or not re.fullmatch(r"[\x21-\x7e]+", token):
            raise SettingsError(
                f"a token has {len(token)} characters; give {_SHORTEST} or more, letters, digits and signs of ASCII "
                f"(--token, {TOKENS_VARIABLE})"
            )


def warning_of_service(host: str, tokens: Collection[str]) -> str:
    """What the one who starts a service without a page should know about it; "" for nothing."""
    if tokens or is_loopback(host):
        return ""
    return f"anyone who can reach {host} can use this machine's time: set {TOKENS_VARIABLE} to ask for a token"


def _digest(token: str) -> str:
    """By which a token is known; those of all have one length, and no file has the token itself."""
    return hashlib.sha256(b"ldrps token " + token.encode(errors="surrogateescape")).hexdigest()
