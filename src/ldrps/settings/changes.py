"""Settings that differ in a few fields, told by their names."""

from __future__ import annotations

import dataclasses
from typing import Any

from ldrps.errors import SettingsError
from ldrps.settings.whole import Settings


def changed(settings: Settings, changes: dict[str, Any]) -> Settings:
    """Settings with dotted fields replaced, such as `method.shifts`.

    Raises:
        SettingsError: there is no such field.
    """
    for name, value in changes.items():
        settings = _replaced(settings, name.split("."), value, name)
    return settings


def _replaced(node: Any, path: list[str], value: Any, name: str) -> Any:
    fields = [field.name for field in dataclasses.fields(node)] if dataclasses.is_dataclass(node) else []
    if not fields:
        parent = name.removesuffix("." + ".".join(path))
        raise SettingsError(f"there is no setting {name!r}; {parent!r} is a value, without settings of its own")
    if path[0] not in fields:
        raise SettingsError(f"there is no setting {name!r}; at {path[0]!r} there are {', '.join(fields)}")
    if len(path) > 1:
        value = _replaced(getattr(node, path[0]), path[1:], value, name)
    return dataclasses.replace(node, **{path[0]: value})
