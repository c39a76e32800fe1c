"""What the judges of tones and of casts say together; each of them says here what a test has it say."""

from __future__ import annotations

import dataclasses
import math
from types import MappingProxyType
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ldrps.degradation import Exposure, Pointwise, Tone, WhiteBalance
from ldrps.estimation.cast_posterior import CastBelief, CastPosterior
from ldrps.estimation.damage import Damage
from ldrps.estimation.estimators import Estimators, load_estimators
from ldrps.estimation.light import estimate_light, takes_away
from ldrps.estimation.tone import estimate_tones
from ldrps.estimation.tone_posterior import ToneBelief

PICTURE = torch.rand(1, 3, 48, 64, generator=torch.Generator().manual_seed(0)) * 0.3 + 0.1


class Cast(nn.Module):
    """One that holds a cast for that likely."""

    config = MappingProxyType({"casts": 0.025})

    def __init__(self, probability: float) -> None:
        super().__init__()
        self.logit = torch.full((2,), math.log(probability / (1 - probability)))
        self.asked: list[Tensor] = []

    def forward(self, images: Tensor) -> CastBelief:
        self.asked.append(images)
        return CastBelief(self.logit, WhiteBalance(torch.tensor([[1.2, 1.0, 0.5], [0.3, 1.0, 0.5]])))


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
    return load_estimators()


def told(estimators: Estimators, cast: float, damaged: float) -> Damage:
    judges: Any = {"cast": Cast(cast), "tone": Tones(damaged)}
    return estimate_light(PICTURE, dataclasses.replace(estimators, **judges), 0.5)


@pytest.mark.parametrize("damaged", [0.05, 0.9])
def test_a_cast_counts_where_it_is_likelier_than_what_else_is_believed(damaged: float, estimators: Estimators) -> None:
    damage = told(estimators, cast=0.97, damaged=damaged)
    assert damage.tone is not None and isinstance(damage.tone.value, WhiteBalance) and damage.local is None
    assert damage.tone.probability == pytest.approx(0.97, abs=1e-5)
    torch.testing.assert_close(damage.tone.value.gains, torch.tensor([[0.6, 1.0, 0.5]]))
    assert Damage.from_plain(damage.plain()) == damage


def test_what_is_grey_has_no_cast(estimators: Estimators) -> None:
    judges: Any = {"cast": Cast(0.999), "tone": Tones(0.05)}
    grey = PICTURE.mean(1, keepdim=True).expand(-1, 3, -1, -1)
    found = estimate_light(grey, dataclasses.replace(estimators, **judges), 0.5)
    assert found == estimate_tones(grey, judges["tone"], 0.5) and not judges["cast"].asked


@pytest.mark.parametrize(("cast", "damaged"), [(0.3, 0.4), (0.97, 0.99), (0.1, 0.05)])
def test_what_is_likelier_than_a_cast_is_as_the_judges_of_tones_say(
    cast: float, damaged: float, estimators: Estimators
) -> None:
    alone: Any = Tones(damaged)
    assert told(estimators, cast, damaged) == estimate_tones(PICTURE, alone, 0.5)


def test_the_judge_is_asked_both_ways_round_and_told_how_rare_casts_are(estimators: Estimators) -> None:
    judge: Any = Cast(0.5)
    tones: Any = Tones(0.001)
    judges = dataclasses.replace(estimators, cast=judge, tone=tones)
    found = [estimate_light(PICTURE, judges, undamaged).tone for undamaged in (0.1, 0.5)]
    assert all(torch.equal(seen, torch.cat([PICTURE, PICTURE.flip(-1)])) for seen in judge.asked)
    assert len(judge.asked) == 2
    # Before a picture is seen, 0.05 of what is damaged, beside 0.025 in its training.
    odds = [each.probability / (1 - each.probability) for each in found if each is not None]
    assert odds == pytest.approx([0.045 / 0.955 * 0.975 / 0.025, 1.0], rel=1e-4)


def test_the_judge_takes_pictures_of_any_size() -> None:
    network = CastPosterior(widths=(8, 16))
    with torch.no_grad():
        for size in ((2, 3, 7, 200), (1, 3, 300, 90)):
            belief = network(torch.rand(size))
            assert belief.logit.shape == size[:1] and bool((belief.cast.gains > 0).all())
    again = CastPosterior.from_config(network.config)
    again.load_state_dict(network.state_dict())
    assert again.config == network.config


class TonesByBrightness(nn.Module):
    """A curve that is as likely as told of what is darker than 0.3, and of what is brighter."""

    config = Tones.config

    def __init__(self, darker: float, brighter: float) -> None:
        super().__init__()
        self.darker, self.brighter = darker, brighter

    def forward(self, images: Tensor, ways: int = 1) -> ToneBelief:
        return Tones(self.darker if float(images.mean()) < 0.3 else self.brighter)(images, ways)


DARKER, BRIGHTER = Tone(0.5), Tone(2.0)


def changed(estimators: Estimators, change: Pointwise, darker: float, brighter: float) -> Damage:
    """What is said of a picture that a program has changed; its mean is 0.25 or 0.5."""
    judges: Any = {"cast": Cast(0.001), "tone": TonesByBrightness(darker, brighter)}
    picture = PICTURE if change is DARKER else 2 * PICTURE
    return estimate_light(picture, dataclasses.replace(estimators, **judges), 0.5, change)


def test_a_change_for_the_worse_is_undone_as_it_was(estimators: Estimators) -> None:
    tone = changed(estimators, DARKER, darker=0.5, brighter=0.1).tone
    assert tone is not None and tone.value is DARKER and tone.share == 1
    tone = changed(estimators, BRIGHTER, darker=0.05, brighter=0.8).tone
    assert tone is not None and tone.value is BRIGHTER and tone.share == 1


def test_a_change_for_the_better_is_left_alone(estimators: Estimators) -> None:
    damage = changed(estimators, BRIGHTER, darker=0.45, brighter=0.1)
    assert damage.absent and damage.tone is not None and damage.tone.value is not BRIGHTER
    damage = changed(estimators, DARKER, darker=0.02, brighter=0.4)
    assert damage.absent


def test_where_judges_see_no_difference_the_darker_one_was_damage(estimators: Estimators) -> None:
    tone = changed(estimators, DARKER, darker=0.1, brighter=0.1).tone
    assert tone is not None and tone.value is DARKER and tone.share == 1
    assert changed(estimators, BRIGHTER, darker=0.1, brighter=0.1).absent


def test_what_was_damaged_before_a_change_is_judged_as_it_is(estimators: Estimators) -> None:
    tone = changed(estimators, DARKER, darker=0.95, brighter=0.9).tone
    assert tone is not None and tone.value is not DARKER and tone.probability == pytest.approx(0.95, abs=1e-4)


@pytest.mark.parametrize(
    ("tone", "expected"),
    [
        (Tone(0.7), True),
        (Tone(gamma=1.5), True),
        (Tone(0.7, 0.3), True),
        (Exposure(-1.0), True),
        (Tone(1.3), False),
        (Tone(gamma=0.7), False),
        (Exposure(1.0), False),
    ],
)
def test_which_changes_take_light_or_contrast_away(tone: Pointwise, expected: bool) -> None:
    assert takes_away(tone) is expected
