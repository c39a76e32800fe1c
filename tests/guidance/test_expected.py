"""What a picture is expected to have been: by a judge of tones, or by the prior's free samples alone."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import torch
from conftest import photo
from torch import Tensor

from ldrps.degradation import Compose, Degradation, Tone, UncertainTone, Veil
from ldrps.estimation.damage import Estimate
from ldrps.guidance import expected as module
from ldrps.guidance.domain import LEVELS, CleanDomain, quantiles
from ldrps.guidance.expected import Expected, expected
from ldrps.prior.base import Prior
from ldrps.settings import Loop

EVEN = torch.linspace(0, 1, LEVELS).expand(3, -1)
DOMAIN = CleanDomain(torch.stack([0.2 + 0.4 * EVEN, 0.4 + 0.4 * EVEN]), torch.ones(20))


def one_of(*gains: float) -> UncertainTone:
    each = torch.tensor(gains)[:, None].expand(-1, 3)
    return UncertainTone(each, torch.zeros_like(each), torch.ones_like(each), torch.ones(len(gains)))


def told(
    y: Tensor, prior: Prior, estimate: Estimate[UncertainTone] | None, seed: int | None = None, **changes: Any
) -> Expected:
    random = None if seed is None else torch.Generator().manual_seed(seed)
    return expected(y, prior, DOMAIN, dataclasses.replace(Loop(), **changes), estimate, random)


@pytest.mark.parametrize("gain", [0.3, 0.7])
def test_a_judge_is_followed_as_far_as_it_counts(gain: float, tiny_prior: Prior) -> None:
    x, judged = 0.8 * photo(32), Estimate(one_of(gain))
    believed = told(gain * x, tiny_prior, judged, judged=1.0)
    torch.testing.assert_close(believed.quantiles, quantiles(x)[0], atol=2e-3, rtol=0)
    levels = torch.linspace(0, 1, 9).expand(1, 3, 1, -1)
    torch.testing.assert_close(believed.start(levels), gain * levels, atol=2e-3, rtol=0)
    half = told(gain * x, tiny_prior, judged, judged=0.5)
    torch.testing.assert_close(half.quantiles, (believed.quantiles + DOMAIN.typical) / 2)


@pytest.mark.parametrize(("probability", "w"), [(0.1, 0.0), (0.5, 0.5), (0.9, 1.0)])
def test_the_judge_tells_whether_there_is_damage(probability: float, w: float, tiny_prior: Prior) -> None:
    found = told(photo(32), tiny_prior, Estimate(one_of(0.5), probability))
    assert found.damaged == pytest.approx(w)
    assert isinstance(found.start, UncertainTone if w else Compose)
    sure, seen = told(photo(32), tiny_prior, Estimate(one_of(0.5))).quantiles, quantiles(photo(32))[0]
    torch.testing.assert_close(found.quantiles, torch.lerp(seen, sure, w))  # the mean of both possibilities


def test_without_a_judge_the_prior_tells(tiny_prior: Prior, monkeypatch: pytest.MonkeyPatch) -> None:
    y, asked = 0.3 * photo(32), []
    monkeypatch.setattr(module, "evidence", lambda prior, y, psi: asked.append(psi) or 0.07)
    found = told(y, tiny_prior, None)
    torch.testing.assert_close(found.quantiles, (DOMAIN.typical + quantiles(y)[0]) / 2)
    assert found.damaged == pytest.approx(0.5)
    assert isinstance(found.start, Tone) and found.start.gain == pytest.approx(DOMAIN.line_to(y).gain)
    assert len(asked) == 1, "psi's start is what the evidence is about"


@pytest.mark.parametrize("gate", [0.0, 1.0])
@pytest.mark.parametrize("judged", [None, Estimate(one_of(0.5), 0.5)])
def test_a_gate_that_is_known_is_not_told(
    gate: float, judged: Estimate[UncertainTone] | None, tiny_prior: Prior
) -> None:
    assert told(0.5 * photo(32), tiny_prior, judged, gate=gate).damaged == gate


@pytest.mark.parametrize("damage", [Tone(0.2), Veil(0.15, 0.1)])
def test_what_is_drawn_rises_and_differs(damage: Degradation, tiny_prior: Prior) -> None:
    y, judged = damage(photo(32)), Estimate(one_of(0.2, 0.3))
    drawn = [told(y, tiny_prior, judged, seed) for seed in range(12)]
    assert all(bool((each.quantiles.diff(dim=-1) >= 0).all()) for each in drawn)
    assert all(torch.equal(each.quantiles, each.quantiles.clamp(0, 1)) for each in drawn)
    assert torch.equal(told(y, tiny_prior, judged, 3).quantiles, drawn[3].quantiles)
    near = [told(y, tiny_prior, judged, seed, apart=0.0) for seed in range(12)]
    spread, less = (float(torch.stack([each.quantiles for each in some]).std(0).mean()) for some in (drawn, near))
    assert spread > 1.1 * less > 0, "hypotheses differ, and free samples from each other as well"


def test_what_may_be_no_damage_is_none_as_often(tiny_prior: Prior) -> None:
    gates = [told(photo(32), tiny_prior, Estimate(one_of(0.5), 0.5), seed).damaged for seed in range(40)]
    assert set(gates) == {0.0, 1.0} and 8 < sum(gates) < 32


def test_without_a_judge_one_free_sample_is_drawn(tiny_prior: Prior) -> None:
    drawn = [told(0.3 * photo(32), tiny_prior, None, seed, gate=1.0) for seed in range(8)]
    assert all(any(torch.equal(each.quantiles, one) for one in DOMAIN.quantiles) for each in drawn)
    assert len({float(each.quantiles.mean()) for each in drawn}) == 2
