"""What a program wants done to a picture: an object of JSON, with the names that `ldrps.restore` has."""

from __future__ import annotations

import json
import re
import reprlib
from collections.abc import Mapping
from dataclasses import dataclass, field, is_dataclass
from typing import Any

from ldrps.errors import LdrpsError, SettingsError
from ldrps.estimation.files import named_parts, once_each
from ldrps.image.formats import ALPHA
from ldrps.presets import preset
from ldrps.service.problems import Problem
from ldrps.settings import NamedSettings, Settings, changed, check_names

FORMATS = {"png": ".png", "jpeg": ".jpg", "webp": ".webp", "avif": ".avif", "tiff": ".tiff"}
_LONGEST_CAPTION = 500
# Told in another way, or not of a single restoration: `fill` follows from the mask.
_NOT_HERE = ("method", "strengths", "fill", "sample")
NAMES = tuple(name for name in NamedSettings.__annotations__ if name not in _NOT_HERE)
_KINDS: dict[str, tuple[type, str]] = {
    "caption": (str, "a text"),
    "format": (str, f"one of {', '.join(FORMATS)}"),
    "mask": (str, '"alpha"; else send it as a part of the request'),
    "quality": (int, "a whole number, 1 to 100"),
    "keep_metadata": (bool, "true or false"),
    "srgb": (bool, "true or false"),
    "first_frame": (bool, "true or false"),
}
_OTHERS = ("preset", "strength", "only", "skip", "damage", *_KINDS)


@dataclass(frozen=True)
class Ask:
    """What is done to a picture, checked.

    Attributes:
        plain: what was asked, as it came.
        settings: of the restoration.
        caption: what the picture should show.
        damage: what happened to it, as plain data; None to find out.
        alpha: whether what is transparent is filled.
        suffix: of the result's name, such as ".png"; "" for the picture's own.
        quality: of JPEG, WEBP and AVIF; None for the writers' own.
        keep_metadata: carry EXIF and XMP data over.
        srgb: convert the result to sRGB.
        first_frame: take the first of several frames.
    """

    plain: Mapping[str, Any] = field(default_factory=dict)
    settings: Settings = field(default_factory=Settings)
    caption: str = ""
    damage: Mapping[str, Any] | None = None
    alpha: bool = False
    suffix: str = ""
    quality: int | None = None
    keep_metadata: bool = True
    srgb: bool = False
    first_frame: bool = False

    @classmethod
    def read(cls, plain: Any, *, mask: bool = False, protect: bool = False) -> Ask:
        """What an object of JSON asks for.

        Args:
            plain: the object, as Python's json has it.
            mask: whether a mask of what is lost came with it.
            protect: whether one came of what is to stay.

        Raises:
            Problem: a name that there is not, or a value that cannot be; it has the name.
        """
        if not isinstance(plain, Mapping):
            raise Problem(422, f"the settings are {reprlib.repr(plain)}; give an object of them", field="settings")
        given = {name: value for name, value in plain.items() if value is not None}
        _check(given)
        if mask and "mask" in given:
            raise Problem(422, "there is a mask, and the setting mask: leave one of the two out", field="mask")
        alpha = given.get("mask") == ALPHA
        settings = _settings(given, holes=mask or alpha, protected=protect)
        if "damage" in given:
            _check_damage(given["damage"], settings)
        return cls(
            plain=dict(plain),
            settings=settings,
            caption=given.get("caption", ""),
            damage=given.get("damage"),
            alpha=alpha,
            suffix=FORMATS.get(given.get("format", ""), ""),
            quality=given.get("quality"),
            **{name: given[name] for name in ("keep_metadata", "srgb", "first_frame") if name in given},
        )


def read_json(text: bytes, field: str = "settings") -> Any:
    """What a text of JSON says.

    Raises:
        Problem: it is none, or has a number that is none, or an object with a name twice.
    """
    try:
        return json.loads(text or b"{}", parse_constant=_no_constant, object_pairs_hook=once_each)
    except (ValueError, RecursionError) as error:
        raise Problem(400, f"the {field} are no JSON ({error}): give an object", field=field) from error


