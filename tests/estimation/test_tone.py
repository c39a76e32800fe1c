from __future__ import annotations

import json
import math
from typing import Any

import pytest
import torch
from torch import Tensor

from ldrps.degradation import Tone
from ldrps.estimation.tone import LEVELS, ToneFinding, find_tone
from ldrps.estimation.tone_posterior import ToneBelief, ToneField, TonePosterior

GREY = torch.full((1, 3, 24, 32), 0.4)
IDENTITY = torch.linspace(0, 1, LEVELS).repeat(3, 1)
Damage = tuple[float, float, float, float]  # weight, gain, offset, gamma


def believing(undamaged: float, *hypotheses: Damage) -> Any:
    """A posterior, trained with as many undamaged pictures as others, that says the same about every picture."""

    def answer(images: Tensor) -> ToneBelief:
        count = len(images)
        curves = tuple(Tone(*(torch.full((count, 3), value) for value in numbers)) for _, *numbers in hypotheses)
        weights = torch.tensor([[undamaged, *(weight for weight, *_ in hypotheses)]]).repeat(count, 1)
        return ToneBelief(curves, weights, torch.full((count, len(hypotheses)), 0.05))

    answer.config = {"thumbnail": 16, "undamaged": 0.5}  # type: ignore[attr-defined]
    return answer


@pytest.mark.parametrize(
    ("undamaged", "amount"), [(0.0, 1), (0.2, 1), (0.25, 1), (0.375, 0.75), (0.5, 0.5), (0.75, 0), (0.9, 0)]
)
@pytest.mark.parametrize("strength", [1.0, 0.5, 0.0])
def test_no_damage_is_a_hypothesis_that_has_to_be_beaten(undamaged: float, amount: float, strength: float) -> None:
    posterior = believing(undamaged, (1 - undamaged, 1, 0.1, 1))
    finding = find_tone(GREY, posterior, strength, 0.5)
    assert finding.undamaged == pytest.approx(undamaged, abs=1e-6)
    assert finding.amount == pytest.approx(strength * amount, abs=1e-5)
    torch.testing.assert_close(finding.undo(GREY), GREY - finding.amount * 0.1)


def test_the_prior_probability_counts() -> None:
    posterior = believing(0.5, (0.5, 1, 0.1, 1))
    # Odds of 1 to 1 under even odds before; with 4 to 1 before, 4 to 1 after.
    assert find_tone(GREY, posterior, 1.0, 0.8).undamaged == pytest.approx(0.8)
    assert find_tone(GREY, posterior, 1.0, 0.2).undamaged == pytest.approx(0.2)
    posterior.config["undamaged"] = 0.8
    assert find_tone(GREY, posterior, 1.0, 0.8).undamaged == pytest.approx(0.5)


def test_hypotheses_are_averaged_by_their_weights_without_nothing() -> None:
    posterior = believing(0.2, (0.6, 1, 0.1, 1), (0.2, 1, 0.3, 1))
    finding = find_tone(GREY, posterior, 1.0, 0.5)
    torch.testing.assert_close(finding.undo(GREY), GREY - 0.75 * 0.1 - 0.25 * 0.3, atol=1e-5, rtol=0)


def test_strength_zero_leaves_every_bit_as_it_is() -> None:
    images = torch.rand(1, 3, 20, 20)
    finding = find_tone(images, believing(0.0, (1.0, 0.1, 0.3, 2.0)), 0.0, 0.5)
    assert finding.amount == 0
    assert torch.equal(finding.undo(images), images)
    assert finding.undo(images) is not images


@pytest.mark.parametrize(("gain", "offset", "gamma"), [(0.3, 0.2, 0.5), (0.05, 0.0, 0.45)])
def test_undone_in_full_is_the_clamped_inverse(gain: float, offset: float, gamma: float) -> None:
    clean = torch.linspace(0.1, 0.95, 60).reshape(1, 1, 6, 10).repeat(1, 3, 1, 1)
    damaged = gain * clean**gamma + offset
    finding = find_tone(damaged, believing(0.0, (1.0, gain, offset, gamma)), 1.0, 0.5)
    torch.testing.assert_close(finding.undo(damaged), clean, atol=2e-3, rtol=0)
    assert float(finding.undo(torch.ones(1, 3, 4, 4)).max()) == pytest.approx(1, abs=1e-6)
    assert float(finding.undo(torch.zeros(1, 3, 4, 4)).min()) == 0


def test_the_table_is_read_at_and_between_its_levels_per_channel() -> None:
    table = torch.stack([IDENTITY[0], IDENTITY[1] ** 2, 1 - IDENTITY[2]])
    images = torch.rand(1, 3, 9, 7)
    images[..., 0, :3] = torch.tensor([0.0, 1.0, 0.5])
    undone = ToneFinding(table, 0.0, 1.0).undo(images)
    wanted = torch.stack([images[:, 0], images[:, 1] ** 2, 1 - images[:, 2]], 1)
    torch.testing.assert_close(undone, wanted, atol=1e-5, rtol=0)


def test_the_picture_is_asked_about_in_parts_and_mirrored() -> None:
    seen: list[Tensor] = []

    def answer(images: Tensor) -> ToneBelief:
        seen.append(images)
        return believing(0.0, (1.0, 1, 0, 1))(images)

    ramp = torch.linspace(0, 1, 80).expand(1, 3, 60, 80)
    answer.config = {"thumbnail": 16, "undamaged": 0.5}  # type: ignore[attr-defined]
    find_tone(ramp, answer, 1.0, 0.5)  # type: ignore[arg-type]
    (parts,) = seen
    assert parts.shape == (12, 3, 16, 16)
    torch.testing.assert_close(parts[6:], parts[:6].flip(3))
    means = parts[:6].mean((1, 2, 3))
    assert float(means[0]) == pytest.approx(0.5, abs=0.01)
    assert float(means[1]) == pytest.approx(0.4, abs=0.02), "the left four fifths of the ramp"
    assert float(means[2]) == pytest.approx(0.6, abs=0.02)


def test_the_report_is_plain_numbers() -> None:
    report = ToneFinding(torch.stack([IDENTITY[0], 0.5 * IDENTITY[1], IDENTITY[2] ** 2]), 0.123456, 0.25).report()
    assert json.loads(json.dumps(report)) == {
        "undamaged": 0.123,
        "amount": 0.25,
        "black": [0, 0, 0],
        "grey": [0.5, 0.25, 0.25],
        "white": [1, 0.5, 1],
        "veil": 0.039,
    }
    uneven = ToneField(torch.zeros(1, 1), torch.tensor([[[[0.3, -0.3]]]]))
    assert ToneFinding(IDENTITY, 0.0, 1.0, uneven).report()["uneven"] == pytest.approx(0.424)


@pytest.mark.parametrize("value", [0.0, 1.0])
@pytest.mark.parametrize("size", [(32, 32), (64, 64), (100, 37)])
def test_black_and_white_pictures(value: float, size: tuple[int, int]) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        posterior = TonePosterior(widths=(8, 16))
        torch.nn.init.normal_(posterior.answer.weight)  # an untrained one has no opinion
    picture = torch.full((1, 3, *size), value)
    finding = find_tone(picture, posterior, 1.0, 0.5)
    undone = finding.undo(picture)
    assert bool(undone.isfinite().all()) and float(undone.min()) >= 0 and float(undone.max()) <= 1
    report = finding.report()
    assert all(math.isfinite(number) for name in ("black", "grey", "white") for number in report[name])


def test_the_search_leaves_no_graph() -> None:
    assert not find_tone(GREY, TonePosterior(widths=(8, 16)), 1.0, 0.5).table.requires_grad
