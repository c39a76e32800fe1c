"""Weights that others published: found where the user put them, checked, and never shipped."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from ldrps.errors import PriorError
from ldrps.rivals.registry import WEIGHTS_VARIABLE
from ldrps.weights import read_weights

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Published:
    """A file of weights that somebody published.

    Attributes:
        names: what it may be called, the author's name for it first.
        url: where it is, for people.
        sha256: of the published file.
        licence: of the weights.
    """

    names: tuple[str, ...]
    url: str
    sha256: str
    licence: str

    def read(self, rival: str, given: Path | None) -> dict[str, Tensor]:
        """Its tensors, from the file or folder given.

        A file of another hash is read, as people train their own, and the log says so.

        Raises:
            PriorError: it is nowhere, or cannot be read.
        """
        path = self._find(rival, given)
        if (digest := sha256(path)) != self.sha256:
            logger.warning("%s are not the published weights of %s (SHA-256 %s)", path, rival, digest)
        return read_weights(path)

    def _find(self, rival: str, given: Path | None) -> Path:
        get = (
            f"get {self.names[0]} from {self.url} ({self.licence}; SHA-256 {self.sha256}) and give its file or folder "
            f"by --weights or {WEIGHTS_VARIABLE}"
        )
        if given is None:
            raise PriorError(f"{rival} needs its weights, which do not come with ldrps: {get}")
        if given.is_file():
            return given
        for name in self.names:
            if (given / name).is_file():
                return given / name
        raise PriorError(f"{rival} needs its weights, and {given} is or has none of {', '.join(self.names)}: {get}")


def sha256(path: Path) -> str:
    """The digest of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
