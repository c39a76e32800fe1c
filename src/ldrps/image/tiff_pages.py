"""How many pages a TIFF has, from the chain of its directories alone: readers would log what is odd in each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple

_SUBFILE, _REDUCED = 254, 1  # the tag of what a page is for, and its bit for a copy in small
_SHORT = 3
_LONGEST = 1 << 20  # bytes of a directory
_MOST = 100_000  # pages; a chain that is longer is no book


class _Layout(NamedTuple):
    """Where things are: in the TIFF that all write, and in the one for files beyond 4 GiB."""

    first: int  # where the place of the first directory stands
    place: int  # bytes of a place in the file
    length: int  # and of how many entries there are
    entry: int


_LAYOUTS = {42: _Layout(4, 4, 2, 12), 43: _Layout(8, 8, 8, 20)}


def count_pages(file: BinaryIO) -> tuple[int, bool]:
    """How many pages an open TIFF has, without copies in small of the first, and whether there are such copies.

    At least one, as its reader tells what is wrong with that.
    """
    further = list(_kinds(file))[1:]
    reduced = sum(bool(kind & _REDUCED) for kind in further)
    return 1 + len(further) - reduced, reduced > 0


def _kinds(file: BinaryIO) -> Iterator[int]:
    """What each directory says that its page is for; as far as the chain can be followed.

    Directories that lie over one another, so that all of them are longer than the file, are made to take hours.
    """
    left = end = file.seek(0, 2)
    file.seek(0)
    head = file.read(16)
    little = head[:2] == b"II"

    def number(data: bytes) -> int:
        return int.from_bytes(data, "little" if little else "big")

    layout = _LAYOUTS.get(number(head[2:4]))
    if layout is None:
        return
    at, seen = number(head[layout.first : layout.first + layout.place]), set[int]()
    while 0 < at < end and at not in seen and len(seen) < _MOST:
        seen.add(at)
        file.seek(at)
        start = file.read(layout.length)
        size = number(start) * layout.entry
        entries = file.read(min(size, _LONGEST))
        left -= len(start) + size
        if not start or len(entries) < size or left < 0:
            return
        yield next(_values(entries, layout, number), 0)
        at = number(file.read(layout.place))


def _values(entries: bytes, layout: _Layout, number: Callable[[bytes], int]) -> Iterator[int]:
    for start in range(0, len(entries), layout.entry):
        if number(entries[start : start + 2]) == _SUBFILE:
            value = entries[start + layout.entry - layout.place : start + layout.entry]
            yield number(value[:2] if number(entries[start + 2 : start + 4]) == _SHORT else value[:4])
