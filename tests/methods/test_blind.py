"""The default: what it takes for noise, and what it gives back."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import pytest
import torch
from conftest import unmoved_estimators
from torch import Tensor

from ldrps import Prior, load_prior, preset
from ldrps.degradation import WhiteBalance, WhiteNoise
from ldrps.estimation.damage import Damage, Estimate
from ldrps.estimation.estimate import estimate_damage, estimate_noise_of
from ldrps.methods.base import Part
from ldrps.methods.blind import Blind
from ldrps.prior.base import NOISES, Denoised, NoiseKind
from ldrps.sampling.chains import end_of
from ldrps.settings import BlindSettings, Strengths


def noisy(sigma: float = 0.06) -> Tensor:
    return 0.5 + sigma * torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))


def planned(
    prior: Prior,
    y: Tensor,
    damage: Damage | None = None,
    *,
    believed: tuple[float, NoiseKind, float] = (0.0, "white", 1.0),
    **changes: Any,
) -> Blind:
    settings = dataclasses.replace(preset("default"), **changes.pop("settings", {}))
    assert isinstance(settings.method, BlindSettings)
    options = dataclasses.replace(settings.method, strengths=Strengths(tone=0.0), **changes)
    damage = damage or estimate_damage(y, prior, unmoved_estimators(*believed), options)
    return Blind(y, prior, dataclasses.replace(settings, method=options), damage, "")


def found(plan: Blind) -> float:
    """The noise that is removed, of 255."""
    return 255 * plan.damage.noise_deviation


def whole_of(plan: Blind) -> Part:
    (window,) = plan.windows
    return plan.part(window)


def restored(plan: Blind) -> Tensor:
    part = whole_of(plan)
    return part.picture(end_of(part.chain(part.start(), 0)) if plan.rounds else None)


def restored_without_sampling(plan: Blind) -> Tensor:
    part = whole_of(plan)
    return part.picture(part.start() / plan.schedule.abar(plan.rounds[0][0]) ** 0.5)


@pytest.mark.parametrize(("probability", "share"), [(0.1, 0.0), (0.2, 0.0), (0.5, 0.5), (0.8, 1.0), (1.0, 1.0)])
def test_no_noise_has_to_be_beaten(probability: float, share: float, tiny_prior: Prior) -> None:
    plan = planned(tiny_prior, noisy(), believed=(0.06, "white", probability))
    assert found(plan) == pytest.approx(255 * 0.06 * share, abs=0.02)
    if not share:
        assert plan.damage.absent and torch.equal(whole_of(plan).picture(None), plan.y)


@pytest.mark.parametrize("kind", NOISES)
def test_the_likeliest_kind_is_removed_at_its_level(
    kind: NoiseKind, tiny_prior: Prior, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = planned(tiny_prior, noisy(), believed=(0.03, kind, 0.9))
    assert plan.damage.noise is not None and plan.damage.noise.value.sigma == pytest.approx(0.03, rel=1e-3)
    calls: list[tuple[float, str]] = []

    def remove(z: Tensor, level: float, kind: NoiseKind = "white", text: Tensor | None = None) -> Tensor:
        calls.append((level, kind))
        return z

    monkeypatch.setattr(tiny_prior, "remove_noise", remove)
    restored(plan)
    assert plan.in_one_call == (kind != "white") and len(plan.rounds[0]) == (2 if kind == "white" else 1)
    assert calls == ([] if kind == "white" else [(plan.level, kind)]), "white noise is the chain's own"


def test_less_than_the_floor_is_left_alone(tiny_prior: Prior) -> None:
    assert planned(tiny_prior, noisy(), believed=(0.5 / 255, "camera", 1.0)).rounds == []
    assert planned(tiny_prior, noisy(), believed=(0.5 / 255, "camera", 1.0), floor=0.4).rounds
    assert planned(tiny_prior, noisy(), believed=(1 / 255, "camera", 0.5)).rounds == [], "half of one is less, too"


@pytest.mark.parametrize("kind", NOISES)
@pytest.mark.parametrize("sigma", [0.0, 0.05])
def test_grey_stays_grey_to_the_bit(kind: NoiseKind, sigma: float, tiny_prior: Prior) -> None:
    y = noisy()[:, :1].expand(1, 3, 64, 64)
    tone = Estimate(WhiteBalance(torch.tensor([[0.8, 1.0, 1.2]])))  # which would have to be undone
    noise = unmoved_estimators(sigma, kind).noise
    damage = estimate_noise_of(y, Damage(tone), tiny_prior, noise, BlindSettings())
    x = restored(planned(tiny_prior, y, damage))
    assert bool((x == x[:, :1]).all()) and not torch.equal(x, y)


def test_what_is_clipped_all_around_stays_clipped(tiny_prior: Prior) -> None:
    y = noisy(0.2).clamp(0, 1)
    y[..., :20, :20], y[..., 40:, 40:] = 1.0, 0.0
    x = restored(planned(tiny_prior, y, Damage(noise=Estimate(WhiteNoise(0.1)))))
    assert bool((x[..., :19, :19] == 1).all()) and bool((x[..., 41:, 41:] == 0).all())
    alone = (y == 1).all(1, keepdim=True).expand_as(y).clone()
    alone[..., :20, :20] = False
    y[..., 30, 10] = 1.0
    x = restored(planned(tiny_prior, y, Damage(noise=Estimate(WhiteNoise(0.1)))))
    assert bool((x[..., 30, 10] != 1).any()), "a single white pixel may be noise"


def test_detail_that_the_autoencoder_drops_comes_back_unless_it_is_noise(tiny_prior: Prior) -> None:
    y = noisy(0.02)
    checks = torch.tensor([1.0, -1.0]).repeat(32)
    colour = torch.tensor([1.0, 0.0, -1.0]).reshape(1, 3, 1, 1)
    detail = 0.2 * colour * (checks[:, None] * checks)  # fine colour, which 20 of 48 components do not hold
    plain = planned(tiny_prior, y, believed=(0.02, "white", 1.0), share_shifts=False)
    detailed = planned(tiny_prior, y + detail, plain.damage, share_shifts=False)
    x = restored_without_sampling(detailed)
    lost = tiny_prior.decode(tiny_prior.encode(y + detail))
    assert float((x - (y + detail)).pow(2).mean()) < float((lost - (y + detail)).pow(2).mean()) / 4
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


def test_noise_that_is_told_is_taken_away_and_none_is_looked_for(tiny_prior: Prior) -> None:
    told = planned(tiny_prior, noisy(), noise=20.0)
    assert found(told) == pytest.approx(20) and told.rounds
    assert planned(tiny_prior, noisy(), noise=0.0, believed=(0.06, "white", 1.0)).rounds == []


def test_a_noise_of_less_is_taken_away_by_less_down_to_none(tiny_prior: Prior) -> None:
    """Also below the lowest level of the prior's schedule, which all would else be denoised at."""
    y = noisy(0.03)
    removed = []
    for sigma in (0.0, 0.0005, 0.002, 0.005, 0.01, 0.02):
        plan = planned(tiny_prior, y, Damage(noise=Estimate(WhiteNoise(sigma))))
        removed.append(float((restored(plan) - y).pow(2).mean().sqrt()))
    assert removed[0] == 0 and removed == sorted(removed) and removed[1] < 1e-4 and removed[-1] > 0.003


