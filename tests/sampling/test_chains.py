"""The chains against data for which everything is known: z0 ~ N(MEAN, DEVIATION^2), whose denoiser has a formula."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from ldrps.prior.base import Denoised
from ldrps.prior.prediction import read_schedule
from ldrps.sampling.chains import (
    Chain,
    Step,
    end_of,
    gradient_chain,
    leave,
    picture_chain,
    proximal_chain,
    pulled_to,
    splitting_chain,
)
from ldrps.sampling.denoiser import GuidedDenoiser, denoiser_for, in_batches
from ldrps.sampling.schedule import Schedule, clamp_percentile

MEAN, DEVIATION = 0.7, 0.4
CONFIG = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}
SCHEDULE = Schedule(read_schedule(CONFIG, "scheduler_config.json")[0].double())  # type: ignore[arg-type]
DATA = torch.tensor([[-1.0, 0.2, 2.5]], dtype=torch.float64)


class Ideal:
    """The expectation of z0 given z_t."""

    def __init__(self) -> None:
        self.calls: list[int] = []

    def __call__(self, z_t: Tensor, t: int) -> Denoised:
        self.calls.append(t)
        abar = SCHEDULE.abar(t)
        weight = abar**0.5 * DEVIATION**2 / (abar * DEVIATION**2 + 1 - abar)
        z0 = MEAN + weight * (z_t - abar**0.5 * MEAN)
        return Denoised(z0, SCHEDULE.predict_eps(z_t, z0, t))


def data_step(z0: Tensor, t: int, level: float) -> tuple[Tensor, dict[str, float]]:
    """The proximal step of the default method, without a picture around it."""
    return pulled_to(DATA, level**2, SCHEDULE)(z0, t)


def start(t: int) -> Tensor:
    return SCHEDULE.compose(DATA, torch.tensor([[0.3, -1.1, 0.8]], dtype=torch.float64), t)


@pytest.mark.parametrize("first", [100, 500, 999])
def test_many_steps_follow_the_probability_flow(first: int) -> None:
    z, variance = start(first), DEVIATION**2
    low, high = SCHEDULE.sigma(0) ** 2, SCHEDULE.sigma(first) ** 2
    # (x - mean) / sqrt(variance + sigma^2) is constant along the flow; the last step is the expectation at t = 0.
    x = z / SCHEDULE.abar(first) ** 0.5
    solution = MEAN + (x - MEAN) * variance / ((variance + low) * (variance + high)) ** 0.5
    errors = []
    for steps in (5, 40, 2000):
        found = end_of(proximal_chain(Ideal(), leave, SCHEDULE, z, SCHEDULE.spaced(first, steps)))
        errors.append(float((found - solution).abs().max()))
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 0.01


def test_a_step_is_the_one_of_the_variance_exploding_form() -> None:
    timesteps, level = SCHEDULE.spaced(800, 12), 0.5
    z = start(800)
    x = z / SCHEDULE.abar(800) ** 0.5
    chain = proximal_chain(Ideal(), lambda z0, t: data_step(z0, t, level), SCHEDULE, z, timesteps)
    for step, t, following in zip(chain, timesteps, [*timesteps[1:], None], strict=True):
        variance = SCHEDULE.sigma(t) ** 2
        z0 = MEAN + DEVIATION**2 / (DEVIATION**2 + variance) * (x - MEAN)
        z0 = (z0 / variance + DATA / level**2) / (1 / variance + 1 / level**2)
        x = z0 if following is None else z0 + SCHEDULE.sigma(following) / SCHEDULE.sigma(t) * (x - z0)
        assert step.t == t
        torch.testing.assert_close(step.z0, z0)
        torch.testing.assert_close(step.latents, x if following is None else x * SCHEDULE.abar(following) ** 0.5)
        assert step.losses["posterior/distance"] >= 0


@pytest.mark.parametrize("t", [0, 300, 999])
def test_the_data_step_is_the_minimum_it_says(t: int) -> None:
    guess = torch.tensor([[3.0, -1.0, 0.4]], dtype=torch.float64)
    z = data_step(guess, t, 0.2)[0].requires_grad_()
    ((z - DATA).pow(2) / 0.2**2 + (z - guess).pow(2) / SCHEDULE.sigma(t) ** 2).sum().backward()
    assert z.grad is not None and float(z.grad.abs().max()) < 1e-4


def test_the_data_step_ends_between_prior_and_data() -> None:
    timesteps, z = SCHEDULE.spaced(700, 20), start(700)
    free = end_of(proximal_chain(Ideal(), leave, SCHEDULE, z, timesteps))
    trusting = [
        end_of(proximal_chain(Ideal(), lambda z0, t, level=level: data_step(z0, t, level), SCHEDULE, z, timesteps))
        for level in (100.0, 2.0, 0.5, 0.1, 1e-4)
    ]
    torch.testing.assert_close(trusting[0], free, atol=5e-3, rtol=0)
    torch.testing.assert_close(trusting[-1], DATA, atol=1e-4, rtol=0)
    distances = [float((z0 - DATA).abs().mean()) for z0 in trusting]
    assert distances == sorted(distances, reverse=True)


@pytest.mark.parametrize("level", [0.05, 0.5, 5.0])
def test_every_data_step_goes_its_share_of_the_way(level: float) -> None:
    def agree(z0: Tensor, t: int) -> tuple[Tensor, dict[str, float]]:
        agreed, losses = data_step(z0, t, level)
        share = SCHEDULE.sigma(t) ** 2 / (SCHEDULE.sigma(t) ** 2 + level**2)
        torch.testing.assert_close(agreed, (1 - share) * z0 + share * DATA)
        return agreed, losses

    end_of(proximal_chain(Ideal(), agree, SCHEDULE, start(700), SCHEDULE.spaced(700, 10)))


def test_the_gradient_chain_corrects_the_z0_it_was_told_to() -> None:
    z, t, stride = start(501), 501, 250
    z0, eps = Ideal()(z, t)
    stepped = SCHEDULE.compose(clamp_percentile(z0, 0.6), eps, t - stride)
    expected = {False: z0, True: SCHEDULE.predict_z0(stepped, eps, t)}
    for from_stepped in (False, True):
        chain = gradient_chain(
            Ideal(),
            lambda z0, t: (0.1 * z0, {"t": t}),
            SCHEDULE,
            z,
            [t],
            stride=stride,
            clamp_quantile=0.6,
            z0_from_stepped=from_stepped,
        )
        (step,) = chain
        torch.testing.assert_close(step.z0, clamp_percentile(expected[from_stepped], 0.6))
        torch.testing.assert_close(step.latents, stepped + 0.1 * step.z0)
        assert step.losses == {"t": 501}


def both(denoise: Ideal) -> list[Chain]:
    def nothing(z0: Tensor, t: int) -> tuple[Tensor, dict[str, float]]:
        return torch.zeros_like(z0), {}

    options: dict[str, Any] = {"stride": 100, "clamp_quantile": None, "z0_from_stepped": False}
    return [
        proximal_chain(denoise, leave, SCHEDULE, start(900), [900, 500, 0]),
        gradient_chain(denoise, nothing, SCHEDULE, start(900), [900, 800, 700], **options),
    ]


def test_chains_work_on_demand_and_can_be_closed() -> None:
    for number in range(2):
        ideal = Ideal()
        chain = both(ideal)[number]
        assert not ideal.calls
        assert isinstance(next(chain), Step)
        chain.close()
        assert ideal.calls == [900]
        assert list(chain) == []


def test_chains_return_the_last_latents() -> None:
    for number in range(2):
        steps = list(both(Ideal())[number])
        assert len(steps) == 3
        assert torch.equal(end_of(both(Ideal())[number]), steps[-1].latents)


def test_splitting_alternates_the_two_halves_at_falling_levels() -> None:
    """Of a Gaussian prior and identical data: each half is a weighted mean, and the limit is that of both."""
    noise, levels, seen = 0.1, [2.0, 1.0, 0.3, 0.05], []

    def agree(x: Tensor, level: float) -> Tensor:
        return x + level**2 / (level**2 + noise**2) * (DATA - x)

    def denoise(x: Tensor, level: float, number: int) -> Tensor:
        seen.append((level, number))
        return MEAN + DEVIATION**2 / (DEVIATION**2 + level**2) * (x - MEAN)

    steps = list(splitting_chain(denoise, agree, DATA, levels, [9, 5, 2, 0]))
    assert [step.t for step in steps] == [9, 5, 2, 0] and seen == list(zip(levels, range(4), strict=True))
    x = DATA
    for step, level in zip(steps, levels, strict=True):
        x = denoise(agree(x, level), level, 0)
        torch.testing.assert_close(step.z0, x)
        assert step.latents is step.z0
    assert torch.equal(end_of(splitting_chain(denoise, agree, DATA, levels, [9, 5, 2, 0])), x)


class TextPrior:
    """Its noise is the first number of the text times the latents, plus t."""

    has_text = True
    alphas_cumprod = SCHEDULE.alphas_cumprod

    def __init__(self) -> None:
        self.batches: list[int] = []

    def embed(self, prompts: list[str]) -> Tensor:
        return torch.tensor([float(len(prompt)) for prompt in prompts]).reshape(-1, 1, 1).double()

    def denoise(self, z_t: Tensor, t: int, text: Tensor | None = None) -> Denoised:
        assert text is not None and len(text) == len(z_t)
        self.batches.append(len(z_t))
        eps = text[:, :1, :1] * z_t + t
        return Denoised(torch.full_like(z_t, torch.nan), eps)


@pytest.mark.parametrize("scale", [0.0, 0.5, 8.0])
@pytest.mark.parametrize("chains", [1, 2, 3])
def test_guidance_is_one_call(scale: float, chains: int) -> None:
    prior: Any = TextPrior()
    z = torch.randn(chains, 4, 5, generator=torch.Generator().manual_seed(0)).double()
    denoise = denoiser_for(prior, "four", "no", scale)
    assert isinstance(denoise, GuidedDenoiser)
    z0, eps = denoise(z, 321)
    unconditional, conditional = 2 * z + 321, 4 * z + 321
    torch.testing.assert_close(eps, unconditional + scale * (conditional - unconditional))
    torch.testing.assert_close(z0, SCHEDULE.predict_z0(z, eps, 321))
    assert prior.batches == [2 * chains]


@pytest.mark.parametrize(("caption", "negative", "scale"), [("four", "no", 1), ("four", "four", 8.0), ("", "", 0.0)])
@pytest.mark.parametrize("chains", [1, 3])
def test_where_guidance_would_do_nothing_the_caption_alone_is_asked(
    chains: int, caption: str, negative: str, scale: float
) -> None:
    prior: Any = TextPrior()
    z = torch.randn(chains, 4, 5, generator=torch.Generator().manual_seed(0)).double()
    found = denoiser_for(prior, caption, negative, scale)(z, 321)
    assert prior.batches == [chains], "half of what guidance costs"
    torch.testing.assert_close(found.eps, len(caption) * z + 321)
    assert bool(found.z0.isnan().all()), "and the answer is the prior's own"


def test_without_text_there_is_nothing_to_guide() -> None:
    prior: Any = SimpleNamespace(has_text=False, denoise=Ideal())
    assert denoiser_for(prior, "a caption", "", 8) is prior.denoise


def test_a_chain_of_pictures_is_the_same_chain_without_their_scale() -> None:
    timesteps = SCHEDULE.spaced(800, 5)
    levels = [SCHEDULE.sigma(t) for t in timesteps]
    numbers: list[int] = []

    def denoise(x: Tensor, level: float, number: int) -> Tensor:
        numbers.append(number)
        assert level == levels[number]
        return Ideal()(x * SCHEDULE.abar(timesteps[number]) ** 0.5, timesteps[number]).z0

    z = start(800)
    pictures = list(picture_chain(denoise, z / SCHEDULE.abar(800) ** 0.5, levels, timesteps))
    latents = list(proximal_chain(Ideal(), leave, SCHEDULE, z, timesteps))
    assert numbers == [0, 1, 2, 3, 4] and [step.t for step in pictures] == timesteps
    for one, other in zip(pictures, latents, strict=True):
        torch.testing.assert_close(one.z0, other.z0)
    end = end_of(picture_chain(denoise, z / SCHEDULE.abar(800) ** 0.5, levels, timesteps))
    torch.testing.assert_close(end, latents[-1].latents)


@pytest.mark.parametrize(("count", "calls"), [(1, [1]), (4, [4]), (5, [4, 1]), (12, [4, 4, 4])])
def test_a_denoiser_takes_no_more_at_once_than_it_may(count: int, calls: list[int]) -> None:
    seen: list[int] = []

    def denoise(z_t: Tensor, t: int) -> Denoised:
        seen.append(len(z_t))
        return Denoised(z_t + t, z_t - t)

    z = torch.randn(count, 2, 3, generator=torch.Generator().manual_seed(0))
    z0, eps = in_batches(denoise, 4)(z, 7)
    assert seen == calls and torch.equal(z0, z + 7) and torch.equal(eps, z - 7)
