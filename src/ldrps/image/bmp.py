"""The colour profile of a BMP, which Pillow passes over. Free of torch and Pillow."""

from __future__ import annotations

from typing import BinaryIO

_FILE_HEAD, _HEADER = 14, 124  # bytes: what comes before the header, and of one that has room for a profile
_SPACE, _PLACE = 56, 112  # where in it stands what its colours are, and where the profile is and how long
_EMBEDDED = b"DEBM"
_LONGEST = 1 << 24  # bytes of a profile


def read_profile(file: BinaryIO) -> bytes | None:
    """That of an open BMP; None without. The file stays where it was being read."""
    before = file.tell()
    try:
        file.seek(_FILE_HEAD)
        header = file.read(_HEADER)
        if len(header) < _HEADER or int.from_bytes(header[:4], "little") != _HEADER:
            return None
        if header[_SPACE : _SPACE + 4] != _EMBEDDED:
            return None
        place, length = (int.from_bytes(header[at : at + 4], "little") for at in (_PLACE, _PLACE + 4))
        if place < _HEADER or not 0 < length <= _LONGEST:
            return None
        file.seek(_FILE_HEAD + place)
        profile = file.read(length)
        return profile if len(profile) == length else None
    finally:
        file.seek(before)
