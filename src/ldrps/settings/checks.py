"""What every number of a restoration is held against."""

from __future__ import annotations

import dataclasses
import numbers
from typing import Any

from ldrps.errors import SettingsError


def check(good: bool, name: str, value: object, wanted: str) -> None:
    if not good:
        raise SettingsError(f"{name} is {value}; it must be {wanted}")


def take_numbers(settings: Any) -> None:
    """Refuse what is no number where one is wanted, and make numpy's numbers Python's own: records are of JSON."""
    for each in dataclasses.fields(settings):
        value, whole = getattr(settings, each.name), each.type == "int"
        if each.type not in ("int", "float", "float | None") or (value is None and each.type == "float | None"):
            continue
        is_number = isinstance(value, numbers.Real) and not isinstance(value, bool)
        is_good = is_number and (not whole or isinstance(value, numbers.Integral))
        check(is_good, each.name, repr(value), "a whole number" if whole else "a number")
        if not isinstance(value, int | float) or type(value).__module__ != "builtins":  # numpy has a kind of float
            object.__setattr__(settings, each.name, int(value) if whole else float(value))