@pytest.mark.parametrize(
    ("shifts", "steps", "calls"),
    [(4, 2, [2, 2]), (12, 4, [3, 3, 3, 3]), (8, 3, [2, 3, 3]), (2, 3, [2, 2, 2]), (4, 1, [4]), (1, 2, [1, 1])],
)
def test_steps_share_the_offsets_among_them(
    shifts: int, steps: int, calls: list[int], tiny_prior: Prior, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[int, int]] = []
    denoise = tiny_prior.denoise

    def watched(z_t: Tensor, t: int, text: Tensor | None = None) -> Denoised:
        seen.append((t, len(z_t)))
        return denoise(z_t, t, text)

    monkeypatch.setattr(tiny_prior, "denoise", watched)
    damage = Damage(noise=Estimate(WhiteNoise(0.06)))
    plan = planned(tiny_prior, noisy(), damage, shifts=shifts, settings={"steps": steps})
    restored(plan)
    assert [count for _, count in seen] == calls
    assert [t for t, _ in seen] == plan.rounds[0] and plan.shares_shifts == (steps > 1 and shifts >= 2 * steps)
    settings = dataclasses.replace(preset("default"), steps=steps, method=plan.options)
    assert plan.options.passes(settings) == sum(calls)
    seen.clear()
    apart = planned(tiny_prior, noisy(), damage, shifts=shifts, share_shifts=False, settings={"steps": steps})
    restored(apart)
    batches = [4] * (shifts // 4) + ([shifts % 4] if shifts % 4 else [])
    assert [count for _, count in seen] == batches * steps, "no more at once than memory was told of"
    assert apart.options.passes(settings) == sum(batches) * steps


def test_where_noise_is_drawn_all_steps_take_all_offsets(tiny_prior: Prior) -> None:
    damage = Damage(noise=Estimate(WhiteNoise(0.06)))
    assert planned(tiny_prior, noisy(), damage).shares_shifts
    for changes in ({"settings": {"recurrences": 1}}, {"sample": True}):
        plan = planned(tiny_prior, noisy(), damage, **changes)
        recurrences = changes.get("settings", {}).get("recurrences", 0)
        settings = dataclasses.replace(preset("default"), recurrences=recurrences, method=plan.options)
        assert plan.options.passes(settings) == 4 * 2 * 2
        assert not plan.shares_shifts and len(plan.rounds) == 2
        assert whole_of(plan).start().shape[:2] == (4, tiny_prior.latent_channels)


@pytest.mark.parametrize(("name", "most"), [("default", 0.1), ("best", 0.1)])
def test_what_is_shared_restores_as_well(name: str, most: float) -> None:
    """A photograph that code draws: edges, a gradient, a texture."""
    y, x = torch.meshgrid(torch.linspace(0, 1, 96), torch.linspace(0, 1, 96), indexing="ij")
    clean = torch.stack([0.3 + 0.4 * x, 0.6 - 0.3 * y, 0.5 + 0.1 * (40 * x).sin()])[None]
    clean[..., 30:60, 20:70] *= 0.5
    y = clean + 0.08 * torch.randn(clean.shape, generator=torch.Generator().manual_seed(1))
    prior, damage = load_prior(), Damage(noise=Estimate(WhiteNoise(0.08)))
    errors = []
    for shared in (True, False):
        settings = preset(name).with_changes(share_shifts=shared)
        plan = Blind(y, prior, settings, damage, "")
        assert plan.shares_shifts == shared
        errors.append(float((restored(plan) - clean).pow(2).mean()))
    assert max(errors) < 0.15 * 0.08**2, "noise is gone"
    assert 10 * math.log10(errors[0] / errors[1]) < most


def test_steps_that_share_offsets_keep_the_detail_that_is_no_noise(
    tiny_prior: Prior, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two steps as of four: what is picture in the first is there already in the next."""
    y = noisy(0.02)
    checks = torch.tensor([1.0, -1.0]).repeat(32)
    y = y + 0.2 * torch.tensor([1.0, 0.0, -1.0]).reshape(1, 3, 1, 1) * (checks[:, None] * checks)
    schedule = planned(tiny_prior, y, Damage(noise=Estimate(WhiteNoise(0.02)))).schedule
    monkeypatch.setattr(
        tiny_prior, "denoise", lambda z, t, text=None: Denoised(z / schedule.abar(t) ** 0.5, torch.zeros_like(z))
    )
    left = []
    for steps, shifts in ((2, 4), (4, 12)):
        damage = Damage(noise=Estimate(WhiteNoise(0.02)))
        plan = planned(tiny_prior, y, damage, shifts=shifts, settings={"steps": steps})
        assert plan.shares_shifts
        left.append(float((restored(plan) - y).pow(2).mean()))
    lost = tiny_prior.decode(tiny_prior.encode(y))
    assert max(left) < float((lost - y).pow(2).mean()) / 4