def _check(given: Mapping[str, Any]) -> None:
    """Refuse names that there are not, and values of the wrong kind where no settings look at them."""
    for name in given:
        if name not in _OTHERS and name not in NAMES:
            try:
                check_names([name] if name not in _NOT_HERE else ["no such"], (*NAMES, *_OTHERS))
            except SettingsError as error:
                message = str(error) if name not in _NOT_HERE else f"{name} cannot be set here: leave it out"
                raise Problem(422, message, field=name) from error
    for name, (kind, wanted) in _KINDS.items():
        value = given.get(name)
        good = value is None or (isinstance(value, kind) and isinstance(value, bool) == (kind is bool))
        good = good and (name != "format" or value is None or value in FORMATS)
        good = good and (name != "mask" or value in (None, ALPHA))
        good = good and (name != "quality" or value is None or 1 <= value <= 100)
        if not good:
            raise Problem(422, f"{name} is {reprlib.repr(value)}; it must be {wanted}", field=name)
    if len(given.get("caption", "")) > _LONGEST_CAPTION:
        length = len(given["caption"])
        raise Problem(
            422, f"the caption has {length} characters, {_LONGEST_CAPTION} is the most: shorten it", field="caption"
        )


def _settings(given: Mapping[str, Any], *, holes: bool, protected: bool) -> Settings:
    name = given.get("preset", "default")
    try:
        chosen = preset(name)
    except SettingsError as error:
        raise Problem(422, str(error), field="preset") from error
    parts = {name: given[name] for name in ("strength", "only", "skip") if name in given}
    changes = {name: value for name, value in given.items() if name in NAMES}
    try:
        settings = _with_changes(chosen, changes)
        settings = settings.with_strengths(
            parts.get("strength"), only=parts.get("only", ()), skip=parts.get("skip", ())
        )
        return settings.with_masks(holes=holes, protected=protected)
    except (LdrpsError, TypeError, ValueError) as error:
        raise Problem(422, str(error), field=_field(chosen, changes, parts, str(error))) from error


def _with_changes(settings: Settings, changes: Mapping[str, Any]) -> Settings:
    """Settings with some replaced; an object stands for settings of which some are replaced."""
    flat: dict[str, Any] = {}
    for name, value in changes.items():
        if isinstance(value, Mapping) and is_dataclass(getattr(settings.method, name, None)):
            settings = changed(settings, _dotted(f"method.{name}", value))
        else:
            flat[name] = value
    return settings.with_changes(**flat)


def _dotted(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        return {name: value}
    return {dotted: each for key, inner in value.items() for dotted, each in _dotted(f"{name}.{key}", inner).items()}


def _field(chosen: Settings, changes: Mapping[str, Any], parts: Mapping[str, Any], message: str) -> str:
    """Which setting is wrong: one that is so by itself, or the first that the message names."""
    for name, value in changes.items():
        try:
            _with_changes(chosen, {name: value})
        except (LdrpsError, TypeError, ValueError):
            return name
    for name, value in parts.items():
        try:
            chosen.with_strengths(**{"strength" if name == "strength" else name: value})
        except (LdrpsError, TypeError, ValueError):
            return name
    named = re.findall(r"\w+", message)
    return next((name for name in named if name in changes or name in parts or name in _OTHERS), "settings")


def _check_damage(damage: Any, settings: Settings) -> None:
    """Refuse a damage that cannot be. Loads torch."""
    try:
        settings.require_parts()
        parts = named_parts(damage)
        if "holes" in parts:
            raise SettingsError("the damage has holes: leave them out, and send the mask as a part of the request")
        from ldrps.estimation.damage import Damage

        Damage.from_plain(damage)
    except (LdrpsError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise Problem(422, str(error), field="damage") from error


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")
