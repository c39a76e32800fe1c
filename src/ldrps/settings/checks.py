"""What every setting of a restoration is held against."""

from __future__ import annotations

import dataclasses
import difflib
import numbers
from collections.abc import Iterable
from types import NoneType
from typing import Any, get_args, get_type_hints

from ldrps.errors import SettingsError

_IN_WORDS = {int: "a whole number", float: "a number", bool: "True or False", str: "a text"}


def check(good: bool, name: str, value: object, wanted: str) -> None:
    if not good:
        raise SettingsError(f"{name} is {value}; it must be {wanted}")


def take_values(settings: object) -> None:
    """Refuse what is not of the type of its field, and make numpy's numbers Python's own: records are of JSON.

    Raises:
        SettingsError: such a value.
    """
    for name, kinds in _types_of(type(settings)).items():
        value = getattr(settings, name)
        taken = _taken(value, kinds)
        wanted = " or ".join(_IN_WORDS.get(kind, kind.__name__) for kind in kinds if kind is not NoneType)
        check(taken is not NotImplemented, name, repr(value), wanted)
        if taken is not value:
            object.__setattr__(settings, name, taken)


def no_such_setting(name: str, known: Iterable[str]) -> SettingsError:
    """The error for a name that no setting has, with the one that was meant, if one is near, else all of them."""
    known = sorted(known)
    near = difflib.get_close_matches(name, known, 1)
    those = f"the nearest is {near[0]!r}" if near else f"there are {', '.join(known)}"
    return SettingsError(f"there is no setting {name!r}; {those}")


def _types_of(settings: type) -> dict[str, tuple[type, ...]]:
    """Of each field, the types that its value may have."""
    hints = get_type_hints(settings)
    return {each.name: get_args(hints[each.name]) or (hints[each.name],) for each in dataclasses.fields(settings)}


def _taken(value: Any, kinds: tuple[type, ...]) -> Any:
    """The value as one of these types; NotImplemented where it is of none."""
    for kind in kinds:
        if kind in (int, float):
            is_number = isinstance(value, numbers.Real) and not isinstance(value, bool)
            if is_number and (kind is float or isinstance(value, numbers.Integral)):
                # A whole number may stand for itself among floats. numpy has a kind of float that is one of Python's.
                return value if type(value) in (int, float) else kind(value)
        elif kind is bool and type(value).__name__ in ("bool", "bool_"):  # numpy's, without numpy
            return bool(value)
        elif isinstance(value, kind):
            return value
    return NotImplemented
