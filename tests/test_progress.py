"""Following a restoration: who sees its steps, and who stops it."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from ldrps.image.tiles import Window
from ldrps.progress import Cancelled, Progress, Steps, follow

RESULT: Any = object()


def three(ended: list[str]) -> Steps:
    """Three steps to `RESULT`; notes in `ended` that it was left, whichever way."""
    try:
        for number in (1, 2, 3):
            yield Progress(
                number, 3, 0, 3 - number, {}, torch.zeros(1, 3, 8, 8), Window(0, 0, 8, 8), torch.Tensor.clone
            )
        return RESULT
    finally:
        ended.append("left")


@pytest.mark.parametrize("answer", [None, True, 0])
def test_it_goes_on_to_the_result(answer: Any) -> None:
    seen: list[int] = []

    def on_step(progress: Progress) -> Any:
        seen.append(progress.number)
        return answer

    assert follow(three([]), on_step) is RESULT
    assert seen == [1, 2, 3]
    assert follow(three([])) is RESULT, "nobody has to look"


def test_false_stops_it_and_leaves_the_method_in_order() -> None:
    ended: list[str] = []
    with pytest.raises(Cancelled, match="stopped after step 2 of 3"):
        follow(three(ended), lambda progress: progress.number < 2)
    assert ended == ["left"]
