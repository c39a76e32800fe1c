"""What of a folder is passed over without a fault of its own, and counted."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol

from ldrps.folders.names import is_picture
from ldrps.image.header import is_small
from ldrps.image.limits import MIN_SIDE

_SMALL_FILE = 1 << 16  # bytes: what is larger is no icon, and need not be opened to tell
_SIDECARS = (".xmp",)
_KEPT_LOOKS = 1 << 17
# Copies in small, waste paper, and what other systems keep for themselves.
_CACHES = frozenset(
    ("@eadir", "__macosx", "#recycle", "@recycle", "$recycle.bin", "recycler", "#snapshot", "system volume information")
) | {"lost+found", "ipod photo cache", ".thumbnails", ".appledouble", ".trash", ".trashes", ".picasaoriginals"}
_CACHE_ENDS = (".lrdata", ".cocatalogdb")


class Entry(Protocol):
    """What lies in a folder, as `os.DirEntry` has it."""

    @property
    def name(self) -> str: ...
    def is_dir(self, *, follow_symlinks: bool = True) -> bool:
        """Whether it is a folder."""
        ...

    def is_file(self) -> bool:
        """Whether it is a file."""
        ...


@dataclass
class Passed:
    """How many files and folders are passed over.

    Attributes:
        caches: folders of caches, by their names.
        small: pictures too small to be restored.
        hidden: pictures whose names begin with a dot.
        folders: that were not gone into.
        sidecars: texts about pictures, which stay with them: they may tell how to develop the picture as it was.
    """

    caches: Counter[str] = field(default_factory=Counter)
    small: int = 0
    hidden: int = 0
    folders: int = 0
    sidecars: int = 0

    def takes(self, entry: Entry) -> bool:
        """Whether an entry of a folder is to be passed over for its name; counted if somebody may miss it."""
        name = entry.name.lower()
        if (name in _CACHES or name.endswith(_CACHE_ENDS)) and entry.is_dir(follow_symlinks=False):
            self.caches[entry.name] += 1
            return True
        if not name.startswith("."):
            return False
        self.hidden += is_picture(name) and not name.startswith(("._", ".ldrps")) and entry.is_file()
        return True

    def takes_small(self, entry: os.DirEntry[str]) -> bool:
        """Whether a picture is to be passed over, and counted, for its size."""
        try:
            status = entry.stat()
        except OSError:  # of which restoring will tell
            return False
        small = status.st_size <= _SMALL_FILE and _is_small(entry.path, status.st_size, status.st_mtime_ns)
        self.small += small
        return small

    def takes_sidecar(self, name: str) -> bool:
        """Whether a file is a text about a picture; counted."""
        found = name.lower().endswith(_SIDECARS)
        self.sidecars += found
        return found

    def notes(self) -> list[str]:
        """What was passed over, a line each."""
        found = []
        if self.caches:
            names = ", ".join(sorted(self.caches))
            found.append(f"{_many(self.caches.total(), 'folder')} of caches passed over ({names})")
        if self.small:
            found.append(f"{_many(self.small, 'picture')} below {MIN_SIDE} pixels a side passed over")
        if self.hidden:
            found.append(f"{_many(self.hidden, 'hidden picture')} passed over: name those that are meant")
        if self.folders:
            found.append(f"{_many(self.folders, 'folder')} within passed over: --recursive takes them")
        if self.sidecars:
            found.append(f"{_many(self.sidecars, 'sidecar')} (.xmp) not copied: they tell how to develop what was")
        return found


def _many(number: int, what: str) -> str:
    return f"{number} {what}" + "s" * (number != 1)


@lru_cache(_KEPT_LOOKS)  # a folder that is watched is looked through again and again
def _is_small(path: str, size: int, mtime: int) -> bool:
    """Of a file as it is by its size and time of change."""
    return is_small(path)
