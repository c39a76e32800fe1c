"""Messages about what a file says: short, and fit for a terminal."""

from __future__ import annotations

import pytest

from ldrps.prior.refusal import reason, shown, unusable


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("plain words", "plain words"),
        ("", "''"),
        ("\x1b[2J", r"'\x1b[2J'"),
        ("\ud800", r"'\ud800'"),
        (None, "None"),
        ([32, 64], "[32, 64]"),
        ({"a": [1]}, "{'a': [1]}"),
    ],
)
def test_values_are_shown_as_they_are(value: object, text: str) -> None:
    assert shown(value) == text


@pytest.mark.parametrize(
    "value", ["a" * 5000, ["a" * 99] * 5000, 10**4000, {str(n): n for n in range(999)}, [[[[[1]]]]]]
)
def test_long_values_are_shortened(value: object) -> None:
    assert len(shown(value)) < 1000 and "..." in shown(value)


def test_what_a_library_says_is_one_line() -> None:
    assert reason(ValueError("one\n\ttwo \x1b[2J \ud800")) == r"ValueError: one two \x1b[2J \ud800"
    assert len(reason(KeyError("a" * 5000))) < 500


def test_a_message_says_where_what_and_how_to_mend_it() -> None:
    assert str(unusable("a.json", "1", "2", "mend it")) == "a.json: found 1, expected 2; mend it"
