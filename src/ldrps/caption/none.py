"""No caption."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ldrps.caption.base import NO_HINTS, Caption, Hints

if TYPE_CHECKING:
    from PIL import Image


class NoCaptioner:
    """Says nothing about any picture."""

    name = "none"

    def describe(self, image: Image.Image, hints: Hints = NO_HINTS) -> Caption:
        """An empty caption."""
        return Caption()
