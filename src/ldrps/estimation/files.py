"""A damage in a file, as plain data. Importing this costs no torch, so that a mistake is told at once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ldrps.errors import InputError

_LARGEST = 10_000_000  # bytes; a damage has some thousands


def read_plain(path: Path) -> Any:
    """What `Damage.from_plain` takes: a file of JSON, or of a record of a restoration the damage in it.

    Raises:
        InputError: the file cannot be read, is no JSON, or is the record of a restoration that found no damage.
    """
    text = _read(path)
    if len(text) > _LARGEST:
        raise InputError(f"{path} has more than {_LARGEST:,} bytes: give the JSON of a damage")
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is no JSON ({error}): give a damage, or the record that --trace wrote") from error
    if isinstance(data, Mapping) and "damage" in data:
        data = data["damage"]
        if data is None:
            raise InputError(f"{path} is the record of a restoration that found no damage: leave it out")
    return data


def _read(path: Path) -> bytes:
    """A file's bytes, as far as one more than `_LARGEST`; what is there and no file, such as a pipe, is not opened."""
    try:
        if path.is_file() or not path.exists():
            with path.open("rb") as file:
                return file.read(_LARGEST + 1)
    except (OSError, ValueError) as error:  # whoever gives the JSON itself has a name that is too long
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path} cannot be read ({reason}): check the name") from error
    raise InputError(f"{path} is no file: give the JSON of a damage, or the record that --trace wrote")
