"""The fields of the page: what they are called, and what visitors put into them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ldrps.errors import InputError, LdrpsError
from ldrps.serve.order import OFFLINE, Order
from ldrps.settings import MAX_SCALE

# By the names of the settings that they give.
LABELS = {
    "preset": "Way of restoring",
    "scale": "Make it larger, times",
    "scratches": "Find scratches and other marks, and fill them",
    "colourise": "Give grey pictures colours",
    "relight": "How much the words say about the light",
    "caption": "What it should show, in words",
    "seed": "Seed",
    "recurrences": "Recurrences",
}
PRESETS = {
    "default": "Default",
    "fast": "Fast, a little rougher",
    "best": "Best, takes some times as long",
    "ldrps": "LD-RPS, the published loop, a minute and more",
    "paper-lowlight": "As published, for dark pictures",
    "paper-dehazing": "As published, for haze",
    "paper-denoising": "As published, for noise",
}
_MOST_RECURRENCES, _LARGEST_SEED, MOST_RELIT = 10, 2**53, 3
_QUOTED = re.compile(r"\b(" + "|".join(LABELS) + r")\b")


def read(given: Mapping[str, Any]) -> Order:
    """What a visitor wants, of the values of the fields.

    Raises:
        InputError: a number is none, is not whole where it must be, or is out of range; or the settings do not go
            together. The message names the field.
    """
    order = Order(
        preset=given["preset"],
        caption=OFFLINE if given["describe"] else (given["caption"] or "").strip(),
        seed=_whole(given, "seed", _LARGEST_SEED),
        recurrences=_whole(given, "recurrences", _MOST_RECURRENCES),
        scale=_number(given, "scale", 1, MAX_SCALE),
        scratches=bool(given["scratches"]),
        colourise=bool(given["colourise"]),
        relight=_number(given, "relight", 0, MOST_RELIT),
    )
    try:
        order.settings()
    except LdrpsError as error:
        raise InputError(in_labels(str(error))) from error
    return order


def values(order: Order) -> dict[str, Any]:
    """What the fields hold where an order is wanted; the other way round than `read`."""
    offline = order.caption == OFFLINE
    plain = {name: getattr(order, name) for name in LABELS}
    return plain | {"caption": "" if offline else order.caption, "describe": offline}


def in_labels(message: str) -> str:
    """An error of the settings, with fields in place of their names."""
    return _QUOTED.sub(lambda found: f'"{LABELS[found[0]]}"', message)


def _whole(given: Mapping[str, Any], name: str, most: int) -> int:
    number = _number(given, name, 0, most)
    if number != round(number):
        raise InputError(f'"{LABELS[name]}" is {number:g}; give a whole number')
    return round(number)


def _number(given: Mapping[str, Any], name: str, least: float, most: float) -> float:
    value = given[name]
    if value is None or value == "":
        return float(least)
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise InputError(f'"{LABELS[name]}" is {value}; give a number from {least:,.0f} to {most:,.0f}')
    return float(value)
