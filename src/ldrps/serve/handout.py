"""The files that visitors are given, by addresses that tell nothing and that serve one browser alone."""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Handed:
    """A file that a visitor may have.

    Attributes:
        path: where it lies.
        name: what the visitor calls it; "" of what is only shown.
    """

    path: Path
    name: str = ""


class Handout:
    """Who may have which file.

    An address is not enough: it has to come from the browser that it was made for, so that one which was passed on, or
    is in somebody's log, is worth nothing.
    """

    def __init__(self) -> None:
        self._files: dict[str, tuple[str, Handed]] = {}
        self._tokens: dict[tuple[str, Handed], str] = {}
        self._lock = threading.Lock()

    def give(self, browser: str, path: Path, name: str = "") -> str:
        """What stands for a file, for one browser; for the same file the same again."""
        given = (browser, Handed(path, name))
        with self._lock:
            token = self._tokens.setdefault(given, secrets.token_urlsafe(24))
            self._files[token] = given
            return token

    def find(self, browser: str, token: str) -> Handed | None:
        """The file, if that browser was given it and it is still there."""
        owner, handed = self._files.get(token, ("", None))
        return handed if handed is not None and owner == browser and handed.path.is_file() else None

    def take_back(self, folder: Path) -> None:
        """Forget all that is in a folder."""
        with self._lock:
            for token, given in list(self._files.items()):
                if given[1].path.is_relative_to(folder):
                    del self._files[token], self._tokens[given]
