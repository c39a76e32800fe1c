"""The default: what it takes for noise, and what it gives back."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import torch
from conftest import unmoved_estimators
from torch import Tensor

from ldrps import Prior, load_prior, preset
from ldrps.degradation import WhiteNoise
from ldrps.estimation.damage import Damage, Estimate
from ldrps.estimation.estimate import estimate_damage
from ldrps.methods.base import Part
from ldrps.methods.blind import Blind
from ldrps.prior.base import Denoised
from ldrps.sampling.chains import end_of
from ldrps.sampling.schedule import Schedule
from ldrps.settings import BlindSettings, Strengths


def noisy(sigma: float = 0.06) -> Tensor:
    return 0.5 + sigma * torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))


def planned(prior: Prior, y: Tensor, damage: Damage | None = None, **changes: Any) -> Blind:
    settings = preset("default")
    assert isinstance(settings.method, BlindSettings)
    options = dataclasses.replace(settings.method, strengths=Strengths(tone=0.0), **changes)
    damage = damage or estimate_damage(y, prior, unmoved_estimators(), options)
    return Blind(y, prior, dataclasses.replace(settings, method=options), damage, "")


def found(plan: Blind) -> float:
    """The noise that is removed, of 255."""
    return 255 * plan.damage.noise_deviation


def whole_of(plan: Blind) -> Part:
    (window,) = plan.windows
    return plan.part(window)


def restored_without_sampling(plan: Blind) -> Tensor:
    part = whole_of(plan)
    return part.picture(part.start() / plan.schedule.abar(plan.rounds[0][0]) ** 0.5)


def taking(share: float, prior: Prior, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the prior's denoiser take that share of a latent's deviation from a grey picture away."""
    schedule = Schedule(prior.alphas_cumprod)

    def denoise(z_t: Tensor, t: int, text: Tensor | None = None) -> Denoised:
        z = z_t / schedule.abar(t) ** 0.5
        grey = prior.encode(torch.full((1, 3, 4 * z.shape[-2], 4 * z.shape[-1]), 0.5))
        z0 = grey + (1 - share) * (z - grey)
        return Denoised(z0, schedule.predict_eps(z_t, z0, t))

    monkeypatch.setattr(prior, "denoise", denoise)


@pytest.mark.parametrize(("share", "kept"), [(0.9, 1.0), (0.1, 0.0)])
def test_texture_is_what_the_prior_lets_stand(
    share: float, kept: float, tiny_prior: Prior, monkeypatch: pytest.MonkeyPatch
) -> None:
    taking(share, tiny_prior, monkeypatch)
    y = noisy()
    plan = planned(tiny_prior, y, noise_factor=1.0)
    assert bool(plan.rounds) == bool(kept) != plan.damage.absent
    assert found(plan) == pytest.approx(255 * 0.06 * kept, rel=0.1)
    if not kept:
        assert torch.equal(whole_of(plan).picture(None), plan.undone(y))


def test_between_the_level_is_between(tiny_prior: Prior, monkeypatch: pytest.MonkeyPatch) -> None:
    taking(0.6, tiny_prior, monkeypatch)
    whole, half = (planned(tiny_prior, noisy(), noise_factor=1.0, texture=limits) for limits in ((0, 0.1), (0.4, 0.8)))
    assert found(whole) == pytest.approx(255 * 0.06, rel=0.1)
    assert found(half) == pytest.approx(found(whole) / 2, rel=0.15)
    assert half.level == pytest.approx(whole.level / 2, rel=0.15)


def test_detail_that_the_autoencoder_drops_comes_back_unless_it_is_noise(
    tiny_prior: Prior, monkeypatch: pytest.MonkeyPatch
) -> None:
    taking(0.9, tiny_prior, monkeypatch)
    y = noisy(0.02)
    checks = torch.tensor([1.0, -1.0]).repeat(32)
    colour = torch.tensor([1.0, 0.0, -1.0]).reshape(1, 3, 1, 1)
    detail = 0.2 * colour * (checks[:, None] * checks)  # fine colour, which 20 of 48 components do not hold
    plain = planned(tiny_prior, y, texture=(0.0, 0.01))
    detailed = planned(tiny_prior, y + detail, plain.damage)
    restored = restored_without_sampling(detailed)
    lost = tiny_prior.decode(tiny_prior.encode(y + detail))
    assert float((restored - (y + detail)).pow(2).mean()) < float((lost - (y + detail)).pow(2).mean()) / 4
    grain = restored_without_sampling(plain) - y
    assert float(grain.pow(2).mean()) > 0.3 * 0.02**2 * 28 / 48, "what is dropped of plain noise stays dropped"


def test_what_is_recorded_of_captions_is_of_the_last() -> None:
    plan = planned(load_prior(), noisy(), Damage())
    assert plan.findings.caption is None
    plan.set_caption("a boat")
    first = plan.findings.caption
    plan.set_caption("grass, green")
    assert first is not None and plan.findings.caption not in (None, first)
    plan.set_caption("")
    assert plan.findings.caption is None and plan.findings.damage == plan.damage


def test_noise_that_is_told_is_taken_away_and_none_is_looked_for(
    tiny_prior: Prior, monkeypatch: pytest.MonkeyPatch
) -> None:
    taking(0.1, tiny_prior, monkeypatch)  # which by itself would pass for texture
    told = planned(tiny_prior, noisy(), noise=20.0)
    assert found(told) == pytest.approx(20) and told.rounds
    assert told.sigma == pytest.approx(1.15 * 20 / 255)
    assert planned(tiny_prior, noisy(), noise=0.0).rounds == []


def test_a_noise_of_less_is_taken_away_by_less_down_to_none(tiny_prior: Prior) -> None:
    """Also below the lowest level of the prior's schedule, which all would else be denoised at."""
    y = noisy(0.03)
    removed = []
    for sigma in (0.0, 0.0005, 0.002, 0.005, 0.01, 0.02):
        plan = planned(tiny_prior, y, Damage(noise=Estimate(WhiteNoise(sigma))))
        part, z = whole_of(plan), None
        if plan.rounds:
            z = end_of(part.chain(part.start(), 0))
        removed.append(float((part.picture(z) - y).pow(2).mean().sqrt()))
    assert removed[0] == 0 and removed == sorted(removed) and removed[1] < 1e-4 and removed[-1] > 0.003
