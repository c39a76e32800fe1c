"""Pictures from pure noise."""

from __future__ import annotations

import pytest
import torch

from ldrps.prior.base import Prior
from ldrps.sampling.schedule import Schedule
from ldrps.sampling.unconditional import draw_from_noise, sample_from


def test_draws_are_seeded_and_their_number_changes_none(tiny_prior: Prior) -> None:
    few, many = (draw_from_noise(tiny_prior, count, 32) for count in (8, 10))
    assert many.shape == (10, 3, 32, 32)
    assert float(many.min()) >= 0 and float(many.max()) <= 1
    torch.testing.assert_close(few, many[:8])
    assert not torch.equal(many[0], many[1])
    assert not torch.equal(draw_from_noise(tiny_prior, 1, 32, seed=1)[0], many[0])
    assert draw_from_noise(tiny_prior, 0, 32).shape == (0, 3, 32, 32)


def test_sides_are_what_the_prior_can_take(tiny_prior: Prior) -> None:
    side = 32 + tiny_prior.size_multiple - 1
    assert draw_from_noise(tiny_prior, 1, side, steps=2).shape == (1, 3, 32, 32)


@torch.no_grad()
def test_one_step_is_the_denoiser(tiny_prior: Prior) -> None:
    z = torch.randn(2, tiny_prior.latent_channels, 8, 8, generator=torch.Generator().manual_seed(0))
    t = Schedule(tiny_prior.alphas_cumprod).timestep_of(0.5)
    torch.testing.assert_close(sample_from(tiny_prior, tiny_prior.denoise, z, [t]), tiny_prior.denoise(z, t).z0)
    two = sample_from(tiny_prior, tiny_prior.denoise, z, [t, t // 2])
    assert not torch.equal(two, tiny_prior.denoise(z, t).z0)


@pytest.mark.parametrize("steps", [1, 20])
def test_the_number_of_steps(steps: int, tiny_prior: Prior, monkeypatch: pytest.MonkeyPatch) -> None:
    seen, denoise = [], tiny_prior.denoise
    monkeypatch.setattr(tiny_prior, "denoise", lambda z, t, text=None: seen.append(t) or denoise(z, t, text))
    draw_from_noise(tiny_prior, 1, 32, steps=steps)
    assert len(seen) == steps and seen == sorted(seen, reverse=True)
    assert seen[0] == len(tiny_prior.alphas_cumprod) - 1, "from pure noise"
