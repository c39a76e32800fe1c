"""Kinds of JSON values: what each admits, and what it is called."""

from __future__ import annotations

from typing import Any

import pytest

from ldrps.prior.kinds import Flag, Kind, Null, Number, Record, Several, Table, Whole, Word

KINDS: list[tuple[Kind, list[Any], list[Any], str]] = [
    (Whole(1, 8), [1, 8], [0, 9, True, 1.0, "1", None, [1], {}], "a whole number from 1 to 8"),
    (Whole(3, 3), [3], [2, 4], "3"),
    (Number(0, 1), [0, 0.5, 1], [-0.1, 1.1, True, "0", None, float("nan"), 10**400], "a number from 0 to 1"),
    (Flag(), [True, False], [0, 1, None, "true"], "true or false"),
    (Null(), [None], [0, False, "", "null", []], "null"),
    (Word(3), ["a", "abc"], ["", "abcd", None, 1, ["a"]], "a string of 1 to 3 characters"),
    (Word(choices=("left", "right")), ["left"], ["up", ""], "left or right"),
    (Several(Flag(), 1, 2), [[True], [True, False]], [[], [True] * 3, True, [1], (True,)],
     "a list of 1 to 2, each true or false"),
    (Table(Null(), 1, 3), [{}, {"abc": None}], [{"abcd": None}, {"a": 1}, {"a": None, "b": None}, [], None],
     "an object of at most 1 names, each with null"),
    (Record({"a": Flag(), "b": Null()}, ("a",)), [{"a": True}, {"a": True, "b": None}],
     [{}, {"b": None}, {"a": 1}, {"a": True, "c": None}, None], "an object of a, b"),
    (Whole(1, 2) | Null(), [1, None], [0, False], "a whole number from 1 to 2 or null"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "good", "bad", "words"), KINDS)
def test_kinds_of_values(kind: Kind, good: list[Any], bad: list[Any], words: str) -> None:
    assert [value for value in good if not kind.admits(value)] == []
    assert [value for value in bad if kind.admits(value)] == []
    assert str(kind) == words
