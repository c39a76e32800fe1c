"""Texts from outside, such as names of files and errors of other libraries, fit for a line that people read.

Whatever prints goes through here, so that no name clears a screen, turns a line around or makes one of its own.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator

# Letters and marks that show nothing though their category says otherwise, see Default_Ignorable_Code_Point of Unicode.
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")
# Of category Cf, and seen all the same: they stand before numbers and verses.
_VISIBLE = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd")
_NON_JOINER, _JOINER, _AS_PICTURE = "\u200c", "\u200d", "\ufe0f"
_STRANGE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def printable(text: object) -> str:
    r"""A text on one line, in which all can be seen: what cannot, or changes how the rest is shown, is escaped.

    That is controls, line breaks, marks of direction, characters without width, what is no character, and bytes of
    names that are no UTF-8, as \x1b, \n, \u202e or, such a byte, \udcff. Letters of every script stay, and spaces, and
    the joiners and variation selectors that belong to a letter or an emoji before them. A backslash stays as it is:
    paths of Windows stay readable, and a text that was made printable is not changed by being made so again.
    """
    return "".join(each if seen else _escape(each) for each, seen in _seen(str(text)))


def without_strange(text: str) -> str:
    """The same text with all that `printable` would escape left out."""
    return "".join(each for each, seen in _seen(text) if seen)


def json_text(value: object, *, allow_nan: bool = True) -> str:
    """Plain data as indented JSON, of ASCII that can be seen alone; without a line break at the end.

    `allow_nan` lets infinity and NaN pass, which Python's JSON knows; else they are a ValueError.
    """
    return json.dumps(value, indent=2, allow_nan=allow_nan).replace(
        "\x7f", "\\u007f"
    )  # the one control that json leaves as it is


def _seen(text: str) -> Iterator[tuple[str, bool]]:
    """Each character, and whether it may stay. What stays because of its neighbours has neighbours that stay."""
    before = ""
    for number, each in enumerate(text):
        stays = " " <= each <= "~" or _stays(each, before, text[number + 1 : number + 2])
        yield each, stays
        before = each if stays else ""


def _stays(each: str, before: str, after: str) -> bool:
    if each in (_JOINER, _NON_JOINER):
        is_between = each == _JOINER and _is_pictograph(after) and (_is_pictograph(before) or before == _AS_PICTURE)
        return is_between or _is_of_joined_script(before)
    if _is_selector(each):
        return _may_be_selected(before)
    if unicodedata.category(each) in _STRANGE:
        return each in _VISIBLE or _is_pictograph(each)
    return each not in _BLANK


def _is_pictograph(each: str) -> bool:
    """Whether it is an emoji or a sign like one; of the block of emoji, also those of a later Unicode than ours."""
    if "\U0001f000" <= each <= "\U0001faff":
        return True
    return each >= "\u2190" and unicodedata.category(each) in ("So", "Sm")


def _is_of_joined_script(each: str) -> bool:
    """Whether it is a letter or a mark of Arabic, of India and its neighbours, or of others whose letters may join."""
    if not ("\u0600" <= each <= "\u1cff" or "\ua800" <= each <= "\uabff" or "\U00010a00" <= each <= "\U00011fff"):
        return False
    return not _is_selector(each) and unicodedata.category(each)[0] in "LM"


def _is_selector(each: str) -> bool:
    """Whether it chooses the form of the character before it."""
    return "\ufe00" <= each <= "\ufe0f" or "\U000e0100" <= each <= "\U000e01ef" or each in "\u180b\u180c\u180d\u180f"


def _may_be_selected(each: str) -> bool:
    """Whether there are forms to choose from: of emoji, keycaps, signs and scripts of Asia, not of Latin letters."""
    if not each or _is_selector(each) or each in (_JOINER, _NON_JOINER):
        return False
    return each in "#*0123456789\u00a9\u00ae" or (each >= "\u1000" and not "\u1e00" <= each <= "\u2000")


def _escape(each: str) -> str:
    return each.encode("unicode_escape", "surrogatepass").decode()
