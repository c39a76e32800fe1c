"""What every setting of a restoration is held against."""

from __future__ import annotations

import difflib
import numbers
from collections.abc import Iterable
from types import NoneType
from typing import Any, get_args

from ldrps.errors import SettingsError
from ldrps.settings.shown import Shown, Within, annotated, refused

_IN_WORDS = {int: "a whole number", float: "a number", bool: "True or False", str: "a text"}


def check(good: bool, name: str, value: object, wanted: str) -> None:
    """Refuse a value that is no good; `name` is a text as of `refused`, such as "{tile}" where that is an option."""
    if not good:
        raise refused(f"{name} is {{0}}; it must be {{1}}", value, wanted)


def take_values(settings: Any) -> None:
    """Refuse what is not of the type of its field or not within its bounds, and make numpy's numbers Python's own:
    records are of JSON.

    Raises:
        SettingsError: such a value.
    """
    for name, (hint, extras) in annotated(settings.__class__).items():
        kinds = get_args(hint) or (hint,)
        value = getattr(settings, name)
        taken = _taken(value, kinds)
        called = f"{{{name}}}" if any(isinstance(extra, Shown) for extra in extras) else name
        wanted = " or ".join(_IN_WORDS.get(kind, kind.__name__) for kind in kinds if kind is not NoneType)
        check(taken is not NotImplemented, called, repr(value), wanted)
        for bounds in (extra for extra in extras if isinstance(extra, Within)):
            check(taken is None or bounds.admits(taken), called, taken, bounds.words())
        if taken is not value:
            object.__setattr__(settings, name, taken)


def no_such_setting(name: str, known: Iterable[str]) -> SettingsError:
    """The error for a name that no setting has, with the one that was meant, if one is near, else all of them."""
    known = sorted(known)
    near = difflib.get_close_matches(name, known, 1)
    those = f"the nearest is {near[0]!r}" if near else f"there are {', '.join(known)}"
    return SettingsError(f"there is no setting {name!r}; {those}")


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
