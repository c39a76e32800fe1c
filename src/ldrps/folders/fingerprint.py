"""How results were made, where captions in text files make that differ from picture to picture."""

from __future__ import annotations

import contextlib
import hashlib
from dataclasses import dataclass
from pathlib import Path

from ldrps.caption.file import text_bytes, text_path


@dataclass(frozen=True)
class TextFingerprint:
    """The fingerprint of a recipe that takes captions from text files: each picture has one of its own.

    Attributes:
        recipe: a hash of all that decides a result beside its picture and its text.
        folder: where the texts are; None for beside each picture.
    """

    recipe: str
    folder: Path | None = None

    def text(self, source: Path) -> Path:
        """Where the text of a picture is, or would be."""
        return text_path(source, self.folder)

    def of(self, source: Path) -> str:
        """A hash of the recipe and the text of a picture as it is now; the recipe's own where no text can be read."""
        text = None
        with contextlib.suppress(OSError, ValueError):
            text = text_bytes(self.text(source))
        return self.recipe if text is None else hashlib.sha256(self.recipe.encode() + b"\0" + text).hexdigest()


Fingerprint = str | TextFingerprint  # a hash that all pictures share, or one for each
