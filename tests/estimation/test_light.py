"""What the judges of tones, haze and casts say together; each of them says here what a test has it say."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ldrps.degradation import LocalTone, WhiteBalance
from ldrps.estimation.cast_posterior import CastBelief, CastPosterior
from ldrps.estimation.damage import Damage
from ldrps.estimation.estimators import Estimators, load_estimators
from ldrps.estimation.haze_posterior import HazeBelief, HazePosterior
from ldrps.estimation.light import estimate_light
from ldrps.estimation.tone import estimate_tones

PICTURE = torch.rand(1, 3, 48, 64, generator=torch.Generator().manual_seed(0)) * 0.3 + 0.3


def logit(probability: float) -> float:
    return math.log(probability / (1 - probability))


class Hazy(nn.Module):
    """Half of the scene is left at the left side, all of it at the right."""

    def __init__(self, probability: float) -> None:
        super().__init__()
        self.config = {"hazy": 0.5}
        self.probability = probability
        self.asked: list[Tensor] = []

    def forward(self, images: Tensor) -> HazeBelief:
        self.asked.append(images)
        grid = torch.tensor([math.log(0.5), 0.0]).reshape(1, 1, 1, 2)
        grid = torch.cat([grid, grid.flip(-1)])
        airlight = torch.tensor([[0.9, 0.9, 0.9], [0.7, 0.9, 0.9]])
        veil = LocalTone(grid, airlight, torch.full((2,), 0.1), torch.full((2,), 0.9))
        return HazeBelief(torch.full((2,), logit(self.probability)), veil)


class Cast(nn.Module):
    def __init__(self, probability: float) -> None:
        super().__init__()
        self.config = {"casts": 0.5}
        self.probability = probability

    def forward(self, images: Tensor) -> CastBelief:
        gains = torch.tensor([[1.2, 1.0, 0.5], [1.2, 1.0, 0.5]])
        return CastBelief(torch.full((2,), logit(self.probability)), WhiteBalance(gains))


@pytest.fixture(scope="module")
def packaged() -> Estimators:
    return load_estimators()


def told(packaged: Estimators, **judges: Any) -> Damage:
    return estimate_light(PICTURE, dataclasses.replace(packaged, **({"haze": None, "cast": None} | judges)), 0.5)


def test_without_those_judges_it_is_what_the_judges_of_tones_say(packaged: Estimators) -> None:
    assert told(packaged) == estimate_tones(PICTURE, packaged.tone, 0.5)


def test_haze_that_is_seen_is_undone_place_by_place(packaged: Estimators) -> None:
    judge = Hazy(0.999)
    damage = told(packaged, haze=judge)
    assert torch.equal(judge.asked[0], torch.cat([PICTURE, PICTURE.flip(-1)]))
    assert damage.tone is not None and damage.tone.share == 1
    assert damage.local is not None and damage.local.share == 1
    veil = damage.local.value.parts[-1]
    assert isinstance(veil, LocalTone) and torch.as_tensor(veil.pivot).tolist() == [
        [pytest.approx(0.8), *[pytest.approx(0.9)] * 2]
    ]
    undone = damage.of_size(48, 64).undo_tone(PICTURE)
    assert not torch.equal(undone[..., :16], PICTURE[..., :16])
    again = Damage.from_plain(damage.plain())
    assert again == damage and torch.equal(again.undo_tone(PICTURE), damage.undo_tone(PICTURE))


def test_where_no_haze_is_seen_the_others_are_heard(packaged: Estimators) -> None:
    assert told(packaged, haze=Hazy(0.001)) == told(packaged)


def test_one_that_is_unsure_raises_what_is_believed_and_does_not_lower_it(packaged: Estimators) -> None:
    alone, both = told(packaged).tone, told(packaged, haze=Hazy(0.4)).tone
    assert alone is not None and both is not None
    assert both.probability == pytest.approx(1 - (1 - alone.probability) * 0.6, abs=1e-3)


def test_a_cast_counts_where_it_is_likelier_than_what_else_is_believed(packaged: Estimators) -> None:
    damage = told(packaged, cast=Cast(0.9999))
    assert damage.tone is not None and isinstance(damage.tone.value, WhiteBalance) and damage.local is None
    assert damage.tone.probability == pytest.approx(0.9999)
    torch.testing.assert_close(damage.tone.value.gains, torch.tensor([[1.2, 1.0, 0.5]]))
    assert told(packaged, cast=Cast(1e-6)) == told(packaged)
    assert Damage.from_plain(damage.plain()) == damage


@pytest.mark.parametrize("network", [HazePosterior(widths=(8, 16, 16)), CastPosterior(widths=(8, 16))])
def test_the_judges_take_pictures_of_any_size(network: HazePosterior | CastPosterior) -> None:
    with torch.no_grad():
        for size in ((2, 3, 7, 200), (1, 3, 300, 90)):
            belief = network(torch.rand(size))
            assert belief.logit.shape == size[:1]
    again = type(network).from_config(network.config)
    again.load_state_dict(network.state_dict())
    assert again.config == network.config
