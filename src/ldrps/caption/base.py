"""What every captioner takes and gives, wherever its words come from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from PIL import Image


@dataclass(frozen=True)
class Caption:
    """What a picture shows, in words.

    Attributes:
        text: the words; "" for none.
        negative: what it does not show; "" leaves that to the settings.
        source: the name of the captioner; "none" for no text.
        confidence: how much the captioner trusts it, 0 to 1.
        seconds: wall time it took.
        note: what went wrong before, such as "openai:gpt-x timed out after 30 s; offline used instead".
    """

    text: str = ""
    negative: str = ""
    source: str = "none"
    confidence: float = 1.0
    seconds: float = 0.0
    note: str = ""


@dataclass(frozen=True)
class Hints:
    """What else is known about a picture.

    Attributes:
        path: the file it came from.
        versions: the picture with its tones corrected, as far as somebody could, the best last.
    """

    path: Path | None = None
    versions: Sequence[Image.Image] = ()


NO_HINTS = Hints()


class Captioner(Protocol):
    """Says what pictures show.

    Attributes:
        name: as in `Caption.source`.
    """

    @property
    def name(self) -> str: ...

    def describe(self, image: Image.Image, hints: Hints = NO_HINTS) -> Caption:
        """The caption of an 8-bit RGB image, damaged as it is.

        Raises:
            CaptionError: there is no usable answer for this picture.
        """
        ...
