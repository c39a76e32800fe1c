"""The caption that the user wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ldrps.caption.base import NO_HINTS, Caption, Hints

if TYPE_CHECKING:
    from PIL import Image


class TextCaptioner:
    """Says the same of every picture."""

    name = "text"

    def __init__(self, text: str) -> None:
        self.text = text

    def describe(self, image: Image.Image, hints: Hints = NO_HINTS) -> Caption:
        """The text, as it was given."""
        return literal(self.text)


def literal(text: str) -> Caption:
    """A text that was given as a caption; empty is none."""
    return Caption(text, source=TextCaptioner.name) if text else Caption()
