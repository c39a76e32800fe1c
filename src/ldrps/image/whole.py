"""Whether a file is whole, or still being copied. Free of torch."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from ldrps.errors import InputError
from ldrps.image.header import begins_like_ours, blaming, open_file, open_header
from ldrps.image.jpeg_parts import begins_jpeg, split_jpeg
from ldrps.image.limits import MAX_PIXELS

_HEAD = 16  # bytes, by which formats are told
_ZEROS = 4096  # bytes at the end that stand for what is still to come; or for black, which is then waited for


def looks_cut(path: Path) -> bool:
    """Whether a file begins as our images do, or with nothing, and cannot be read to its end.

    Copying programs write a file from its start, and some give it its whole length first, in zeros. What is wrong from
    its start, or cannot be opened, is not cut: it will be no better later.
    """
    try:
        with open_file(path) as file:
            head = file.read(_HEAD)
            if not head.strip(b"\0"):
                return True
            if not begins_like_ours(head):
                return False
            file.seek(-min(_ZEROS, file.seek(0, 2)), 2)
            if len(tail := file.read()) == _ZEROS and not tail.strip(b"\0"):
                return True
            if begins_jpeg(head):  # whose decoder takes zeros for codes
                file.seek(0)
                if split_jpeg(file.read()) is None:
                    return True
            file.seek(0)
            return not _can_be_read(file, str(path))
    except InputError:
        return False


def _can_be_read(file: BinaryIO, name: str) -> bool:
    """Whether an open image file can be decoded, of which one that is too large is not asked."""
    try:
        with blaming(name):
            image = open_header(file, name)
            if image is not None and image.width * image.height <= MAX_PIXELS:
                image.load()
            return True
    except InputError:
        return False
