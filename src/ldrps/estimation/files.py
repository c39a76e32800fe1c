"""A damage in a file, as plain data. Importing this costs no torch, so that a mistake is told at once."""

from __future__ import annotations

import json
import os
import reprlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ldrps.errors import InputError, SettingsError
from ldrps.settings import MAX_SCALE

NAMES = ("tone", "local", "noise", "blur", "holes")  # of the parts of a damage
_LARGEST = 10_000_000  # bytes; a damage has some thousands
_DEEPEST = 32  # objects and lists in each other; a damage has six at most, and Python takes some hundreds


@dataclass(frozen=True)
class PlainDamage:
    """What a file said of a damage when it was read: all pictures get the same, whatever becomes of the file.

    Attributes:
        path: of the file, for messages.
        data: what `Damage.from_plain` takes.
        scale: how many times larger than its picture the result is whose pixels those of a blur are; None for as many
            times as the result that is wanted. Records tell it.
    """

    path: Path
    data: Mapping[str, Any]
    scale: float | None = None


def read_plain(path: Path) -> PlainDamage:
    """What a file of JSON says of the damage, or that of a record of a restoration the damage in it.

    Raises:
        InputError: the file cannot be read, is no JSON, or is the record of a restoration that found no damage; or its
            parts are not those of a damage. What each part holds is checked by `Damage.load`, which needs torch.
    """
    data, scale = _read_json(path), None
    if isinstance(data, Mapping) and "damage" in data:
        data, scale = data["damage"], _scale_of(data)
        if data is None:
            raise InputError(f"{path} is the record of a restoration that found no damage: leave it out")
        if isinstance(data, str):
            raise InputError(f"{path} has the damage in words, as ldrps 0.1 did: restore with --trace again")
    try:
        return PlainDamage(path, named_parts(data), scale)
    except SettingsError as error:
        raise InputError(f"{path}: {error}") from error


def _scale_of(record: Mapping[str, Any]) -> float | None:
    """By how much a restoration enlarged its picture, as its record says; None of one that does not."""
    settings = record.get("settings")
    scale = settings.get("scale") if isinstance(settings, Mapping) else None
    if isinstance(scale, bool) or not isinstance(scale, int | float) or not 1 <= scale <= MAX_SCALE:
        return None
    return float(scale)


def named_parts(data: Any) -> Mapping[str, Any]:
    """A damage as plain data: an object of parts that there are, whatever is said of them.

    Raises:
        SettingsError: it is no object, or there is no such part.
    """
    if not isinstance(data, Mapping):
        raise SettingsError(f"the damage is {reprlib.repr(data)}; give an object of parts: {', '.join(NAMES)}")
    if unknown := [name for name in data if name not in NAMES]:
        raise SettingsError(f"the damage has no part {reprlib.repr(unknown[0])}; there are {', '.join(NAMES)}")
    return data


def _read_json(path: Path) -> Any:
    text = _read_bytes(path)
    if len(text) > _LARGEST:
        raise InputError(f"{path} has more than {_LARGEST:,} bytes: give the JSON of a damage")
    try:
        data = json.loads(text, object_pairs_hook=once_each)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is no JSON ({error}): give a damage, or the record that --trace wrote") from error
    if _is_deep(data):
        raise InputError(f"{path} has more than {_DEEPEST} lists and objects in each other: give the JSON of a damage")
    return data


def _read_bytes(path: Path) -> bytes:
    """A file's bytes, as far as one more than `_LARGEST`; what is there and no file, such as a pipe, is not opened."""
    if os.path.exists(path) and not os.path.isfile(path):  # which, unlike those of a Path, refuse no name
        raise InputError(f"{path} is no file: give the JSON of a damage, or the record that --trace wrote")
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST + 1)
    except (OSError, ValueError) as error:  # the latter of names that no file can have
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path} cannot be read ({reason}): check the name") from error


def once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON, in which nothing that somebody wrote is passed over."""
    names = [name for name, _ in pairs]
    if len(set(names)) < len(names):
        raise ValueError(f"{next(name for name in names if names.count(name) > 1)[:40]!r} is there twice")
    return dict(pairs)


def _is_deep(data: Any) -> bool:
    level = [data]
    for _ in range(_DEEPEST):
        level = [each for holder in level if isinstance(holder, dict | list) for each in _held(holder)]
    return any(isinstance(each, dict | list) for each in level)


def _held(holder: dict[str, Any] | list[Any]) -> list[Any]:
    return list(holder.values()) if isinstance(holder, dict) else holder
