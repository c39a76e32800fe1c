from __future__ import annotations

import pytest
import torch
from torch import Tensor

from ldrps.degradation import Compose, Exposure, Tone, Veil, WhiteBalance
from ldrps.degradation.base import Degradation
from ldrps.degradation.change import ToneChange, change_of_levels, veil_of

X = torch.rand(1, 3, 40, 50, generator=torch.Generator().manual_seed(0)) * 0.7 + 0.1


def gains(*values: float) -> WhiteBalance:
    return WhiteBalance(torch.tensor(values))


def between(part: Degradation, x: Tensor = X) -> ToneChange:
    levels = torch.linspace(0, 1, 257).expand(1, 3, 1, -1)
    return ToneChange.between(part(x).clamp(0, 1), x, veil_of(part.invert(levels)[0, :, 0].clamp(0, 1)))


@pytest.mark.parametrize("stops", [-3.0, -1.0, -0.5, 0.1])
def test_stops_are_of_linear_light(stops: float) -> None:
    assert between(Exposure(stops)).stops == pytest.approx(stops, abs=0.02)


@pytest.mark.parametrize(
    ("part", "words"),
    [
        (Compose(), ["tones a little off"]),
        (Exposure(-2.0), ["2.0 stops too dark"]),
        (Exposure(0.2), ["tones a little off"]),
        (gains(1.0, 0.8, 0.5), ["too warm"]),
        (gains(0.6, 0.8, 1.1), ["too cold"]),
        (gains(0.7, 1.0, 0.7), ["too green"]),
        (gains(1.0, 0.7, 1.0), ["too magenta"]),
        (Compose((gains(0.8, 0.6, 0.4), Exposure(-2.0))), ["2.7 stops too dark", "too warm"]),
        (Veil(0.6, 0.9), ["a veil of 37%"]),
        (Tone(0.85, 0.04), ["too flat"]),
    ],
)
def test_words_agree_with_what_was_done(part: Degradation, words: list[str]) -> None:
    assert between(part).words() == words


@pytest.mark.parametrize("part", [Exposure(-2.0), gains(0.6, 0.9, 0.5), gains(0.9, 0.9, 0.4), Veil(0.5, 0.8)])
def test_grey_tells_as_much_of_light_as_colours_do(part: Degradation) -> None:
    """Who cannot tell colours reads the same stops and veil of the picture in grey."""
    coloured = between(part)
    y, x = (each.mean(1, keepdim=True).expand(-1, 3, -1, -1) for each in (part(X), X))
    grey = ToneChange.between(y, x, coloured.veil)
    assert grey.stops == pytest.approx(coloured.stops, abs=0.25) and grey.warmth == pytest.approx(0, abs=1e-3)


def test_black_is_as_it_was() -> None:
    assert between(Exposure(-1.0), torch.zeros(1, 3, 8, 8)).words() == ["tones a little off"]


def test_levels_alone() -> None:
    levels = torch.linspace(0, 1, 257).expand(3, -1)
    assert change_of_levels(levels) == ToneChange(veil=pytest.approx(0.02, abs=0.01))
    assert change_of_levels((levels * 2).clamp(0, 1)).stops < -0.4
