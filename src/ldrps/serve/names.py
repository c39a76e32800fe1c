"""Names of uploads as names of files: whatever a visitor's file is called, it stays in its folder."""

from __future__ import annotations

import unicodedata
from collections.abc import Container
from pathlib import Path

from ldrps.image.formats import FORMATS
from ldrps.printable import without_strange

_LONGEST = 120  # bytes of a stem: with a number and a suffix it fits into any file system
_LONGEST_SUFFIX = 8  # characters; what is longer is part of the name
_FORBIDDEN = '<>:"|?*'  # on Windows, where the download may end up


def clean_name(name: str) -> str:
    """What a visitor calls a file, fit for a folder of ours and for a line of text: the last part of the path, without
    what `printable` would escape, leading points and dashes, and a stem of at most 120 bytes.
    """
    last = unicodedata.normalize("NFC", name.replace("\\", "/").rsplit("/", 1)[-1])
    kept = without_strange("".join(each for each in last if each not in _FORBIDDEN))
    path = Path(kept.strip(" .-") or "picture")
    stem, suffix = (path.stem, path.suffix) if len(path.suffix) <= _LONGEST_SUFFIX else (path.name, "")
    short = without_strange(stem.encode()[:_LONGEST].decode(errors="ignore"))  # a joiner may have lost what it joined
    return f"{short.strip(' .-') or 'picture'}{suffix}"


def result_name(name: str, taken: Container[str] = ()) -> str:
    """What the restored picture of a file with a clean name is called.

    The same, or with .png added where its format cannot be written, and with a number if it is `taken`, which holds
    names in lower case.
    """
    path = Path(name)
    stem, suffix = (path.stem, path.suffix) if path.suffix.lower() in FORMATS else (name, ".png")
    candidate, number = f"{stem}{suffix}", 1
    while candidate.lower() in taken:
        number += 1
        candidate = f"{stem}-{number}{suffix}"
    return candidate
