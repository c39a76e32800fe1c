"""How results were made, where files beside pictures, captions or masks, make that differ from one to another."""

from __future__ import annotations

import contextlib
import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from ldrps.caption.file import text_bytes, text_path
from ldrps.masks import Masks


@dataclass(frozen=True)
class FileFingerprint:
    """The fingerprint of a recipe that takes something from files for each picture: each has one of its own.

    Attributes:
        recipe: a hash of all that decides a result beside its picture and its files.
        folder: where texts with captions are; None for beside each picture.
        texts: whether there are any.
        masks: of the pictures.
    """

    recipe: str
    folder: Path | None = None
    texts: bool = True
    masks: Masks = field(default_factory=Masks)

    def text(self, source: Path) -> Path:
        """Where the text of a picture is, or would be."""
        return text_path(source, self.folder)

    def files(self, source: Path) -> list[Path]:
        """What counts for a picture: where its text is, or would be, and its masks."""
        return [self.text(source)] * self.texts + self.masks.files(source)

    def of(self, source: Path) -> str:
        """A hash of the recipe, the text and the masks of a picture as they are now; the recipe's own without any."""
        text = None
        if self.texts:
            with contextlib.suppress(OSError, ValueError):
                text = text_bytes(self.text(source))
        mask = self.masks.mark(source)
        if text is None and not mask:
            return self.recipe
        told = self.recipe.encode() + (b"" if text is None else b"\0" + text) + mask.encode()
        return hashlib.sha256(told).hexdigest()


Fingerprint = str | FileFingerprint  # a hash that all pictures share, or one for each
