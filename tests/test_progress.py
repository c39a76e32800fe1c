"""Following a restoration: who sees its steps, and who stops it."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from conftest import noisy

from ldrps import Prior, Restorer
from ldrps.errors import Cancelled, InputError, SettingsError
from ldrps.image.tiles import Window
from ldrps.progress import PictureRestorer, Progress, Steps, follow
from ldrps.rivals.facts import Facts
from ldrps.rivals.rival import Rival, RivalStep, Run

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


class Grainy(Rival):
    """Adds grain."""

    def run(self, y: torch.Tensor, generator: torch.Generator) -> Run:
        grainy = y + torch.randn(y.shape, generator=generator) / 50
        yield RivalStep(1, 1, {}, grainy)
        return grainy


@pytest.fixture(params=["ldrps", "rival"])
def restorer(request: pytest.FixtureRequest, tiny_prior: Prior) -> PictureRestorer:
    rival = Grainy(Facts("grainy", "adds grain", "all", "nobody"))
    return rival if request.param == "rival" else Restorer(tiny_prior)


def test_whoever_restores_is_asked_alike(restorer: PictureRestorer) -> None:
    picture = noisy()
    seeded = restorer.with_seed(7)
    result = seeded(picture, "a boat")
    assert (result.seed, result.caption.text, restorer(picture).seed) == (7, "a boat", 0)
    again = follow(seeded.within((48, 40), 2**34).steps(picture, recaption=lambda image: pytest.fail("asked in vain")))
    assert (again.levels == result.levels).all()
    with pytest.raises(Cancelled):
        restorer(picture, on_step=lambda progress: False)
    with pytest.raises(SettingsError, match="seed is -1"):
        restorer.with_seed(-1)
    with pytest.raises(InputError, match=r"48 x 40 takes .* at least, the limit is 0\.25 GiB"):
        restorer.within((48, 40), 2**28)
