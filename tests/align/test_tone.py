from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from ldrps.align.tone import ToneFinding, find_tone
from ldrps.prior.tiny.tone import ToneCurve, TonePosterior

GREY = torch.full((1, 3, 24, 32), 0.4)


def believing(tolerance: float, gain: float = 1.0, offset: float = 0.0, gamma: float = 1.0) -> Any:
    """A posterior that says the same about every picture."""

    def answer(images: Tensor) -> ToneCurve:
        return ToneCurve(*(torch.full((1, 3), value) for value in (gain, offset, gamma)))

    answer.config = {"tolerance": tolerance}  # type: ignore[attr-defined]
    return answer


@pytest.mark.parametrize(
    ("change_in_tolerances", "amount"), [(0.0, 0), (0.5, 0), (0.99, 0), (1.25, 0.25), (1.5, 0.5), (2.0, 1), (6.0, 1)]
)
@pytest.mark.parametrize("strength", [1.0, 0.5, 0.0])
def test_only_what_exceeds_the_tolerance_is_evidence(
    change_in_tolerances: float, amount: float, strength: float
) -> None:
    offset = change_in_tolerances * 0.05
    finding = find_tone(GREY, believing(0.05, offset=offset), strength)
    assert finding.amount == pytest.approx(strength * amount, abs=1e-4)
    torch.testing.assert_close(finding.undo(GREY), GREY - finding.amount * offset)


def test_without_a_tolerance_everything_is_evidence() -> None:
    assert find_tone(GREY, believing(0.0), 1.0).amount == 1
    assert find_tone(GREY, believing(0.0, gain=0.5), 0.3).amount == pytest.approx(0.3)


def test_strength_zero_leaves_every_bit_as_it_is() -> None:
    images = torch.rand(1, 3, 20, 20)
    finding = find_tone(images, believing(0.001, gain=0.1, offset=0.3, gamma=2.0), 0.0)
    assert finding.amount == 0
    assert torch.equal(finding.undo(images), images)


def test_undone_in_full_is_the_clamped_inverse() -> None:
    clean = torch.linspace(0.05, 1, 60).reshape(1, 1, 6, 10).repeat(1, 3, 1, 1)
    finding = find_tone(0.3 * clean**0.5 + 0.2, believing(0.01, gain=0.3, offset=0.2, gamma=2.0), 1.0)
    torch.testing.assert_close(finding.undo(0.3 * clean**0.5 + 0.2), clean, atol=1e-5, rtol=1e-4)
    assert finding.undo(torch.ones(1, 3, 4, 4)).max() == 1 and finding.undo(torch.zeros(1, 3, 4, 4)).min() == 0


def test_the_report_is_plain_numbers() -> None:
    curve = ToneCurve(torch.tensor([[0.5, 0.6, 0.7]]), torch.zeros(1, 3), torch.full((1, 3), 1.23456))
    assert ToneFinding(curve, 0.25).report() == {
        "amount": 0.25,
        "gain": [0.5, 0.6, 0.7],
        "offset": [0, 0, 0],
        "gamma": [1.2346] * 3,
    }


@pytest.mark.parametrize("value", [0.0, 1.0])
@pytest.mark.parametrize("size", [(32, 32), (64, 64), (100, 37)])
def test_black_and_white_pictures(value: float, size: tuple[int, int]) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        posterior = TonePosterior(widths=(8, 16))
        torch.nn.init.normal_(posterior.head[-1].weight)  # an untrained one has no opinion
    picture = torch.full((1, 3, *size), value)
    finding = find_tone(picture, posterior, 1.0)
    undone = finding.undo(picture)
    assert bool(undone.isfinite().all()) and float(undone.min()) >= 0 and float(undone.max()) <= 1
    report = finding.report()
    assert all(math.isfinite(number) for name in ("gain", "offset", "gamma") for number in report[name])


def test_the_search_leaves_no_graph() -> None:
    finding = find_tone(GREY, TonePosterior(widths=(8, 16)), 1.0)
    assert not finding.curve.gain.requires_grad
