"""LD-RPS on any prior: a posterior without scales, rounds of chains, and the preset."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from conftest import photo
from torch import Tensor

import ldrps
from ldrps import Damage, Restorer, preset
from ldrps.degradation import Compose, Degradation, Tone
from ldrps.estimation.estimators import load_estimators
from ldrps.estimation.tone_posterior import TonePosterior
from ldrps.guidance.domain import LEVELS, CleanDomain, clean_domain
from ldrps.guidance.expected import Expected
from ldrps.guidance.recurrent import RecurrentPosterior
from ldrps.methods.ldrps import Recurred, recur
from ldrps.prior.base import Prior
from ldrps.samples import draw_samples
from ldrps.sampling.chains import Step
from ldrps.settings import LdrpsSettings, Loop, Settings

LOOP = Loop(side=64, alone=20)


def few(steps: int = 6, recurrences: int = 1, seed: int = 0, **loop: Any) -> Settings:
    method = LdrpsSettings(loop=dataclasses.replace(LOOP, **loop))
    return preset("ldrps").with_changes(steps=steps, recurrences=recurrences, seed=seed, method=method)


def some_domain(prior: Prior) -> CleanDomain:
    return CleanDomain(torch.linspace(0.1, 0.9, LEVELS).expand(4, 3, -1), torch.ones(prior.latent_channels))


def finish(steps: Generator[Step, None, Recurred]) -> tuple[list[Step], Recurred]:
    seen = []
    while True:
        try:
            seen.append(next(steps))
        except StopIteration as finished:
            return seen, finished.value


def undone(found: Recurred, y: Tensor) -> Tensor:
    return Damage(found.tone).undo_tone(y)


def decibels(a: Tensor, b: Tensor) -> float:
    return float(-10 * (a - b).square().mean().log10())


def judge() -> TonePosterior:
    return load_estimators().tone


@pytest.mark.parametrize(
    ("gain", "offset", "judged"),
    [(0.12, 0.0, 0.9), (0.3, 0.05, 0.9), (0.12, 0.0, 0.0), (0.3, 0.05, 0.0), (0.35, 0.5, 0.0)],
)
def test_what_was_made_dark_or_pale_comes_back(gain: float, offset: float, judged: float) -> None:
    """By a judge, who is wrong about the pale one, and by the prior alone."""
    x = photo()
    y = ((gain * x + offset) * 255).round() / 255
    _, found = finish(recur(y, ldrps.load_prior(), few(judged=judged), judge=judge()))
    assert found.damaged == 1
    assert decibels(undone(found, y), x) > decibels(y, x) + 5
    for channel in range(3):
        pair = torch.stack([undone(found, y)[0, channel].flatten(), y[0, channel].flatten()])
        assert float(torch.corrcoef(pair)[0, 1]) > 0.9, "nothing folds"


@pytest.mark.parametrize("judged", [0.9, 0.0])
def test_what_is_undamaged_stays_but_for_its_noise(judged: float) -> None:
    x = photo()
    _, found = finish(recur(x, ldrps.load_prior(), few(judged=judged), judge=judge()))
    assert found.damaged == 0
    assert decibels(undone(found, x), x) > 45
    noisy = (x + 0.06 * torch.randn(x.shape, generator=torch.Generator().manual_seed(0))).clamp(0, 1)
    _, found = finish(recur(noisy, ldrps.load_prior(), few(judged=judged), judge=judge()))
    assert found.damaged < 1
    small = torch.nn.functional.interpolate(x, found.small.shape[-2:], mode="area")
    assert decibels(found.restored, small) > decibels(found.small, small) + 0.5


def test_steps_and_rounds(tiny_prior: Prior) -> None:
    y = 0.3 * photo(48)
    settings = few(side=32, chains=3, recurrences=2)
    steps, found = finish(recur(y, tiny_prior, settings, domain=some_domain(tiny_prior)))
    assert all(step.z0.shape == (3, tiny_prior.latent_channels, 8, 8) for step in steps)
    starts = [k for k in range(1, len(steps)) if steps[k].t > steps[k - 1].t]
    assert len(starts) == 2 and len(steps) == settings.method.steps_before(settings)
    assert steps[0].t == len(tiny_prior.alphas_cumprod) - 1
    assert found.small.shape == found.restored.shape == (1, 3, 32, 32)
    assert undone(found, y).shape == y.shape


@pytest.mark.parametrize("size", [(33, 70), (32, 200), (500, 41)])
def test_any_size(size: tuple[int, int], tiny_prior: Prior) -> None:
    y = torch.rand(1, 3, *size)
    _, found = finish(recur(y, tiny_prior, few(steps=3, recurrences=0), domain=some_domain(tiny_prior)))
    made = undone(found, y)
    assert made.shape == y.shape and bool(made.isfinite().all())


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_a_picture_of_one_value_is_survived(value: float, tiny_prior: Prior) -> None:
    y = torch.full((1, 3, 40, 40), value)
    _, found = finish(recur(y, tiny_prior, few(steps=4), domain=some_domain(tiny_prior)))
    assert bool(found.restored.isfinite().all() and undone(found, y).isfinite().all())


def test_the_seed_decides_all(tiny_prior: Prior) -> None:
    y, chosen = 0.3 * photo(48), [few(side=32, steps=4, convolutions=4, seed=seed) for seed in (0, 0, 1)]
    made = [finish(recur(y, tiny_prior, settings, domain=some_domain(tiny_prior)))[1] for settings in chosen]
    assert torch.equal(made[0].restored, made[1].restored) and torch.equal(made[0].psi.values, made[1].psi.values)
    assert not torch.equal(made[0].restored, made[2].restored)


def posterior(
    y: Tensor, prior: Prior, domain: CleanDomain, start: Degradation | None = None, **changes: Any
) -> RecurrentPosterior:
    """Of a picture that is damaged for sure, or for sure not, where there is no start."""
    loop = dataclasses.replace(LOOP, **changes)
    clean = Expected(domain.typical, start or Compose(), float(start is not None))
    return RecurrentPosterior(y, prior, clean, domain.variance, loop, torch.Generator().manual_seed(0))


def test_stage_one_learns_and_does_not_steer(tiny_prior: Prior) -> None:
    y = 0.3 * photo(64)
    one = posterior(y, tiny_prior, some_domain(tiny_prior), Tone(0.3))
    z0 = torch.randn(1, tiny_prior.latent_channels, 16, 16, generator=torch.Generator().manual_seed(0))
    before = one.psi.curve.values.detach().clone()
    moved, losses = one.agree(z0, 999)
    assert moved is z0 and "alignment/domain" in losses and "alignment/data" not in losses
    assert not torch.equal(one.psi.curve.values.detach(), before)
    moved, losses = one.agree(z0, 100)
    assert not torch.equal(moved, z0) and {"alignment/domain", "alignment/data"} <= losses.keys()


def test_a_closed_gate_keeps_the_identity(tiny_prior: Prior) -> None:
    y = 0.3 * photo(64)
    one = posterior(y, tiny_prior, some_domain(tiny_prior))
    z0 = torch.randn(1, tiny_prior.latent_channels, 16, 16, generator=torch.Generator().manual_seed(0))
    for t in (999, 500, 100, 10):
        _, losses = one.agree(z0, t)
        assert {"alignment/domain", "alignment/data"}.isdisjoint(losses)
    levels = torch.linspace(0, 1, LOOP.knots)
    assert float((one.psi.curve.values.detach() - levels).abs().max()) < 0.01


def test_convolutions_learn_the_look_of_free_chains_in_the_tones_of_the_clean_domain(tiny_prior: Prior) -> None:
    y = 0.3 * photo(64)
    one = posterior(y, tiny_prior, some_domain(tiny_prior), Tone(0.6), knots=0, convolutions=4, convolution_rate=0.01)
    z0 = torch.randn(1, tiny_prior.latent_channels, 16, 16, generator=torch.Generator().manual_seed(0))
    told = [one.agree(z0, 999)[1]["alignment/domain"] for _ in range(8)]
    assert told[-1] < 0.5 * told[0], told
    levels = torch.linspace(0, 1, 2).expand(3, -1)
    torch.testing.assert_close(one.psi.curve.values, levels, atol=1e-3, rtol=0)  # without knots there is no curve


@pytest.mark.parametrize(("knots", "convolutions"), [(0, 0), (0, 4), (2, 0), (5, 4)])
@pytest.mark.parametrize("gate", [0.0, 1.0])
def test_any_psi_will_do(knots: int, convolutions: int, gate: float, tiny_prior: Prior) -> None:
    settings = few(side=32, steps=3, recurrences=0, knots=knots, convolutions=convolutions, gate=gate, alone=2)
    _, found = finish(recur(0.3 * photo(48), tiny_prior, settings, domain=some_domain(tiny_prior)))
    assert found.damaged == gate and bool(found.restored.isfinite().all())
    assert bool((found.psi.values.diff(dim=-1) > 0).all())


def test_one_free_chain_stands_for_the_clean_domain_where_it_is_wanted(tiny_prior: Prior) -> None:
    """Two seeds draw two of the free samples, which are unlike each other."""
    levels = torch.linspace(0.1, 0.9, LEVELS).expand(3, -1)
    domain = CleanDomain(torch.stack([levels, levels**3, levels**0.4]), torch.ones(tiny_prior.latent_channels))
    made = [
        finish(recur(0.3 * photo(48), tiny_prior, few(side=32, steps=4, gate=1.0, seed=seed, free=1), domain=domain))[1]
        for seed in (0, 1, 2, 3)
    ]
    assert torch.stack([found.psi.values for found in made]).std(0).max() > 0.02


def test_quality_takes_a_cast_away_and_psi_takes_it_back() -> None:
    prior = ldrps.load_prior()
    y = 0.3 * photo(64) * torch.tensor([1.3, 1.0, 0.7]).reshape(1, 3, 1, 1)
    t = 50

    def cast(quality: float) -> tuple[float, float]:
        domain = clean_domain(prior)
        one = posterior(y, prior, domain, domain.line_to(y), quality=quality)
        z0, _ = one.agree(prior.encode(y / 0.3), t)
        x = prior.decode(z0)
        return float(x.mean((0, 2, 3)).std()), decibels(one.psi(x).detach(), y)

    (plain, fit), (better, still) = cast(0.0), cast(0.5)
    assert better < 0.8 * plain and still > fit - 6


def test_the_preset_tells_every_step_and_gives_back_what_it_learned() -> None:
    restorer = Restorer(ldrps.load_prior(), few(recurrences=1))
    grain = 0.02 * torch.randn(1, 3, 96, 96, generator=torch.Generator().manual_seed(0))
    y = (0.3 * photo() + grain).clamp(0, 1)
    seen: list[ldrps.Progress] = []
    result = restorer(y, on_step=seen.append)
    assert [step.number for step in seen] == list(range(1, len(result.losses) + 1))
    assert [step.round for step in seen] == [0] * 6 + [1] * 3 + [2], "the last is that of the picture's own noise"
    assert seen[-1].total == len(seen) and all(step.picture().shape[:2] == (1, 3) for step in seen)
    assert result.damage is not None and result.damage.tone is not None and "too dark" in result.words
    assert float(result.picture.rgb.mean()) < 0.5 * np.asarray(result.image).mean() / 255
    again = restorer(y, damage=Damage.from_plain(json.loads(json.dumps(result.damage.plain()))))
    assert np.array_equal(again.levels, result.levels) and len(again.losses) == 1


@pytest.mark.parametrize("name", ["grey/grey.png", "small/tiny.png"])
def test_a_clean_photograph_stays_as_it_is(name: str) -> None:
    samples = Path(__file__).parents[2] / "samples"
    assert Restorer(ldrps.load_prior(), few())(samples / name).unchanged


def test_who_knows_that_nothing_was_done_is_believed(tiny_prior: Prior) -> None:
    """What is known beforehand goes to the judge, as in the default."""
    y, chosen = 0.6 * photo(48), few(side=32, steps=2, recurrences=0)
    gates = [
        finish(recur(y, tiny_prior, settings, judge=judge(), domain=some_domain(tiny_prior)))[1].damaged
        for settings in (chosen.with_knowledge(undamaged=0.01), chosen.with_knowledge(undamaged=1 - 1e-9))
    ]
    assert gates == [1.0, 0.0]


def test_samples_differ_in_their_tones() -> None:
    y = 0.3 * photo()
    samples = draw_samples(Restorer(ldrps.load_prior(), few(recurrences=0, side=32)), y, 3)
    means = [float(np.asarray(result.image).mean()) for result in samples.results]
    assert max(means) - min(means) > 3, "of 255: each is taken to have been another picture"
    assert all(result.damage.tone.share == 1 for result in samples.results)  # type: ignore[union-attr]
