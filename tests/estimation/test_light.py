"""What the judges of tones, haze and casts say together; each of them says here what a test has it say."""

from __future__ import annotations

import dataclasses
import math
from types import MappingProxyType
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ldrps.degradation import LocalTone, Tone, WhiteBalance
from ldrps.estimation.cast_posterior import CastBelief, CastPosterior
from ldrps.estimation.damage import Damage
from ldrps.estimation.estimators import Estimators, load_estimators
from ldrps.estimation.haze_posterior import HazeBelief, HazePosterior
from ldrps.estimation.light import estimate_light
from ldrps.estimation.tone import estimate_tones
from ldrps.estimation.tone_posterior import ToneBelief

PICTURE = torch.rand(1, 3, 48, 64, generator=torch.Generator().manual_seed(0)) * 0.3 + 0.1
DARK, BRIGHT = torch.full((2,), 0.0), torch.full((2,), 1.0)


class Judge(nn.Module):
    """One that holds its fault for that likely, before as after it is told what share of pictures has it."""

    config = MappingProxyType({"hazy": 0.5, "casts": 0.05})

    def __init__(self, probability: float) -> None:
        super().__init__()
        self.logit = torch.full((2,), math.log(probability / (1 - probability)))
        self.asked: list[Tensor] = []


class Hazy(Judge):
    """Half of the scene is left at the left side, all of it at the right."""

    def forward(self, images: Tensor) -> HazeBelief:
        self.asked.append(images)
        grid = torch.tensor([math.log(0.5), 0.0]).reshape(1, 1, 1, 2)
        airlight = torch.tensor([[0.9, 0.9, 0.9], [0.7, 0.9, 0.9]])
        return HazeBelief(self.logit, LocalTone(torch.cat([grid, grid.flip(-1)]), airlight, DARK, BRIGHT))


class Cast(Judge):
    def forward(self, images: Tensor) -> CastBelief:
        return CastBelief(self.logit, WhiteBalance(torch.tensor([[1.2, 1.0, 0.5], [1.2, 1.0, 0.5]])))


class Tones(nn.Module):
    """A curve that is that likely."""

    config = MappingProxyType({"thumbnail": 16, "undamaged": 0.5, "turned": True})

    def __init__(self, damaged: float = 0.05) -> None:
        super().__init__()
        self.damaged = damaged

    def forward(self, images: Tensor, ways: int = 1) -> ToneBelief:
        count = len(images)
        curve = Tone(*(torch.full((count, 3), value) for value in (0.8, 0.1, 1.0)))
        return ToneBelief(
            (curve,), torch.tensor([[1 - self.damaged, self.damaged]]).repeat(count, 1), torch.full((count, 1), 0.05)
        )


@pytest.fixture(scope="module")
def estimators() -> Estimators:
    alone: Any = {"tone": Tones(), "haze": None, "cast": None}
    return dataclasses.replace(load_estimators(), **alone)


def told(estimators: Estimators, **judges: Any) -> Damage:
    return estimate_light(PICTURE, dataclasses.replace(estimators, **judges), 0.5)


def test_without_those_judges_it_is_what_the_judges_of_tones_say(estimators: Estimators) -> None:
    assert told(estimators) == estimate_tones(PICTURE, estimators.tone, 0.5)


def test_haze_is_undone_place_by_place_beside_what_the_judges_of_tones_say(estimators: Estimators) -> None:
    judge = Hazy(0.999)
    wrong: Any = Tones(0.999)
    damage = told(estimators, haze=judge, tone=wrong)
    assert torch.equal(judge.asked[0], torch.cat([PICTURE, PICTURE.flip(-1)]))
    assert damage.local is not None and damage.local.share == 1 and damage.local.strength == 0.5
    veil = damage.local.value.parts[-1]
    assert isinstance(veil, LocalTone)
    torch.testing.assert_close(veil.pivot, torch.tensor([[0.8, 0.9, 0.9]]))
    curves = told(estimators, tone=wrong).undo_tone(PICTURE)
    alone = veil.invert(PICTURE).clamp(0, 1)
    torch.testing.assert_close(damage.undo_tone(PICTURE), (curves + alone) / 2, atol=1e-3, rtol=0)
    again = Damage.from_plain(damage.plain())
    assert again == damage and torch.equal(again.undo_tone(PICTURE), damage.undo_tone(PICTURE))


def test_nobody_asks_about_haze_where_nothing_is_seen_to_be_wrong(estimators: Estimators) -> None:
    judge = Hazy(0.999)
    assert told(estimators, haze=judge) == told(estimators) and not judge.asked


def test_where_it_is_something_else_than_haze_the_curves_are_alone(estimators: Estimators) -> None:
    wrong: Any = Tones(0.999)
    assert told(estimators, haze=Hazy(0.01), tone=wrong) == told(estimators, tone=wrong)


def test_a_cast_counts_where_it_is_likelier_than_what_else_is_believed(estimators: Estimators) -> None:
    damage = told(estimators, cast=Cast(0.999), haze=Hazy(0.9))
    assert damage.tone is not None and isinstance(damage.tone.value, WhiteBalance) and damage.local is None
    assert damage.tone.probability == pytest.approx(0.999, abs=1e-5)
    torch.testing.assert_close(damage.tone.value.gains, torch.tensor([[1.2, 1.0, 0.5]]))
    assert Damage.from_plain(damage.plain()) == damage
    wrong: Any = Tones(0.97)
    for less, tone in ((1e-4, estimators.tone), (0.9, wrong)):
        assert told(estimators, cast=Cast(less), tone=tone) == told(estimators, tone=tone)


@pytest.mark.parametrize(
    "network", [HazePosterior(widths=(8, 16, 16)), CastPosterior(widths=(8, 16))], ids=["haze", "cast"]
)
def test_the_judges_take_pictures_of_any_size(network: HazePosterior | CastPosterior) -> None:
    with torch.no_grad():
        for size in ((2, 3, 7, 200), (1, 3, 300, 90)):
            assert network(torch.rand(size)).logit.shape == size[:1]
    again = type(network).from_config(network.config)
    again.load_state_dict(network.state_dict())
    assert again.config == network.config
