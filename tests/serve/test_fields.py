from __future__ import annotations

import math
from typing import Any

import pytest

from ldrps.errors import InputError
from ldrps.serve.fields import LABELS, read, values
from ldrps.serve.order import OFFLINE, Order

START = values(Order())


def test_there_and_back() -> None:
    order = Order("fast", "a boat", seed=7, recurrences=2, scratches=True, colourise=True, relight=1.5)
    for each in (Order(), order, Order("best", OFFLINE, scale=2.5)):
        assert read(values(each)) == each
    assert read(START | {"seed": None, "scale": None, "caption": None}) == Order()


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("seed", 1.5, "is 1.5; give a whole number"),
        ("seed", -5, "is -5; give a number from 0 to 9,007,199,254,740,992"),
        ("seed", math.nan, "is nan; give a number"),
        ("seed", "many", "is many; give a number"),
        ("recurrences", 11, "is 11; give a number from 0 to 10"),
        ("scale", 0.5, "is 0.5; give a number from 1 to 8"),
        ("relight", 99, "is 99; give a number from 0 to 3"),
    ],
)
def test_an_error_names_its_field(name: str, value: Any, said: str) -> None:
    with pytest.raises(InputError) as refused:
        read(START | {name: value})
    assert str(refused.value).startswith(f'"{LABELS[name]}" {said}')


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"scale": 2.0, "scratches": True}, ("scale", "scratches")),
        ({"scale": 2.0, "preset": "ldrps"}, ("scale", "preset")),
        ({"scratches": True, "preset": "paper-denoising"}, ("scratches", "preset")),
        ({"caption": "x" * 501}, ("caption",)),
    ],
)
def test_what_does_not_go_together_is_told_in_the_words_of_the_page(
    given: dict[str, Any], named: tuple[str, ...]
) -> None:
    with pytest.raises(InputError) as refused:
        read(START | given)
    for name in named:
        assert f'"{LABELS[name]}"' in str(refused.value)
