"""Captions from text files that are named like the pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ldrps.caption.base import NO_HINTS, Caption, Hints
from ldrps.errors import CaptionError, InputError

if TYPE_CHECKING:
    from PIL import Image

_LONGEST = 1000  # characters of a caption: text encoders read some 75 tokens
_MOST_BYTES = 16_384


def text_path(source: Path, folder: Path | None = None) -> Path:
    """Where the caption of a picture is, or would be: in `STEM.txt` beside it, or in `folder`."""
    return (folder or source.parent) / f"{source.stem}.txt"


def text_bytes(path: Path) -> bytes | None:
    """What is in a text, or its first part if it is too long for a caption; None where there is no such file.

    Raises:
        OSError, ValueError: it cannot be read.
    """
    if not path.is_file():  # opening a pipe would wait for ever
        return None
    with path.open("rb") as file:
        return file.read(_MOST_BYTES + 1)


class FileCaptioner:
    """Reads `STEM.txt` beside the picture, or in a folder of its own.

    Args:
        folder: where the texts are; None for beside each picture.

    Raises:
        InputError: there is no such folder.
    """

    name = "file"

    def __init__(self, folder: Path | None = None) -> None:
        if folder is not None and not folder.is_dir():
            raise InputError(f"{folder} is no folder: give the one that holds the captions, as STEM.txt")
        self._folder = folder

    def describe(self, image: Image.Image, hints: Hints = NO_HINTS) -> Caption:
        """The text of the file in one line.

        Raises:
            CaptionError: the picture came from no file, or its text is missing, empty, too long or not UTF-8.
        """
        if hints.path is None:
            raise CaptionError("file: the picture came from no file, so there is none to read its caption from")
        path = text_path(hints.path, self._folder)
        try:
            data = text_bytes(path)
            if data is None:
                raise CaptionError(f"file: there is no {path}")
            text = " ".join(data.decode("utf-8-sig").split())
        except UnicodeDecodeError as error:
            raise CaptionError(f"file: {path} is not UTF-8: save it as such") from error
        except (OSError, ValueError) as error:
            raise CaptionError(f"file: {path} cannot be read ({type(error).__name__})") from error
        if not text:
            raise CaptionError(f"file: {path} is empty")
        if len(data) > _MOST_BYTES or len(text) > _LONGEST:
            raise CaptionError(f"file: {path} is longer than {_LONGEST} characters: shorten it")
        return Caption(text, source=self.name)
