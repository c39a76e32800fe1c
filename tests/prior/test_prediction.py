from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import DDIMScheduler

from ldrps.errors import PriorError
from ldrps.prior.base import NOISES, Prior
from ldrps.prior.prediction import PREDICTIONS, interpret, read_schedule
from ldrps.prior.tiny.prior import EmbeddedPrior


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("prediction", PREDICTIONS)
@pytest.mark.parametrize("level", [0.9991, 0.5, 0.0047])
def test_every_prediction_leads_back_to_its_parts(prediction: str, level: float) -> None:
    abar, z0, eps = torch.tensor(level), noise(2, 4, 3, 3), noise(2, 4, 3, 3, seed=1)
    z_t = abar.sqrt() * z0 + (1 - abar).sqrt() * eps
    output = {"epsilon": eps, "sample": z0, "v_prediction": abar.sqrt() * eps - (1 - abar).sqrt() * z0}[prediction]
    found = interpret(output, z_t, abar, prediction)
    torch.testing.assert_close(found.z0, z0, atol=5e-5, rtol=1e-4)
    torch.testing.assert_close(found.eps, eps, atol=5e-5, rtol=1e-4)


def test_unknown_prediction_is_refused() -> None:
    with pytest.raises(PriorError, match="prediction is 'flow'"):
        interpret(noise(1), noise(1), torch.tensor(0.5), "flow")


@pytest.mark.parametrize(
    "config",
    [
        {"beta_schedule": "linear"},
        {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012},
        {"beta_schedule": "squaredcos_cap_v2", "num_train_timesteps": 250},
        {"trained_betas": [0.01, 0.02, 0.5]},
        {"beta_schedule": "scaled_linear", "rescale_betas_zero_snr": True, "prediction_type": "v_prediction"},
    ],
    ids=lambda config: config.get("beta_schedule", "trained") + ("+" if "rescale_betas_zero_snr" in config else ""),
)
def test_noise_levels_are_those_of_ddim(config: dict[str, Any]) -> None:
    abar, prediction = read_schedule(config, Path("scheduler_config.json"))
    assert torch.equal(abar, DDIMScheduler(**config).alphas_cumprod)
    assert abar.dtype == torch.float32 and prediction == config.get("prediction_type", "epsilon")


def test_noise_of_any_level_is_removed_in_one_call(tiny_prior: Prior) -> None:
    """By what every prior has: its own timesteps, and below the lowest a share of it, down to nothing."""
    z = noise(2, tiny_prior.latent_channels, 8, 8)
    lowest = float(((1 - tiny_prior.alphas_cumprod[0]) / tiny_prior.alphas_cumprod[0]) ** 0.5)
    whole = Prior.remove_noise(tiny_prior, z, lowest) - z
    for share in (0.0, 0.1, 0.5):
        part = Prior.remove_noise(tiny_prior, z, share * lowest) - z
        torch.testing.assert_close(part, share**2 * whole, atol=1e-6, rtol=1e-4)
    assert torch.equal(Prior.remove_noise(tiny_prior, z, lowest, "camera") - z, whole), "it knows no other kind"
    assert Prior.remove_noise(tiny_prior, z, 1e9).isfinite().all(), "more than it was trained on"


def test_the_embedded_make_is_told_level_and_kind(tiny_prior: Prior) -> None:
    assert isinstance(tiny_prior, EmbeddedPrior) and tiny_prior.noise_kinds == ("white",)
    z = noise(2, tiny_prior.latent_channels, 8, 8)
    prior = copy.copy(tiny_prior)
    prior.unet = tiny_prior.unet.with_kinds(3).requires_grad_(False)
    torch.nn.init.normal_(prior.unet.kind_embedding.weight[:, 1:])
    assert prior.noise_kinds == NOISES
    found = [prior.remove_noise(z, 0.02, kind) for kind in NOISES]
    level = torch.full((2,), 0.02)
    for index, told in enumerate(found):
        torch.testing.assert_close(told, prior.unet(z, level, None, torch.full((2,), index)))
    torch.testing.assert_close(found[0], tiny_prior.remove_noise(z, 0.02))
    assert not torch.allclose(found[1], found[2], atol=1e-4)
