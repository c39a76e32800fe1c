"""Characters that no line for people may hold as they are, family by family, and a name that has them all."""

from __future__ import annotations

import unicodedata

# What it is, and how it is shown.
STRANGE = {
    "escape": ("\x1b[2J", r"\x1b[2J"),
    "bell": ("\x07", r"\x07"),
    "null": ("\0", r"\x00"),
    "line feed": ("\n", r"\n"),
    "carriage return": ("\r", r"\r"),
    "tabulator": ("\t", r"\t"),
    "vertical tabulator": ("\x0b", r"\x0b"),
    "unit separator": ("\x1f", r"\x1f"),
    "delete": ("\x7f", r"\x7f"),
    "control sequence of one byte": ("\x9b31m", r"\x9b31m"),
    "next line": ("\x85", r"\x85"),
    "line separator": ("\u2028", r"\u2028"),
    "paragraph separator": ("\u2029", r"\u2029"),
    "override": ("\u202e", r"\u202e"),
    "embedding": ("\u202a", r"\u202a"),
    "isolate": ("\u2067", r"\u2067"),
    "end of isolate": ("\u2069", r"\u2069"),
    "mark to the left": ("\u200f", r"\u200f"),
    "Arabic mark": ("\u061c", r"\u061c"),
    "zero width space": ("\u200b", r"\u200b"),
    "word joiner": ("\u2060", r"\u2060"),
    "byte order mark": ("\ufeff", r"\ufeff"),
    "soft hyphen": ("\xad", r"\xad"),
    "invisible plus": ("\u2064", r"\u2064"),
    "Hangul filler": ("\u3164", r"\u3164"),
    "grapheme joiner": ("\u034f", r"\u034f"),
    "annotation": ("\ufff9", r"\ufff9"),
    "tag": ("\U000e0041", r"\U000e0041"),
    "joiner of nothing": ("\u200d", r"\u200d"),
    "non-joiner of nothing": ("\u200c", r"\u200c"),
    "selector of nothing": ("\ufe0f", r"\ufe0f"),
    "byte that is no text": ("\udcff", r"\udcff"),
    "half a pair": ("\ud83d", r"\ud83d"),
    "no character yet": ("\u0378", r"\u0378"),
    "no character ever": ("\uffff", r"\uffff"),
    "private": ("\ue000", r"\ue000"),
}

# Of names of files of Linux: no null, no slash, and of surrogates those that stand for bytes.
NAME = "a" + "b".join(raw for raw, _ in STRANGE.values() if raw not in ("\0", "\ud83d"))
FAKE = "ldrps: all is well"
NAME = f"{NAME}\n{FAKE}"


def assert_seen(text: str) -> None:
    """Nothing strange is in a text of several lines, and none of its lines is the one that a name would fake."""
    for line in text.split("\n"):
        odd = [ascii(each) for each in line if unicodedata.category(each) in ("Cc", "Cf", "Cs", "Zl", "Zp", "Cn", "Co")]
        assert not odd, (odd, ascii(line))
        assert not set(line) & set("\u3164\u034f\ufe0f"), ascii(line)
        assert not line.startswith(FAKE), line
