from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler
from torch import Tensor

from ldrps.errors import SettingsError
from ldrps.prior.base import Denoised
from ldrps.sampling.chains import gradient_chain
from ldrps.sampling.schedule import Schedule, clamp_percentile

DDIM = DDIMScheduler(
    beta_start=0.00085,
    beta_end=0.012,
    beta_schedule="scaled_linear",
    clip_sample=False,
    set_alpha_to_one=False,
    steps_offset=1,
    timestep_spacing="leading",
)
SCHEDULE = Schedule(DDIM.alphas_cumprod)


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("t", [-7, 0, 1, 500, 999])
def test_a_latent_and_its_parts_lead_to_each_other(t: int) -> None:
    z0, eps = noise(2, 4, 3, 5), noise(2, 4, 3, 5, seed=1)
    z_t = SCHEDULE.compose(z0, eps, t)
    torch.testing.assert_close(SCHEDULE.predict_z0(z_t, eps, t), z0, atol=5e-6, rtol=1e-5)
    torch.testing.assert_close(SCHEDULE.predict_eps(z_t, z0, t), eps, atol=5e-5, rtol=1e-4)
    torch.testing.assert_close(SCHEDULE.compose(z0, SCHEDULE.predict_eps(z_t, z0, t), t), z_t)
    # sigma is the noise of z_t / sqrt(abar)
    torch.testing.assert_close(z_t / SCHEDULE.abar(t) ** 0.5, z0 + SCHEDULE.sigma(t) * eps, atol=1e-5, rtol=1e-5)


def test_before_the_first_timestep_it_is_as_noisy_as_there() -> None:
    assert len(SCHEDULE) == 1000
    assert SCHEDULE.abar(-1) == SCHEDULE.abar(-100) == SCHEDULE.abar(0) == DDIM.alphas_cumprod[0]
    assert SCHEDULE.sigma(-1) == SCHEDULE.sigma(0)


def test_the_timesteps_of_the_paper() -> None:
    assert SCHEDULE.leading(450) == list(range(899, 0, -2))
    assert SCHEDULE.stride(450) == 2


@pytest.mark.parametrize("steps", [1, 2, 7, 50, 334, 450, 500, 999])
def test_leading_is_that_of_diffusers(steps: int) -> None:
    DDIM.set_timesteps(steps)
    assert SCHEDULE.leading(steps) == DDIM.timesteps.tolist()


@pytest.mark.parametrize("steps", [-1, 0, 1000, 1001])
def test_too_many_or_too_few_steps(steps: int) -> None:
    for ask in (SCHEDULE.leading, SCHEDULE.stride):
        with pytest.raises(SettingsError, match=f"steps is {steps}; this prior takes 1 to 999"):
            ask(steps)


def invented_eps(z: Tensor, t: int) -> Tensor:
    """As nonlinear as a network, bounded, and different at every timestep."""
    return torch.tanh(1.5 * z + z.roll(1, -1)) * (0.5 + t / 2000) + torch.sin(z + t)


@pytest.mark.parametrize("steps", [1, 2, 10, 50, 450, 999])
def test_a_whole_chain_is_that_of_ddim(steps: int) -> None:
    def denoise(z: Tensor, t: int) -> Denoised:
        eps = invented_eps(z, t)
        return Denoised(SCHEDULE.predict_z0(z, eps, t), eps)

    DDIM.set_timesteps(steps)
    start = noise(2, 4, 6, 6).double()
    expected = start
    trail = []
    for t in DDIM.timesteps:
        expected = DDIM.step(invented_eps(expected, int(t)), int(t), expected, eta=0.0).prev_sample
        trail.append(expected)
    chain = gradient_chain(
        denoise,
        lambda z0, t: (torch.zeros_like(z0), {}),
        SCHEDULE,
        start,
        SCHEDULE.leading(steps),
        stride=SCHEDULE.stride(steps),
        clamp_quantile=None,
        z0_from_stepped=False,
    )
    for step, wanted in zip(chain, trail, strict=True):
        torch.testing.assert_close(step.latents, wanted, atol=1e-5, rtol=1e-5)


def test_a_noise_level_finds_its_timestep() -> None:
    levels = [SCHEDULE.sigma(t) for t in range(1000)]
    assert levels == sorted(levels)
    for t in (0, 1, 2, 17, 500, 998, 999):
        assert SCHEDULE.timestep_of(levels[t] * (1 - 1e-6)) == t
        assert SCHEDULE.timestep_of(levels[t] * (1 + 1e-6)) == min(t + 1, 999)
    found = [SCHEDULE.timestep_of(level) for level in np.geomspace(1e-3, 100, 500)]
    assert found == sorted(found)
    assert found[0] == SCHEDULE.timestep_of(0) == 0
    assert found[-1] == 999


@pytest.mark.parametrize("steps", [2, 3, 10, 100, 2000])
@pytest.mark.parametrize("start", [0, 1, 5, 300, 999])
def test_spaced_descends_to_zero_without_repeats(start: int, steps: int) -> None:
    timesteps = SCHEDULE.spaced(start, steps)
    assert timesteps == sorted(set(timesteps), reverse=True)
    assert (timesteps[0], timesteps[-1]) == (start, 0)
    assert len(timesteps) <= min(steps, start + 1)


def test_a_single_step_is_taken_at_the_start() -> None:
    assert SCHEDULE.spaced(300, 1) == [300]


def test_spaced_is_even_in_log_sigma() -> None:
    levels = [SCHEDULE.log_sigma(t) for t in SCHEDULE.spaced(900, 8)]
    np.testing.assert_allclose(np.diff(levels), (levels[-1] - levels[0]) / 7, rtol=0.15)


@pytest.mark.parametrize("quantile", [0.0, 0.5, 0.93, 0.995, 1.0])
def test_clamp_of_each_sample_by_itself(quantile: float) -> None:
    z0 = noise(4, 3, 7, 5) * torch.tensor([0.01, 4.0, 60.0, 5000.0]).reshape(4, 1, 1, 1)
    given = z0.clone()
    found = clamp_percentile(z0, quantile).numpy()
    for sample, clamped in zip(z0.numpy(), found, strict=True):
        limit = np.clip(np.quantile(np.abs(sample), quantile), 1, 100)
        np.testing.assert_allclose(clamped, np.clip(sample, -limit, limit), rtol=1e-5)
    assert torch.equal(z0, given)
    assert np.abs(found[0]).max() == np.abs(z0[0].numpy()).max()  # below 1 nothing is clamped
    assert np.abs(found[3]).max() <= 100


def test_another_largest() -> None:
    assert clamp_percentile(torch.tensor([[-500.0, 500.0]]), 0.5, largest=7).tolist() == [[-7, 7]]


@pytest.mark.parametrize("share", [0.4, 0.1])
def test_a_chain_that_ends_at_a_share_of_where_it_begins(share: float) -> None:
    timesteps = SCHEDULE.spaced(600, 5, share)
    assert timesteps[0] == 600 and len(timesteps) == 5
    assert SCHEDULE.sigma(timesteps[-1]) == pytest.approx(share * SCHEDULE.sigma(600), rel=0.01)
    ratios = [SCHEDULE.sigma(b) / SCHEDULE.sigma(a) for a, b in itertools.pairwise(timesteps)]
    assert ratios == pytest.approx([share**0.25] * 4, rel=0.02)
    assert SCHEDULE.spaced(3, 2, share)[-1] == 0, "there is none so low"
    assert SCHEDULE.spaced(600, 1, share) == [600]
