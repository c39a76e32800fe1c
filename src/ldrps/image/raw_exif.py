"""EXIF data changed where they lie, byte by byte: makers' notes and what nobody can read stay where they are.

Rewritten, such a note would lie elsewhere, and what it points to from there would be lost. Free of torch and Pillow.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterator

HEAD = b"Exif\0\0"
_ORDERS = {b"II*\0": "<", b"MM\0*": ">"}
_ENTRY = 12  # bytes: tag, type, count, value or its place
_SHORT, _LONG = 3, 4  # types
_ORIENTATION, _EXIF, _X_RESOLUTION, _Y_RESOLUTION = 274, 34665, 282, 283
_THUMBNAIL, _THUMBNAIL_LENGTH = 513, 514
_WIDTH, _HEIGHT = 0xA002, 0xA003


class RawExif:
    """EXIF data as they are in a file, with or without the head that JPEG gives them.

    Nothing in them is trusted: what lies outside them is not there.
    """

    def __init__(self, data: bytes) -> None:
        self._data = bytearray(data.removeprefix(HEAD))
        self._order = _ORDERS.get(bytes(self._data[:4]), "")

    @property
    def has_tags(self) -> bool:
        """Whether anything in them can be found."""
        return next(self._entries(self._first()), None) is not None

    @property
    def orientation(self) -> int:
        """How the picture is to be turned, 1 to 8; 1 where they do not say."""
        for at in self._entries(self._first()):
            if self._unpack("H", at) == _ORIENTATION:
                turn = self._number(at)
                return turn if turn is not None and 1 <= turn <= 8 else 1
        return 1

    def tidy(self, layout: Collection[int], size: tuple[int, int], *, sideways: bool) -> bytes | None:
        """The data, with their head, for another file, of a picture of (width, height) `size`; None if none are left.

        Without the tags in `layout`, which say how the file was laid out, and without a thumbnail. Where a picture that
        lay on its side was turned, its two resolutions are exchanged.
        """
        first = self._first()
        self._drop_thumbnail(first)
        if sideways:
            self._exchange(first, _X_RESOLUTION, _Y_RESOLUTION)
        left = self._keep(first, layout)
        self.resize(size)
        return HEAD + bytes(self._data) if left else None

    def resize(self, size: tuple[int, int]) -> bytes:
        """The data, with their head, with another (width, height) where they tell one."""
        for entry in self._entries(self._within()):
            tag = self._unpack("H", entry)
            if tag in (_WIDTH, _HEIGHT):
                side = size[0] if tag == _WIDTH else size[1]
                struct.pack_into(f"{self._order}HII", self._data, entry + 2, _LONG, 1, side)
        return HEAD + bytes(self._data)

    def _first(self) -> int:
        return self._unpack("I", 4) or 0

    def _within(self) -> int:
        """Where the directory of the camera's own is: the first, as thousands that lead there would take hours."""
        places = (self._unpack("I", at + 8) for at in self._entries(self._first()) if self._unpack("H", at) == _EXIF)
        return next(places, None) or 0

    def _entries(self, directory: int) -> Iterator[int]:
        """Where the entries of a directory begin, as far as they are within the data."""
        count = self._unpack("H", directory) if directory >= 8 else None
        for number in range(count or 0):
            at = directory + 2 + _ENTRY * number
            if at + _ENTRY > len(self._data):
                return
            yield at

    def _unpack(self, kind: str, at: int) -> int | None:
        if not self._order or at + struct.calcsize(f"={kind}") > len(self._data):
            return None
        return int(struct.unpack_from(self._order + kind, self._data, at)[0])

    def _number(self, entry: int) -> int | None:
        """The one whole number that an entry holds itself."""
        kind = self._unpack("H", entry + 2)
        return self._unpack("H" if kind == _SHORT else "I", entry + 8) if kind in (_SHORT, _LONG) else None

    def _exchange(self, directory: int, one: int, other: int) -> None:
        places = {self._unpack("H", at): at for at in self._entries(directory)}
        if one in places and other in places:
            first, second = slice(places[one] + 2, places[one] + 12), slice(places[other] + 2, places[other] + 12)
            self._data[first], self._data[second] = self._data[second], self._data[first]

    def _keep(self, directory: int, unwanted: Collection[int]) -> int:
        """Close a directory's ranks where it loses entries; nothing follows it any more. How many are left."""
        entries = list(self._entries(directory))
        if not entries:
            return 0
        kept = [bytes(self._data[at : at + _ENTRY]) for at in entries if self._unpack("H", at) not in unwanted]
        room = min(len(entries) * _ENTRY + 4, len(self._data) - entries[0])
        struct.pack_into(f"{self._order}H", self._data, directory, len(kept))
        self._data[entries[0] : entries[0] + room] = b"".join(kept)[:room].ljust(room, b"\0")
        return len(kept)

    def _drop_thumbnail(self, directory: int) -> None:
        """Blank the small picture that the second directory leads to."""
        count = self._unpack("H", directory) if directory >= 8 else None
        second = None if count is None else self._unpack("I", directory + 2 + _ENTRY * count)
        if not second:
            return
        told = {self._unpack("H", at): self._number(at) for at in self._entries(second)}
        start, length = told.get(_THUMBNAIL), told.get(_THUMBNAIL_LENGTH)
        if not start or not length or start <= second:
            return  # it is not behind its directory, where all writers put it: it may lie over anything
        end = min(start + length, len(self._data))
        if end == len(self._data):
            del self._data[start:]
        else:
            self._data[start:end] = bytes(end - start)
