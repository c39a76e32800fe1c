"""What became of the pictures of a set, against what was given."""

from __future__ import annotations

import math

import pytest

from ldrps.bench.outcomes import Outcomes, outcomes, recorded, worst_in_words
from ldrps.bench.store import Key, Row


def row(after: float | None, before: float | None, to_input: float | None = 30.0, seed: int = 0) -> Row:
    values = {"psnr_rgb": after, "psnr_input": before, "psnr_to_input": to_input}
    scores = {name: value for name, value in values.items() if value is not None}
    return Row(Key("identity #1", "lol", "a", seed, ""), scores, 1.0)


def test_damaged_pictures_are_counted_and_the_worst_are_named() -> None:
    gains = {"a": -3.0, "b": 2.0, "c": -0.5, "d": -0.6, "e": 4.0, "f": 0.0, "g": 1.0}
    rows = {name: [row(20 + gain, 20.0, math.inf if gain == 0 else 30.0)] for name, gain in gains.items()}
    found = outcomes(rows, is_clean=False)
    assert found is not None
    assert (found.same, found.far, found.worse) == (1, None, 2), "exactly 0.5 dB is not more than 0.5 dB"
    assert list(found.worst) == ["a", "d", "c", "f", "g"]
    assert worst_in_words(found) == "least gained, dB: a -3.00, d -0.60, c -0.50, f +0.00, g +1.00"


def test_undamaged_pictures_are_told_by_what_is_left_of_them() -> None:
    kept = {"a": 31.9, "b": 32.0, "c": math.inf, "d": 18.0}
    found = outcomes({name: [row(value, math.inf, value)] for name, value in kept.items()}, is_clean=True)
    assert found == Outcomes(1, 2, None, {"d": 18.0, "a": 31.9, "b": 32.0})
    assert worst_in_words(found) == "most changed, dB to itself: d 18.00, a 31.90, b 32.00"


@pytest.mark.parametrize("is_clean", [False, True])
def test_a_picture_counts_by_its_worst_seed(is_clean: bool) -> None:
    before = math.inf if is_clean else 25.0
    rows = [row(math.inf, before, math.inf, 0), row(20.0, before, 20.0, 1), row(35.0, before, 35.0, 2)]
    found = outcomes({"a": rows}, is_clean)
    assert found is not None
    assert found.same == 0, "a seed changed it"
    assert (found.far if is_clean else found.worse) == 1
    assert found.worst == {"a": 20.0 if is_clean else -5.0}


@pytest.mark.parametrize("is_clean", [False, True])
def test_nobody_is_named_where_all_came_back_as_given(is_clean: bool) -> None:
    before = math.inf if is_clean else 20.0
    found = outcomes({name: [row(before, before, math.inf)] for name in "abc"}, is_clean)
    assert found is not None
    assert (found.same, found.far or 0, found.worse or 0, found.worst) == (3, 0, 0, {})
    assert worst_in_words(found) == ""


def test_what_there_is_nothing_to_compare_with() -> None:
    assert outcomes({}, is_clean=True) is None
    assert outcomes({"a": [row(30.0, None, None)]}, is_clean=False) is None, "it was enlarged"
    assert outcomes({"a": [row(None, None, math.inf)], "b": [row(None, None, 30.0)]}, is_clean=False) == Outcomes(1)


def test_a_perfect_input_that_was_spoilt_is_an_endless_loss() -> None:
    found = outcomes({"a": [row(40.0, math.inf, 40.0)], "b": [row(30.0, 20.0)]}, is_clean=False)
    assert found is not None
    assert (found.worse, found.worst) == (1, {"a": -math.inf, "b": 10.0})
    assert recorded(found) == {"as_given": 0, "far": None, "worse": 1, "worst": dict(found.worst)}
    assert recorded(None) == dict.fromkeys(recorded(found)), "the same names"
